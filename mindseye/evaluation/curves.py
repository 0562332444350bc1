"""How dream and reality drift apart while a policy is refined."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_DREAM, _REAL = "#8a4fd3", "#1b7f5c"


def save_curves(curves: Mapping[str, Sequence[Mapping[str, float]]], path: Path) -> None:
    """One panel per policy: shares of success dreamed and real after every round, as a picture.

    Args:
        curves: Of every policy, rows with the numbers `round`, `dream` and `real`.
        path: Of a PNG.
    """
    figure = Figure(figsize=(2.6 * len(curves), 2.4), layout="constrained", dpi=120)
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (name, rows) in zip(panels, curves.items(), strict=True):
        rounds = [row["round"] for row in rows]
        for kind, colour in (("dream", _DREAM), ("real", _REAL)):
            axes.plot(rounds, [row[kind] for row in rows], color=colour, marker="o", label=kind)
        axes.set(title=name.replace("_", " "), xlabel="round", ylim=(-0.02, 1.02), xticks=rounds)
    panels[0].set_ylabel("share of successes")
    panels[0].legend(loc="lower right", frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(str(path))

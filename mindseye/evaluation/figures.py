"""Figures of the truth report, as SVG that follows the page's light or dark colours.

Matplotlib paints with stand-in colours, which are then replaced by the page's own CSS colours.
Looks are attributes, not styles: pages that forbid inline styles show the figures, too.
"""

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from mindseye.core.report import Measure

INK, REAL, DREAM, QUIET, BAD = "#010101", "#020202", "#030303", "#040404", "#050505"
_PAGE_COLOURS = {INK: "ink", REAL: "real", DREAM: "dream", QUIET: "quiet", BAD: "bad"}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mindseye",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
_WIDTH = 4.8


class Drawing:
    """An empty figure while it is painted, an SVG afterwards."""

    def __init__(self, height: float):
        self.figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        self.figure.patch.set_alpha(0)
        self.svg = ""

    def axes(self, xlabel: str = "", ylabel: str = "") -> Axes:
        """One plot that fills the figure."""
        axes = self.figure.add_subplot()
        axes.patch.set_alpha(0)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        return axes

    def finish(self, title: str) -> None:
        """Write the SVG, named for those who listen to the page."""
        memory = io.StringIO()
        FigureCanvasSVG(self.figure).print_svg(memory, metadata={"Date": None, "Title": title})
        svg = memory.getvalue()
        svg = svg[svg.index("<svg") :]
        for stand_in, name in _PAGE_COLOURS.items():
            svg = svg.replace(stand_in, f"var(--{name})")
        svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.S)
        svg = re.sub(r'style="([^"]*)"', _as_attributes, svg)
        self.svg = re.sub(
            r'<svg [^>]*?(viewBox="[^"]*")[^>]*>',
            r'<svg \1 role="img" stroke-linejoin="round" stroke-linecap="butt">',
            svg,
            count=1,
        )


def _as_attributes(style: re.Match) -> str:
    pairs = (part.split(":", 1) for part in style[1].split(";") if part.strip())
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in pairs)


@contextmanager
def drawing(title: str, height: float = 2.8):
    """Paint inside; read `.svg` afterwards."""
    with rc_context(_STYLE):
        made = Drawing(height)
        yield made
        made.finish(title)


def bars(
    measures: Mapping[str, Measure], label: str, title: str, main: str, *, as_percent: bool
) -> str:
    """One horizontal bar with its interval per agent."""
    scale, unit = (100, " %") if as_percent else (1, "")
    names = list(measures)
    with drawing(title, 0.7 + 0.32 * len(names)) as made:
        axes = made.axes(xlabel=label)
        for row, name in enumerate(names):
            found = measures[name]
            value, low, high = (scale * x for x in (found.value, found.low, found.high))
            axes.barh(row, value, height=0.62, color=REAL if name == main else QUIET)
            axes.plot([low, high], [row, row], color=INK, linewidth=1.6)
            axes.annotate(
                f"{value:.3g}{unit}",
                (max(high, value), row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.margins(x=0.14)
        if as_percent:
            axes.set_xlim(0, 118)
            axes.set_xticks(range(0, 101, 20))
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return made.svg


def ranking(points: Mapping[str, tuple[float, float]], title: str, main: str) -> str:
    """Dream return against real return, one point per agent."""
    with drawing(title, 3.2) as made:
        axes = made.axes(xlabel="mean return in the dream", ylabel="mean return in reality")
        everything = np.array(list(points.values()))
        low, high = float(everything.min()), float(everything.max())
        axes.plot([low, high], [low, high], color=QUIET, linestyle=":", linewidth=1)
        for name, (dream, real) in points.items():
            axes.scatter([dream], [real], s=30, color=REAL if name == main else QUIET, zorder=3)
        for name, place in _apart(points, high - low or 1.0).items():
            axes.annotate(
                name,
                points[name],
                xytext=(12, place),
                textcoords="offset points",
                fontsize=8,
                va="center",
                arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.6},
            )
        axes.margins(0.2)
    return made.svg


def _apart(points: Mapping[str, tuple[float, float]], spread: float) -> dict[str, float]:
    """Vertical offsets in points that keep names of neighbours from lying on each other."""
    offsets: dict[str, float] = {}
    placed: list[tuple[float, float]] = []
    for name, (dream, real) in sorted(points.items(), key=lambda item: item[1][1]):
        height = real / spread * 150
        for x, y in placed:
            if abs(dream - x) < 0.45 * spread and height < y + 10:
                height = y + 10
        placed.append((dream, height))
        offsets[name] = height - real / spread * 150
    return offsets


def error_curves(loop: Mapping, bound: float, trusted: float, title: str) -> str:
    """Observation error against steps ahead, beside its yardsticks."""
    with drawing(title) as made:
        axes = made.axes(
            xlabel="steps ahead without correction", ylabel="error, share of unrelated"
        )
        ahead = np.arange(1, len(loop["observation"]) + 1)
        axes.plot(ahead, loop["observation"], color=DREAM, linewidth=2, label="dream")
        if loop.get("copy_last"):
            axes.plot(ahead, loop["copy_last"], color=QUIET, label="copy the last observation")
        if loop.get("noise_floor") is not None:
            axes.axhline(loop["noise_floor"], color=REAL, linestyle=":", label="noise floor")
        axes.axhline(bound, color=BAD, linestyle="--", linewidth=1, label="trust bound")
        axes.axvline(trusted, color=BAD, linewidth=1)
        axes.annotate(
            f"trusted for {trusted:g} steps",
            (trusted, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if trusted > ahead[-1] / 2 else 4, -9),
            textcoords="offset points",
            fontsize=8,
            ha="right" if trusted > ahead[-1] / 2 else "left",
        )
        axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.12)
        made.figure.legend(loc="outside lower center", ncols=2)
    return made.svg


def head_curves(loop: Mapping, title: str) -> str:
    """Reward and termination error against steps ahead."""
    with drawing(title) as made:
        axes = made.axes(xlabel="steps ahead without correction", ylabel="absolute error")
        ahead = np.arange(1, len(loop["reward"]) + 1)
        axes.plot(ahead, loop["reward"], color=DREAM, label="reward, in its own unit")
        axes.plot(ahead, loop["termination"], color=REAL, linestyle="--", label="termination")
        axes.set_ylim(bottom=0)
        made.figure.legend(loc="outside lower center", ncols=2)
    return made.svg


def doubt_curve(loop: Mapping, title: str) -> str:
    """Mean error against the model's mean doubt, one point per number of steps ahead."""
    with drawing(title) as made:
        axes = made.axes(xlabel="the model's own doubt", ylabel="observation error")
        axes.plot(loop["uncertainty"], loop["observation"], color=DREAM, marker=".", linewidth=0.8)
        for at in {0, len(loop["uncertainty"]) - 1}:
            axes.annotate(
                f"{at + 1} step{'s' if at else ''} ahead",
                (loop["uncertainty"][at], loop["observation"][at]),
                xytext=(0, 6),
                textcoords="offset points",
                fontsize=8,
                ha="center",
            )
        axes.margins(0.15)
    return made.svg


def learning_curve(steps: Sequence[float], values: Sequence[float], title: str) -> str:
    """One metric over a stage: every value faintly, their running mean clearly."""
    with drawing(title, 1.7) as made:
        axes = made.axes()
        axes.set_title(title, fontsize=9, loc="left")
        width = max(1, len(values) // 20)
        if width > 1:
            axes.plot(steps, values, color=DREAM, alpha=0.25, linewidth=0.6)
        axes.plot(
            *_smooth(np.asarray(steps), np.asarray(values), width), color=DREAM, linewidth=1.6
        )
    return made.svg


def learning_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str
) -> str:
    """One metric of several runs: the running mean of each, told apart by colour and dashes."""
    looks = [(colour, dashes) for dashes in ("-", "--", ":") for colour in (DREAM, REAL, BAD, INK)]
    with drawing(title, 2.2 + 0.16 * len(curves)) as made:
        axes = made.axes()
        axes.set_title(title, fontsize=9, loc="left")
        for (name, (steps, values)), look in zip(curves.items(), cycle(looks), strict=False):
            colour, dashes = look
            line = _smooth(np.asarray(steps), np.asarray(values), max(1, len(values) // 20))
            axes.plot(*line, color=colour, linestyle=dashes, linewidth=1.6, label=name)
        made.figure.legend(loc="outside lower left", ncols=1)
    return made.svg


def _smooth(steps: np.ndarray, values: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    weights = np.full(width, 1 / width)
    return np.convolve(steps, weights, "valid"), np.convolve(values, weights, "valid")

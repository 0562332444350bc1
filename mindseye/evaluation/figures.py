"""Figures of the truth report, as SVG that follows the page's light or dark colours.

Matplotlib paints with stand-in colours, which are then replaced by the page's own CSS colours.
Looks are attributes, not styles: pages that forbid inline styles show the figures, too. What a
figure shows is also told in its `desc`, and nothing is told by colour alone.
"""

import hashlib
import html
import io
import itertools
import math
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
PAPER = "#060606"
_PAGE_COLOURS = {
    INK: "ink", REAL: "real", DREAM: "dream", QUIET: "quiet", BAD: "bad", PAPER: "paper",
}  # fmt: skip
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mindseye",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.parse_math": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
}
_WIDTH = 4.2
"""So narrow that words can still be read when a phone shows the figure."""


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

    def finish(self, title: str, finding: str) -> None:
        """Write the SVG, named and told for those who listen to the page."""
        memory = io.StringIO()
        FigureCanvasSVG(self.figure).print_svg(memory, metadata={"Date": None, "Title": title})
        svg = memory.getvalue()
        svg = svg[svg.index("<svg") :]
        for stand_in, name in _PAGE_COLOURS.items():
            svg = svg.replace(stand_in, f"var(--{name})")
        svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.S)
        svg = re.sub(r'style="([^"]*)"', _as_attributes, svg)
        # only what is referred to keeps a name, of this figure's own: many share a page
        svg = re.sub(r'<g id="[^"]*"', "<g", svg)
        key = f"f{hashlib.sha256(f'{finding}{svg}'.encode()).hexdigest()[:10]}"
        svg = re.sub(r'( id="|href="#|url\(#)', rf"\1{key}-", svg)
        svg = re.sub(r"<title>", f'<title id="{key}-title">', svg, count=1)
        told = f'</title>\n <desc id="{key}-desc">{html.escape(finding)}</desc>'
        svg = svg.replace("</title>", told, 1)
        box = re.search(r'viewBox="[^"]*"', svg)
        assert box is not None
        named = f'role="img" aria-labelledby="{key}-title {key}-desc"'
        self.svg = (
            f'<svg {box[0]} {named} stroke-linejoin="round" stroke-linecap="butt">'
            f"{svg[svg.index('>') + 1 :]}"
        )


def _as_attributes(style: re.Match) -> str:
    pairs = (part.split(":", 1) for part in style[1].split(";") if part.strip())
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in pairs)


@contextmanager
def drawing(title: str, finding: str, height: float = 2.8):
    """Paint inside; read `.svg` afterwards.

    Args:
        title: What is drawn.
        finding: What can be seen there, in words.
        height: In inches of 72 units.
    """
    with rc_context(_STYLE):
        made = Drawing(height)
        yield made
        made.finish(title, finding)


def bars(
    measures: Mapping[str, Measure], label: str, title: str, main: str, *, as_percent: bool
) -> str:
    """One horizontal bar with its interval per agent; the judged one is marked."""
    scale, unit = (100, " %") if as_percent else (1, "")
    names = [_marked(name, main) for name in measures]
    told = [
        f"{name} {_number(scale * m.value)}{unit},"
        f" {_number(scale * m.low)} to {_number(scale * m.high)}"
        for name, m in zip(names, measures.values(), strict=True)
    ]
    finding = f"{label[0].upper()}{label[1:]}: {'; '.join(told)}."
    with drawing(title, finding, 0.7 + 0.32 * len(names)) as made:
        axes = made.axes(xlabel=label)
        for row, (name, found) in enumerate(measures.items()):
            value, low, high = (scale * x for x in (found.value, found.low, found.high))
            axes.barh(row, value, height=0.62, color=REAL if name == main else QUIET)
            # bar and line are too much alike in some colours to lie on each other
            axes.plot([low, high], [row, row], color=PAPER, linewidth=4)
            axes.plot([low, high], [row, row], color=INK, linewidth=1.6)
            axes.annotate(
                f"{value:.3g}{unit}",
                (max(high, value), row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
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
    """Dream return against real return, one point per agent; the judged one is a diamond."""
    with drawing(title, _order(points), 3.2) as made:
        axes = made.axes(xlabel="mean return in the dream", ylabel="mean return in reality")
        everything = np.array(list(points.values()))
        low, high = float(everything.min()), float(everything.max())
        axes.plot([low, high], [low, high], color=QUIET, linestyle=":", linewidth=1)
        for name, (dream, real) in points.items():
            colour, shape = (REAL, "D") if name == main else (QUIET, "o")
            axes.scatter([dream], [real], s=30, color=colour, marker=shape, zorder=3)
        for name, place in _apart(points, high - low or 1.0).items():
            axes.annotate(
                _marked(name, main),
                points[name],
                xytext=(12, place),
                textcoords="offset points",
                fontsize=9,
                va="center",
                arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.6},
            )
        axes.margins(0.2)
    return made.svg


def _order(points: Mapping[str, tuple[float, float]]) -> str:
    dreamed, real = ({n: p[side] for n, p in points.items()} for side in (0, 1))
    pairs = [
        (dreamed[a] - dreamed[b]) * (real[a] - real[b])
        for a, b in itertools.combinations(points, 2)
    ]
    alike = sum(product > 0 for product in pairs)
    return (
        f"The dream pays {max(dreamed, key=dreamed.__getitem__)} most, reality"
        f" {max(real, key=real.__getitem__)}; {alike} of {len(pairs)} pairs of agents stand in the"
        " same order in both."
    )


def _marked(name: str, main: str) -> str:
    return f"{name} (judged)" if name == main else name


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "unknown"


def _course(what: str, values: Sequence[float]) -> str:
    """How a curve runs, in words."""
    first, last = _number(values[0]), _number(values[-1])
    return (
        f"{what} is {last} throughout" if first == last else f"{what} goes from {first} to {last}"
    )


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
    steps = len(loop["observation"])
    finding = f"Over {steps} steps {_course('the error of the dream', loop['observation'])}"
    if loop.get("copy_last"):
        finding += f"; {_course('that of copying the last observation', loop['copy_last'])}"
    finding += f". The dream's stays under {_number(bound)} for {_number(trusted)} steps."
    with drawing(title, finding) as made:
        axes = made.axes(
            xlabel="steps ahead without correction", ylabel="error, share of unrelated"
        )
        ahead = np.arange(1, steps + 1)
        axes.plot(ahead, loop["observation"], color=DREAM, linewidth=2, label="dream")
        if loop.get("copy_last"):
            axes.plot(ahead, loop["copy_last"], "-.", color=QUIET, label="copy the last")
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
            fontsize=9,
            ha="right" if trusted > ahead[-1] / 2 else "left",
        )
        axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.12)
        made.figure.legend(loc="outside lower center", ncols=2)
    return made.svg


def head_curves(loop: Mapping, title: str) -> str:
    """Reward and termination error against steps ahead."""
    told = (_course(f"the {what} error", loop[what]) for what in ("reward", "termination"))
    with drawing(title, f"Over {len(loop['reward'])} steps {'; '.join(told)}.") as made:
        axes = made.axes(xlabel="steps ahead without correction", ylabel="absolute error")
        ahead = np.arange(1, len(loop["reward"]) + 1)
        axes.plot(ahead, loop["reward"], color=DREAM, label="reward, in its own unit")
        axes.plot(ahead, loop["termination"], color=REAL, linestyle="--", label="termination")
        axes.set_ylim(bottom=0)
        made.figure.legend(loc="outside lower center", ncols=2)
    return made.svg


def doubt_curve(loop: Mapping, title: str) -> str:
    """Mean error against the model's mean doubt, one point per number of steps ahead."""
    told = (_course("doubt", loop["uncertainty"]), _course("the error", loop["observation"]))
    finding = f"From 1 to {len(loop['observation'])} steps ahead {', while '.join(told)}."
    with drawing(title, finding) as made:
        axes = made.axes(xlabel="the model's own doubt", ylabel="observation error")
        axes.plot(loop["uncertainty"], loop["observation"], color=DREAM, marker=".", linewidth=0.8)
        for at in {0, len(loop["uncertainty"]) - 1}:
            axes.annotate(
                f"{at + 1} step{'s' if at else ''} ahead",
                (loop["uncertainty"][at], loop["observation"][at]),
                xytext=(0, 6),
                textcoords="offset points",
                fontsize=9,
                ha="center",
            )
        axes.margins(0.15)
    return made.svg


def learning_curve(steps: Sequence[float], values: Sequence[float], title: str) -> str:
    """One metric over a stage: every value thinly, their running mean boldly."""
    with drawing(title, f"{_learned(title, values)}.", 1.7) as made:
        axes = made.axes()
        axes.set_title(title, fontsize=9, loc="left")
        width = max(1, len(values) // 20)
        if width > 1:
            axes.plot(steps, values, color=QUIET, linewidth=0.5)
        axes.plot(
            *_smooth(np.asarray(steps), np.asarray(values), width), color=DREAM, linewidth=1.6
        )
    return made.svg


def learning_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str
) -> str:
    """One metric of several runs: the running mean of each, told apart by colour and dashes."""
    looks = [(colour, dashes) for dashes in ("-", "--", ":") for colour in (DREAM, REAL, BAD, INK)]
    told = (_learned(name, values) for name, (_, values) in curves.items())
    with drawing(title, f"{'; '.join(told)}.", 2.2 + 0.16 * len(curves)) as made:
        axes = made.axes()
        axes.set_title(title, fontsize=9, loc="left")
        for (name, (steps, values)), look in zip(curves.items(), cycle(looks), strict=False):
            colour, dashes = look
            line = _smooth(np.asarray(steps), np.asarray(values), max(1, len(values) // 20))
            axes.plot(*line, color=colour, linestyle=dashes, linewidth=1.6, label=name)
        made.figure.legend(loc="outside lower left", ncols=1)
    return made.svg


def _learned(name: str, values: Sequence[float]) -> str:
    told = _course(name, values)
    return f"{told}, between {_number(min(values))} and {_number(max(values))}"


def _smooth(steps: np.ndarray, values: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    weights = np.full(width, 1 / width)
    return np.convolve(steps, weights, "valid"), np.convolve(values, weights, "valid")

"""Film strips: what the agent lived through, beside what it dreamed from the same start."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from mindseye.core.episode import Episode, Origin, OriginKind
from mindseye.core.tree import named_leaves
from mindseye.evaluation.truth import Truth
from mindseye.worlds.grids.objects import TRIPLES, codes_of
from mindseye.worlds.grids.tiles import NUM_LOOKS, tiles

FRAMES = 12
"""Moments per strip, from the start on."""
KINDS = ("both", "dream_only", "real_only", "neither")
_MOST_STRIPS = 3
_SIDE, _GAP, _TILE = 112, 4, 16
_MOST_CURVES = 6
_FACING_UP = 1 + 3
_ENDED = (128, 128, 128, 40)


def save_pictures(found: Truth, folder: Path) -> dict[str, str]:
    """Draw a few matched episodes of the judged agent as PNG files, reality above the dream.

    Chosen is the first episode of every kind of agreement, at most three of them: one that passes
    both, then those that disagree.

    Args:
        found: What was measured.
        folder: Of the pictures, made if missing.

    Returns:
        Paths relative to the folder's parent, by "KIND/ROW".
    """
    judged = next(a for a in found.attempts if a.name == found.main)
    chosen = _choose(found.details["agents"][found.main])
    pictures = {}
    for kind, row in chosen.items():
        picture = draw_pair(judged.real[row], judged.dream[row])
        if picture is not None:
            folder.mkdir(parents=True, exist_ok=True)
            form = "curves" if picture.mode == "RGB" else "film"
            path = folder / f"{form}-{kind}-{row}.png"
            picture.save(path, format="PNG")
            pictures[f"{kind}/{row}"] = f"{folder.name}/{path.name}"
    return pictures


def _choose(agent: Mapping[str, Sequence[bool]]) -> dict[str, int]:
    pairs = zip(agent["real_success"], agent["dream_success"], strict=True)
    names = {(1, 1): "both", (0, 1): "dream_only", (1, 0): "real_only", (0, 0): "neither"}
    kinds = [names[int(real), int(dream)] for real, dream in pairs]
    return {kind: kinds.index(kind) for kind in [k for k in KINDS if k in kinds][:_MOST_STRIPS]}


def draw_pair(real: Episode, dream: Episode, frames: int = FRAMES) -> Image.Image | None:
    """Reality above, dream below; None where observations are texts."""
    lived, dreamed = _most_visible(real), _most_visible(dream)
    if lived is None or dreamed is None:
        return _draw_curves(real, dream)
    rows = [_frames(lived[:frames]), _frames(dreamed[:frames])]
    count = max(map(len, rows))
    width = count * (_SIDE + _GAP) - _GAP
    sheet = Image.new("RGBA", (width, 2 * _SIDE + _GAP), (0, 0, 0, 0))
    for top, pictures in enumerate(rows):
        for column in range(count):
            at = column * (_SIDE + _GAP), top * (_SIDE + _GAP)
            if column < len(pictures):
                sheet.paste(_fitted(pictures[column]), at)
            else:
                box = (*at, at[0] + _SIDE - 1, at[1] + _SIDE - 1)
                ImageDraw.Draw(sheet).rectangle(box, fill=_ENDED)
    return sheet


def save_pair(real: np.ndarray, dream: np.ndarray, path: Path, *, frames: int = FRAMES) -> None:
    """Write frames of reality above those of a dream, each (frames, height, width, channels)."""
    films = [_film(real, "real"), _film(dream, "imagined")]
    sheet = draw_pair(*films, frames=frames)
    assert sheet is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def frame_of(leaf: np.ndarray) -> np.ndarray | None:
    """One part of one observation as a picture, uint8 (height, width, 3); None: it is none."""
    seen = _as_picture(np.asarray(leaf)[None])
    return None if seen is None else _frames(seen)[0]


def _film(frames: np.ndarray, kind: OriginKind) -> Episode:
    nothing = np.zeros(len(frames) - 1, np.float32)
    return Episode(frames, nothing, nothing, False, True, Origin(kind, "film"))


def _fitted(pixels: np.ndarray) -> Image.Image:
    picture = Image.fromarray(pixels)
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    square = Image.new("RGBA", (_SIDE, _SIDE), (0, 0, 0, 0))
    resized = picture.resize(size, Image.Resampling.NEAREST)
    square.paste(resized, ((_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2))
    return square


def _most_visible(episode: Episode) -> np.ndarray | None:
    """The largest leaf that can be looked at, (rows, height, width, 1 or 3)."""
    seen = [
        x for _, leaf in named_leaves(episode.observations) if (x := _as_picture(leaf)) is not None
    ]
    return max(seen, key=lambda x: x[0].size, default=None)


def _as_picture(leaf: Any) -> np.ndarray | None:
    if isinstance(leaf, list) or leaf.ndim not in (3, 4) or leaf.dtype.kind not in "iub":
        return None
    if leaf.ndim == 3:
        return leaf[..., None]
    if leaf.shape[3] not in (1, 3, 4) and leaf.shape[1] in (1, 3, 4):
        leaf = np.moveaxis(leaf, 1, 3)
    return leaf[..., :3]


def _frames(observations: np.ndarray) -> list[np.ndarray]:
    """Pictures as they are, symbols as tiles; each uint8, (height, width, 3)."""
    if min(observations.shape[1:3]) >= _TILE and observations.dtype == np.uint8:
        return list(np.broadcast_to(observations, (*observations.shape[:3], 3)).copy())
    if observations.shape[3] == 3:
        return [_grid_view(view) for view in observations]
    return [_flat_colours(view[..., 0]) for view in observations]


def _grid_view(view: np.ndarray) -> np.ndarray:
    """A MiniGrid view (across, down, 3); an impossible object becomes its nearest possible one."""
    limits = TRIPLES[:198].max(0)
    codes = codes_of(np.clip(view, 0, limits))
    looks = codes.astype(int).T * NUM_LOOKS
    looks[-1, looks.shape[1] // 2] += _FACING_UP
    pictures = tiles(_TILE)[looks]
    high, wide = looks.shape
    return pictures.transpose(0, 2, 1, 3, 4).reshape(high * _TILE, wide * _TILE, 3)


def _flat_colours(cells: np.ndarray) -> np.ndarray:
    from matplotlib import colormaps

    colours = colormaps["tab20"](cells.astype(int) % 20)[..., :3]
    colours[cells == 0] = 0
    return (255 * colours).astype(np.uint8)


def _draw_curves(real: Episode, dream: Episode) -> Image.Image | None:
    sides = [_numbers(real), _numbers(dream)]
    if not sides[0]:
        return None
    names = list(sides[0])[:_MOST_CURVES]
    figure = Figure(figsize=(8, 1.3 * ((len(names) + 1) // 2)), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    plots = figure.subplots((len(names) + 1) // 2, min(2, len(names)), squeeze=False).flat
    for axes, name in zip(plots, names, strict=False):
        axes.plot(sides[0][name], color="#0072b2", label="reality", linewidth=1.4)
        axes.plot(sides[1][name], color="#c05000", label="dream", linewidth=1.4, linestyle="--")
        axes.set_title(name, fontsize=8, loc="left")
        axes.tick_params(labelsize=7)
    for axes in list(plots):
        axes.set_axis_off()
    figure.axes[0].legend(fontsize=7, frameon=False)
    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")  # type: ignore[attr-defined]


def _numbers(episode: Episode) -> dict[str, np.ndarray]:
    """Every number of the observations over time, by name."""
    found = {}
    for name, leaf in named_leaves(episode.observations):
        if isinstance(leaf, list):
            continue
        columns = leaf.reshape(len(leaf), -1).T
        for place, values in enumerate(columns):
            found[f"{name or 'observation'}[{place}]"] = values.astype(np.float64)
    return found

"""A few episodes on one page: pictures as strips, symbolic views as tiles, numbers as curves."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from mindseye.core.episode import Episode
from mindseye.core.errors import DataError
from mindseye.core.tree import named_leaves

_SMALLEST_PICTURE = 16
"""Pixels; what is smaller and three layers deep is a symbolic view, not a picture."""
_MOST_CURVES = 16
_LINE_HEIGHT = 12


def contact_sheet(
    episodes: Sequence[Episode], path: str | Path, *, moments: int = 10, size: int = 96
) -> Path:
    """Draw episodes below each other into a PNG.

    Args:
        moments: Observations shown per episode, evenly spaced, first and last included.
        size: Width and height of one of them, in pixels.

    Raises:
        DataError: If there are no episodes.
    """
    if not episodes:
        raise DataError("contact_sheet: expected at least one episode, got none")
    strips = [
        strip
        for number, episode in enumerate(episodes)
        for strip in _strips(number, episode, moments, size)
    ]
    sheet = Image.new("RGB", (moments * size, sum(strip.height for strip in strips)), "white")
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    path = Path(path)
    sheet.save(path, format="PNG")
    return path


def _strips(number: int, episode: Episode, moments: int, size: int) -> list[Image.Image]:
    last = len(episode)
    at = np.unique(np.linspace(0, last, min(moments, last + 1)).round().astype(int)).tolist()
    end = "terminated" if episode.terminated else "truncated"
    caption = (
        f"episode {number}: {last} steps, return {episode.total_reward:g}, {end}, "
        f"{episode.origin.kind} {episode.origin.world}; steps {at}"
    )
    strips = [_lines([caption], moments * size)]
    for name, leaf in named_leaves(episode.observations):
        strips.append(_strip(name, leaf, at, moments, size))
    return strips


def _strip(name: str, leaf: Any, at: list[int], moments: int, size: int) -> Image.Image:
    if isinstance(leaf, list):
        return _lines([f"{t}: {leaf[t]}" for t in at], moments * size)
    shape = leaf.shape[1:]
    if _is_picture(leaf):
        tiles = [_picture(leaf[t]) for t in at]
    elif len(shape) in (2, 3) and leaf.dtype.kind in "iub" and max(shape[:2]) <= 64:
        tiles = [_symbols(leaf[t]) for t in at]
    else:
        return _curves(name, leaf.reshape(len(leaf), -1), moments * size, size)
    strip = Image.new("RGB", (moments * size, size), "white")
    for i, tile in enumerate(tiles):
        strip.paste(tile.resize((size - 2, size - 2), Image.Resampling.NEAREST), (i * size, 0))
    return strip


def _is_picture(leaf: np.ndarray) -> bool:
    shape = leaf.shape[1:]
    if leaf.dtype != np.uint8 or len(shape) != 3:
        return False
    height, width = shape[:2] if shape[2] in (1, 3, 4) else shape[1:]
    return min(height, width) >= _SMALLEST_PICTURE and (shape[2] in (1, 3, 4) or shape[0] in (1, 3))


def _picture(pixels: np.ndarray) -> Image.Image:
    if pixels.shape[2] not in (1, 3, 4):
        pixels = np.moveaxis(pixels, 0, 2)
    return Image.fromarray(np.broadcast_to(pixels[..., :3], (*pixels.shape[:2], 3)).copy())


def _symbols(view: np.ndarray) -> Image.Image:
    """Cells as tiles: what is there as the ground, its second layer as a square on it."""
    # As in MiniGrid the first axis runs to the right; pictures want rows first.
    cells = np.swapaxes(view.reshape(*view.shape[:2], -1), 0, 1)
    tiles = np.repeat(np.repeat(_colours(cells[..., 0]), 4, 0), 4, 1)
    if cells.shape[2] > 1:
        inner = _colours(cells[..., 1] + 10)
        for row, column in ((1, 1), (1, 2), (2, 1), (2, 2)):
            spot = tiles[row::4, column::4]
            spot[:] = np.where((cells[..., 1] > 0)[..., None], inner, spot)
    return Image.fromarray(tiles)


def _colours(values: np.ndarray) -> np.ndarray:
    from matplotlib import colormaps

    rgb = colormaps["tab20"](values.astype(int) % 20)[..., :3]
    rgb[values == 0] = 0
    return (255 * rgb).astype(np.uint8)


def _curves(name: str, values: np.ndarray, width: int, height: int) -> Image.Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    axes = figure.add_axes((0.06, 0.2, 0.93, 0.7))
    axes.plot(values[:, :_MOST_CURVES].astype(np.float64), linewidth=1)
    axes.tick_params(labelsize=6)
    axes.set_title(name or "observation", fontsize=6, pad=1)
    memory = io.BytesIO()
    FigureCanvasAgg(figure).print_png(memory)
    return Image.open(memory).convert("RGB")


def _lines(texts: list[str], width: int) -> Image.Image:
    strip = Image.new("RGB", (width, _LINE_HEIGHT * len(texts) + 2), "white")
    draw = ImageDraw.Draw(strip)
    for i, text in enumerate(texts):
        # The built-in font knows Latin letters only; the rest would stop the drawing.
        plain = " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")
        draw.text((2, i * _LINE_HEIGHT), plain[: width // 6], fill="black")
    return strip

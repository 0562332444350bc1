"""Observations as they are shown: pictures as PNG, symbols as tiles, texts, numbers."""

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
from PIL import Image

from mindseye.core.errors import DataError
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree, named_leaves
from mindseye.evaluation.pictures import frame_of
from mindseye.experience.schema import leaf_spaces
from mindseye.studio.stage import Shown

_LEAST_SIDE = 128
"""Pixels of an exported picture."""
_GAP = 8


def drawing(space: gymnasium.Space) -> tuple[Callable[[Tree], Shown], list[str]]:
    """How observations of a space are shown, and names where these are numbers.

    The largest leaf that can be looked at is drawn; else a text is told; else all numbers are.
    """
    leaves = [path for path, leaf in leaf_spaces(space) if isinstance(leaf, Words)]
    seen = [(leaf, path) for path, leaf in leaf_spaces(space) if _is_visible(leaf)]
    if seen:
        largest = max(seen, key=lambda pair: int(np.prod(pair[0].shape or ())))[1]
        return lambda observation: _picture(_at(observation, largest)), []
    if leaves:
        return lambda observation: str(_at(observation, leaves[0])), []
    return _all_numbers, _number_names(space)


def nearest_frame(frames: np.ndarray, keys: np.ndarray, key: Callable[[Tree], np.ndarray]) -> Any:
    """Shows what cannot be decoded: of recorded frames that whose key is nearest.

    Args:
        frames: uint8 (rows, height, width, 3).
        keys: float (rows, size), such as features of the frames.
        key: Of an observation, (size,).
    """

    def draw(observation: Tree) -> Shown:
        return frames[int(np.square(keys - key(observation)).sum(-1).argmin())]

    return draw


def png(picture: np.ndarray) -> bytes:
    """A picture as PNG, fast rather than small: a third of the time that Pillow takes."""
    high, wide, _ = picture.shape
    # every row begins with the number of its filter, 0: none
    rows = np.zeros((high, 1 + 3 * wide), np.uint8)
    rows[:, 1:] = picture.reshape(high, -1)
    head = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
    return b"".join((struct.pack(">I", len(data)), name, data, check))


def side_by_side(dream: np.ndarray | None, real: np.ndarray | None) -> Image.Image:
    """One frame of a film: dream left, reality right; either may be missing."""
    parts = [_enlarged(picture) for picture in (dream, real) if picture is not None]
    if not parts:
        raise DataError("export: there are no pictures on this path; choose another")
    width = sum(part.width for part in parts) + _GAP * (len(parts) - 1)
    sheet = Image.new("RGB", (width, max(part.height for part in parts)), "white")
    left = 0
    for part in parts:
        sheet.paste(part, (left, 0))
        left += part.width + _GAP
    return sheet


def gif(frames: Iterable[Image.Image], rate: float) -> bytes:
    """A film that runs for ever, at so many frames per second."""
    first, *rest = (frame.quantize(128) for frame in _one_size(frames))
    out = io.BytesIO()
    first.save(
        out,
        "GIF",
        save_all=True,
        append_images=rest,
        duration=max(20, round(1000 / rate)),
        loop=0,
        disposal=1,
    )
    return out.getvalue()


def can_film() -> bool:
    """Whether MP4 can be written here."""
    return find_spec("imageio_ffmpeg") is not None


def mp4(frames: Iterable[Image.Image], rate: float) -> bytes:
    """A film in H.264, where `can_film` says so."""
    from mindseye.studio.imageio_ffmpeg import encode

    return encode([np.asarray(_even(frame)) for frame in _one_size(frames)], rate)


def _even(frame: Image.Image) -> Image.Image:
    """H.264 halves colours, so sides must be even."""
    wide, high = frame.width + frame.width % 2, frame.height + frame.height % 2
    sheet = Image.new("RGB", (wide, high), "white")
    sheet.paste(frame)
    return sheet


def _one_size(frames: Iterable[Image.Image]) -> Sequence[Image.Image]:
    frames = list(frames)
    size = frames[0].size
    return [f if f.size == size else f.resize(size, Image.Resampling.NEAREST) for f in frames]


def _enlarged(picture: np.ndarray) -> Image.Image:
    image = Image.fromarray(picture)
    times = -(-_LEAST_SIDE // max(1, min(image.size)))
    if times <= 1:
        return image
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def _is_visible(space: gymnasium.Space) -> bool:
    shape = list(space.shape or ())
    if space.dtype is None or space.dtype.kind not in "iub" or len(shape) not in (2, 3):
        return False
    return len(shape) == 2 or shape[2] in (1, 3, 4) or shape[0] in (1, 3, 4)


def _at(observation: Tree, path: tuple) -> Any:
    for step in path:
        observation = observation[step]
    return observation


def _picture(leaf: np.ndarray) -> np.ndarray:
    picture = frame_of(leaf)
    assert picture is not None
    return np.ascontiguousarray(picture)


def _all_numbers(observation: Tree) -> np.ndarray:
    parts = [np.asarray(leaf, np.float64).reshape(-1) for _, leaf in named_leaves(observation)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _number_names(space: gymnasium.Space) -> list[str]:
    names = []
    for path, leaf in leaf_spaces(space):
        stem = ".".join(map(str, path))
        size = int(np.prod(leaf.shape or ()))
        names += [stem or "value"] if size == 1 else [f"{stem}[{i}]" for i in range(size)]
    return names

"""What of a recorded episode can be looked at, a frame at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mindseye.core.errors import DataError
from mindseye.evaluation.pictures import frame_of
from mindseye.experience.index import EpisodeRecord
from mindseye.studio.pictures import drawing
from mindseye.studio.recorded import Recorded
from mindseye.studio.stage import Shown

_FRAMES = "frames"
"""What `rollout` records of a world's own pictures: one before every action."""
_MOMENTS, _ACROSS = 8, 4
_SIDE, _GAP = 96, 4
_BETWEEN = 201, 204, 214
"""Colour of the gaps: neither light nor dark pages make it glare."""


@dataclass(frozen=True)
class Film:
    """Frames of an episode, read when they are asked for."""

    count: int
    frame: Callable[[int], np.ndarray]
    """By number from 0; uint8 (height, width, 3)."""

    def chosen(self, most: int) -> list[int]:
        """Numbers of evenly spaced frames, the first and the last included."""
        return np.unique(np.linspace(0, self.count - 1, most).round().astype(int)).tolist()

    def sheet(self) -> np.ndarray:
        """A few frames in rows of four, uint8 (height, width, 3)."""
        parts = [_fitted(self.frame(t)) for t in self.chosen(_MOMENTS)]
        across = min(len(parts), _ACROSS)
        wide, high = (size + _GAP for size in parts[0].size)
        size = across * wide - _GAP, -(-len(parts) // across) * high - _GAP
        sheet = Image.new("RGB", size, _BETWEEN)
        for place, part in enumerate(parts):
            sheet.paste(part, (place % across * wide, place // across * high))
        return np.asarray(sheet)


def look(recorded: Recorded, record: EpisodeRecord, moment: int) -> Shown:
    """One observation as it is shown: a picture, a text, or numbers.

    Raises:
        DataError: If there is no such moment, or it cannot be read.
    """
    return drawing(recorded.observation_space)[0](recorded.observation(record, moment))


def film_of(recorded: Recorded, record: EpisodeRecord) -> Film | None:
    """What was seen or, where that is no picture, pictures recorded beside it.

    Raises:
        DataError: If the episode cannot be read.
    """
    if _is_picture(look(recorded, record, 0)):
        return Film(record.rows, lambda moment: _picture(look(recorded, record, moment)))
    beside = [spec for spec in recorded.extras(record) if spec.path == (_FRAMES,)]
    if not beside or beside[0].dtype != "uint8" or len(beside[0].shape) != 3 or record.rows < 2:
        return None

    def frame(moment: int) -> np.ndarray:
        (row,) = recorded.rows(record, beside[0], moment + 1, moment + 2)
        return _picture(frame_of(np.asarray(row)))

    return Film(record.rows - 1, frame)


def _is_picture(shown: Shown | None) -> bool:
    return isinstance(shown, np.ndarray) and shown.ndim == 3


def _picture(shown: Shown | None) -> np.ndarray:
    if not isinstance(shown, np.ndarray) or not _is_picture(shown) or not shown.size:
        raise DataError("this moment has no picture")
    return np.ascontiguousarray(shown)


def _fitted(picture: np.ndarray) -> Image.Image:
    """As high as a strip, and at most three times as wide as high."""
    high, wide, _ = picture.shape
    size = min(3 * _SIDE, max(1, round(_SIDE * wide / high))), _SIDE
    return Image.fromarray(picture).resize(size, Image.Resampling.NEAREST)

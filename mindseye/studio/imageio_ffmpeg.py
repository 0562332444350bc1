"""Films in H.264, by the encoder that comes with imageio-ffmpeg."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np


def encode(frames: Sequence[np.ndarray], rate: float) -> bytes:
    """Frames, each uint8 (height, width, 3) with even sides, as the bytes of an MP4."""
    high, wide = frames[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        writer: Any = imageio_ffmpeg.write_frames(  # type: ignore[attr-defined]
            str(path), (wide, high), fps=round(rate), macro_block_size=2
        )
        writer.send(None)
        for frame in frames:
            writer.send(np.ascontiguousarray(frame))
        writer.close()
        return path.read_bytes()

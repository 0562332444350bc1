"""Colours of pictures."""

import numpy as np

NAMES = ("red", "green", "blue", "purple", "yellow", "grey")
"""In MiniGrid's order."""

PALETTE = np.array(
    [(230, 40, 40), (40, 200, 60), (50, 90, 240), (150, 60, 200), (240, 220, 50), (120, 120, 120)],
    np.uint8,
)
"""RGB, one row per name."""


def enlarge(cells: np.ndarray, scale: int) -> np.ndarray:
    """Every cell of images (rows, height, width, 3) as a square of `scale` pixels."""
    return np.repeat(np.repeat(cells, scale, axis=1), scale, axis=2)

"""Colours of pictures."""

import numpy as np

NAMES = ("red", "green", "blue", "purple", "yellow", "grey")
"""In MiniGrid's order."""

PALETTE = np.array(
    [(230, 40, 40), (40, 200, 60), (50, 90, 240), (150, 60, 200), (240, 220, 50), (120, 120, 120)],
    np.uint8,
)
"""RGB, one row per name."""

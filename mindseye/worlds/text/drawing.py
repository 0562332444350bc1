"""Texts as pictures, for people."""

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

_WIDTH, _HEIGHT, _LINE, _LETTERS = 320, 160, 12, 52


def draw(texts: Sequence[str]) -> np.ndarray:
    """Dark letters on a light page: uint8, shape (rows, 160, 320, 3); what is too long is cut."""
    pages = []
    for text in texts:
        page = Image.new("RGB", (_WIDTH, _HEIGHT), (245, 243, 235))
        lines = [part for line in text.splitlines() for part in textwrap.wrap(line, _LETTERS)]
        pen = ImageDraw.Draw(page)
        for number, line in enumerate(lines):
            pen.text((6, 4 + number * _LINE), line, fill=(40, 40, 50))
        pages.append(np.asarray(page))
    return np.stack(pages)

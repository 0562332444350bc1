"""What a shop sells: products made up from a seed, the same for all who shop there."""

from dataclasses import dataclass

import numpy as np

from mindseye.core.errors import ConfigError

KINDS = (
    "shirt", "scarf", "hat", "coat", "bag", "towel", "blanket", "curtain", "cushion", "belt",
)  # fmt: skip
COLOURS = ("red", "blue", "green", "black", "white")
MATERIALS = ("cotton", "wool", "linen", "leather")
SIZES = ("small", "medium", "large")
PRICES = tuple(range(10, 65, 5))
SHOWN = 4
"""Products on a page of results: the cheapest."""


@dataclass(frozen=True)
class Catalogue:
    """Products, one row each; an item's number is its row + 1."""

    kind: np.ndarray
    colour: np.ndarray
    material: np.ndarray
    """int64 places in the lists above, shape (products,)."""
    price: np.ndarray
    """int64, shape (products,)."""
    sizes: np.ndarray
    """bool, shape (products, sizes): which there are."""
    results: np.ndarray
    """int64 (kinds, colours + 1, SHOWN): products found by "COLOUR KIND", or by "KIND" in the last
    column; −1 where there are no more."""

    def words(self, product: int) -> str:
        """Such as "red cotton shirt"."""
        return f"{self.look(product)} {KINDS[self.kind[product]]}"

    def look(self, product: int) -> str:
        """Such as "red cotton"."""
        return f"{COLOURS[self.colour[product]]} {MATERIALS[self.material[product]]}"


def catalogue(seed: int, num_products: int) -> Catalogue:
    """Products of all kinds and colours in like numbers, each kind of two materials.

    Raises:
        ConfigError: If there are too few for every kind and colour, or more than three digits name.
    """
    cells = len(KINDS) * len(COLOURS)
    if not cells <= num_products <= 999:
        raise ConfigError(f"shop: expected {cells} to 999 products, got {num_products}")
    rng = np.random.default_rng(seed)
    cell = rng.permutation(np.arange(num_products) % cells)
    kind, colour = cell // len(COLOURS), cell % len(COLOURS)
    pairs = np.stack([rng.permutation(len(MATERIALS))[:2] for _ in KINDS])
    material = pairs[kind, rng.integers(2, size=num_products)]
    price = np.array(PRICES)[rng.integers(len(PRICES), size=num_products)]
    sizes = np.ones((num_products, len(SIZES)), bool)
    sizes[np.arange(num_products), rng.integers(len(SIZES), size=num_products)] = False
    results = np.full((len(KINDS), len(COLOURS) + 1, SHOWN), -1)
    for k in range(len(KINDS)):
        for c in range(len(COLOURS) + 1):
            is_match = (kind == k) & ((colour == c) | (c == len(COLOURS)))
            found = np.flatnonzero(is_match)
            found = found[np.argsort(price[found], kind="stable")][:SHOWN]
            results[k, c, : len(found)] = found
    return Catalogue(kind, colour, material, price, sizes, results)

"""A scripted customer of `text/shop`, who reads pages as anyone would."""

import re

import numpy as np

from mindseye.core.protocols import Agent
from mindseye.core.spaces import commands
from mindseye.core.tree import Tree

_TASK = re.compile(r"Task: buy a (\w+) (\w+) (\w+)(?:, (\w+))?(?:, for at most (\d+))?\.")
_OFFER = re.compile(r"(\d+) (\w+) (\w+) (\d+)[;.]")
_PRODUCT = re.compile(r"Item (\d+): .* Sizes: ([\w, ]+)\. Chosen: (\w+)\.")


class ScriptedShopper(Agent):
    """Searches by colour, looks at what fits and was not looked at, chooses the size, buys.

    Args:
        noise: Probability of saying anything that is listed instead.
        seed: Of its own generator.
    """

    def __init__(self, *, noise: float = 0.0, seed: int = 0):
        self.noise, self._rng = noise, np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Items looked at so far, a tuple per row."""
        return [()] * batch_size

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """What the script says, or chance."""
        said, remembered = [], []
        for text, seen in zip(observation, memory, strict=True):
            listed = commands(text)
            found = _PRODUCT.search(text)
            said.append(_next(text, seen, listed))
            if self._rng.random() < self.noise:
                said[-1] = listed[int(self._rng.integers(len(listed)))]
            remembered.append((*seen, found[1]) if found else seen)
        return said, remembered, {}


def _next(text: str, seen: tuple[str, ...], listed: list[str]) -> str:
    task = _TASK.match(text)
    if task is None:
        return listed[-1]
    colour, material, kind, size, limit = task.groups()
    if f"search {kind}" in listed:
        return f"search {colour} {kind}"
    page = text.split("\n", 1)[1]
    product = _PRODUCT.search(page)
    if product:
        if size is None or product[3] == size:
            return "buy"
        return f"choose {size}" if f"choose {size}" in listed else "back"
    for item, its_colour, its_material, price in _OFFER.findall(page):
        is_fit = its_colour == colour and its_material == material
        if item not in seen and is_fit and (limit is None or int(price) <= int(limit)):
            return f"click {item}"
    return listed[-1]

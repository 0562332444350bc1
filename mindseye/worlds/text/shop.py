"""A shop in words: search, look at products, choose a size, buy the right one.

Pages after WebShop's, a catalogue made up from a seed. Only buying is paid for: 1 if what is bought
is all that was asked for, and 0 if not.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from gymnasium.spaces import MultiDiscrete, Space

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words, with_commands
from mindseye.core.tree import Tree
from mindseye.worlds.rules import Draws, Rules
from mindseye.worlds.text.catalogue import (
    COLOURS,
    KINDS,
    MATERIALS,
    PRICES,
    SIZES,
    Catalogue,
)
from mindseye.worlds.text.drawing import draw

SEARCH, RESULTS, PRODUCT, BOUGHT = range(4)
"""Pages."""
BACK, BUY, LOOK = "back", "buy", "look"
_NONE = -1
_UNKNOWN, _SEARCHES, _CLICKS, _CHOOSES, _BACKS, _BUYS, _LOOKS = range(7)
KIND, COLOUR, MATERIAL, SIZE, LIMIT = range(5)
"""Columns of a goal."""


@dataclass(frozen=True)
class ShopState:
    """Everything there is, one row per world."""

    goal: np.ndarray
    """int64, shape (rows, 5): kind, colour, material, size and highest price; −1: any."""
    page: np.ndarray
    """int64, shape (rows,)."""
    query: np.ndarray
    """int64, shape (rows, 2): kind and colour last searched for; the number of colours: any."""
    item: np.ndarray
    """int64 product looked at or bought, −1: none, shape (rows,)."""
    chosen: np.ndarray
    """int64 size, −1: none, shape (rows,)."""
    failed: np.ndarray
    """bool: the last command could not be followed, shape (rows,)."""


class Shop(Rules):
    """Buy what the task asks for.

    Observations:
        text: the task, the page, and what can be done.
        symbols: int64, goal, page, query, item, chosen and failed, each raised by one.

    Args:
        catalogue: What is sold.
        difficulty: 1: kind, colour and material matter; 2: the price, too; 3: the size, too.
        observation: The face. Actions are words in both.
        max_steps: Steps until an episode is truncated.

    Raises:
        ConfigError: If there is no such difficulty or face.

    Source: after WebShop (Yao et al. 2022, arXiv 2207.01206), far smaller.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        difficulty: int = 3,
        observation: Literal["text", "symbols"] = "text",
        max_steps: int = 12,
    ):
        if difficulty not in (1, 2, 3):
            raise ConfigError(f"shop: expected a difficulty of 1, 2 or 3, got {difficulty}")
        if observation not in ("text", "symbols"):
            raise ConfigError(f"shop: no observation {observation!r}; choose text or symbols")
        self.catalogue, self.difficulty, self.max_steps = catalogue, difficulty, max_steps
        self._is_text = observation == "text"
        count, any_colour = len(catalogue.kind), len(COLOURS)
        self._wanted = np.unique(catalogue.results[:, :any_colour][catalogue.results[:, :-1] >= 0])
        self._codes: dict[str, tuple[int, int, int]] = {
            BACK: (_BACKS, 0, 0), BUY: (_BUYS, 0, 0), LOOK: (_LOOKS, 0, 0),
        }  # fmt: skip
        for k in range(len(KINDS)):
            for c in range(any_colour + 1):
                self._codes[_searching(k, c)] = (_SEARCHES, k, c)
        self._codes |= {f"click {i + 1}": (_CLICKS, i, 0) for i in range(count)}
        self._codes |= {f"choose {size}": (_CHOOSES, i, 0) for i, size in enumerate(SIZES)}
        numbers = [
            *(len(KINDS), len(COLOURS), len(MATERIALS), len(SIZES), PRICES[-1] + 1),
            *(4, len(KINDS), any_colour + 1, count, len(SIZES), 2),
        ]
        self.observation_space: Space = (
            Words() if self._is_text else MultiDiscrete(np.array(numbers) + 1)
        )
        self.action_space = Words()
        self._told = lru_cache(maxsize=1 << 16)(self._describe)

    def start(self, draws: Draws) -> ShopState:
        """The search page, and a task that at least one product fulfils."""
        rows, goods = len(draws.keys), self.catalogue
        product = self._wanted[draws.integers(len(self._wanted), 1)[:, 0]]
        luck = draws.uniform(len(SIZES) + 1, use=1)
        size = np.where(goods.sizes[product], luck[:, : len(SIZES)], -1.0).argmax(1)
        limit = np.minimum(goods.price[product] + 5 * (luck[:, -1] * 3).astype(int), PRICES[-1])
        none = np.full(rows, _NONE)
        goal = [goods.kind[product], goods.colour[product], goods.material[product]]
        goal += [size if self.difficulty > 2 else none, limit if self.difficulty > 1 else none]
        return ShopState(
            goal=np.stack(goal, 1),
            page=np.full(rows, SEARCH),
            query=np.full((rows, 2), _NONE),
            item=none.copy(),
            chosen=none.copy(),
            failed=np.zeros(rows, bool),
        )

    def transition(
        self, state: ShopState, action: list[str], draws: Draws
    ) -> tuple[ShopState, np.ndarray, np.ndarray]:
        """Follow the commands that the pages offer."""
        codes = np.array([self._codes.get(said, (_UNKNOWN, 0, 0)) for said in action])
        verb, first = codes[:, 0], codes[:, 1]
        page, goods, rows = state.page, self.catalogue, np.arange(len(codes))
        shown = goods.results[state.query[:, 0], state.query[:, 1]]
        offered = goods.sizes[state.item][rows, np.minimum(first, len(SIZES) - 1)]
        searches = (verb == _SEARCHES) & (page == SEARCH) & (first == state.goal[:, KIND])
        clicks = (verb == _CLICKS) & (page == RESULTS) & (shown == first[:, None]).any(1)
        chooses = (verb == _CHOOSES) & (page == PRODUCT) & offered
        backs = (verb == _BACKS) & ((page == RESULTS) | (page == PRODUCT))
        buys = (verb == _BUYS) & (page == PRODUCT)
        looks = (verb == _LOOKS) & (page == BOUGHT)
        after = ShopState(
            goal=state.goal,
            page=np.select(
                [searches, clicks, buys, backs], [RESULTS, PRODUCT, BOUGHT, SEARCH], page
            ),
            query=np.where(
                searches[:, None], codes[:, 1:], np.where(backs[:, None], _NONE, state.query)
            ),
            item=np.where(clicks, first, np.where(backs, _NONE, state.item)),
            chosen=np.where(chooses, first, np.where(clicks | backs, _NONE, state.chosen)),
            failed=~(searches | clicks | chooses | backs | buys | looks),
        )
        return after, (buys & self.fits(state)).astype(np.float32), after.page == BOUGHT

    def fits(self, state: ShopState) -> np.ndarray:
        """Whether buying now would be right: bool, shape (rows,)."""
        goods, item, goal = self.catalogue, state.item, state.goal
        right = (item >= 0) & (goods.kind[item] == goal[:, KIND])
        right &= goods.colour[item] == goal[:, COLOUR]
        right &= goods.material[item] == goal[:, MATERIAL]
        right &= (goal[:, SIZE] == _NONE) | (goal[:, SIZE] == state.chosen)
        return right & ((goal[:, LIMIT] == _NONE) | (goods.price[item] <= goal[:, LIMIT]))

    def observe(self, state: ShopState) -> Tree:
        """As the chosen face shows it."""
        return self._texts(state) if self._is_text else self._numbers(state) + 1

    def measure(self, state: ShopState) -> dict[str, np.ndarray]:
        """`failed`: whether the last command could not be followed."""
        return {"failed": state.failed.astype(np.float32)}

    def picture(self, state: ShopState) -> np.ndarray:
        """The page in letters."""
        return draw(self._texts(state))

    def _texts(self, state: ShopState) -> list[str]:
        return [self._told(*row) for row in self._numbers(state).tolist()]

    def _numbers(self, state: ShopState) -> np.ndarray:
        columns = (state.page, state.query, state.item, state.chosen, state.failed)
        parts = [column.reshape(len(state.page), -1) for column in columns]
        return np.concatenate([state.goal, *parts], 1)

    def _describe(
        self, kind: int, colour: int, material: int, size: int, limit: int, page: int,
        asked_kind: int, asked_colour: int, item: int, chosen: int, failed: int,
    ) -> str:  # fmt: skip
        goods = self.catalogue
        wanted = f"{COLOURS[colour]} {MATERIALS[material]} {KINDS[kind]}"
        details = [wanted] + ([] if size == _NONE else [SIZES[size]])
        details += [] if limit == _NONE else [f"for at most {limit}"]
        lines = [f"Task: buy a {', '.join(details)}."]
        if failed:
            lines.append("Nothing happens.")
        if page == SEARCH:
            lines.append("You are at the search page.")
            can = [_searching(kind, c) for c in range(len(COLOURS) + 1)]
        elif page == RESULTS:
            shown = goods.results[asked_kind, asked_colour]
            shown = shown[shown >= 0].tolist()
            told = [f"{i + 1} {goods.look(i)} {goods.price[i]}" for i in shown]
            query = _searching(asked_kind, asked_colour).removeprefix("search ")
            lines.append(f"Results for {query}: {'; '.join(told)}.")
            can = [*(f"click {i + 1}" for i in shown), BACK]
        elif page == PRODUCT:
            there = [
                name for name, is_there in zip(SIZES, goods.sizes[item], strict=True) if is_there
            ]
            taken = "none" if chosen == _NONE else SIZES[chosen]
            lines.append(
                f"Item {item + 1}: {goods.words(item)}, {goods.price[item]}."
                f" Sizes: {', '.join(there)}. Chosen: {taken}."
            )
            can = [*(f"choose {name}" for name in there), BUY, BACK]
        else:
            lines.append(f"You bought item {item + 1}.")
            can = [LOOK]
        return with_commands("\n".join(lines), can)


def _searching(kind: int, colour: int) -> str:
    named = KINDS[kind] if colour == len(COLOURS) else f"{COLOURS[colour]} {KINDS[kind]}"
    return f"search {named}"

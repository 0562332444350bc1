"""A land in words."""

from collections.abc import Sequence

import numpy as np


def describe(
    views: np.ndarray,
    names: Sequence[str],
    player: int,
    below: np.ndarray,
    items: np.ndarray,
    item_names: Sequence[str],
    vitals: np.ndarray | None,
) -> list[str]:
    """One text per row: the nearest of everything seen, what is held, how one feels.

    Args:
        views: Codes, shape (rows, side, side).
        names: Of the codes.
        player: Code of the player.
        below: Code of what the player stands on, shape (rows,).
        items: Counts, shape (rows, items).
        item_names: Of the items.
        vitals: Health, food and drink, shape (rows, 3); None: not worth a word.
    """
    told = []
    for row, view in enumerate(views):
        parts = [surroundings(view, names, player)]
        if below[row]:
            parts.append(f"You stand on {names[below[row]]}.")
        parts.append(hands(items[row], item_names))
        if vitals is not None:
            health, food, drink = vitals[row].tolist()
            parts.append(f"Health {health}, food {food}, drink {drink}.")
        told.append(" ".join(parts))
    return told


def surroundings(view: np.ndarray, names: Sequence[str], player: int) -> str:
    """The nearest of everything seen from the player, nearest first.

    Args:
        view: Codes, shape (height, width); 0 is open ground and not worth a word.
        names: Of the codes.
        player: Code of the player, who is in view.
    """
    (y,), (x,) = (places[:1] for places in np.nonzero(view == player))
    seen = []
    for code in np.unique(view):
        if code in (0, player):
            continue
        down, right = (
            places - here for places, here in zip(np.nonzero(view == code), (y, x), strict=True)
        )
        nearest = np.argmin(np.abs(down) + np.abs(right))
        steps = int(abs(down[nearest]) + abs(right[nearest]))
        seen.append((steps, f"{names[code]} {_where(int(down[nearest]), int(right[nearest]))}"))
    if not seen:
        return f"You see nothing but {names[0]}."
    return f"You see {', '.join(words for _, words in sorted(seen))}."


def _where(down: int, right: int) -> str:
    vertical = f"{abs(down)} {'down' if down > 0 else 'up'}" if down else ""
    across = f"{abs(right)} {'right' if right > 0 else 'left'}" if right else ""
    return " and ".join(part for part in (vertical, across) if part)


def hands(counts: np.ndarray, names: Sequence[str]) -> str:
    """What is held, and how much of it."""
    held = [f"{count} {name}" for count, name in zip(counts.tolist(), names, strict=True) if count]
    return f"You hold {', '.join(held)}." if held else "You hold nothing."

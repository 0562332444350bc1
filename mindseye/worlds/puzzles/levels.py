"""Levels of Sokoban with one box, laid out once, each with the number of steps that solve it."""

from functools import cache

import numpy as np

from mindseye.worlds.grids.moves import walk

POOL_SIZE = 1024
"""Different levels per size and longest solution."""
NEVER = 255
_BATCH = 256


@cache
def levels(size: int, longest: int) -> tuple[np.ndarray, ...]:
    """Walls (bool, (levels, size²)), goals, players and boxes (int64, (levels,)).

    A frame of walls, some walls inside, and start places drawn among those that are solved in 2 to
    `longest` steps.
    """
    rng, found, many = np.random.default_rng(20250925), [], 0
    while many < POOL_SIZE:
        is_wall, goal = _layouts(rng, size)
        steps = solutions(is_wall, goal, longest)
        may = (steps >= 2) & (steps <= longest)
        may[np.arange(_BATCH), goal] = False
        may[:, np.arange(size**2), np.arange(size**2)] = False
        # starts of every length are wanted, and most of them are short
        pick = (may * (rng.random(may.shape) + 0.05 * steps)).reshape(_BATCH, -1).argmax(axis=1)
        fits = may.any(axis=(1, 2))
        player, box = np.divmod(pick, size * size)
        found.append([is_wall[fits], goal[fits], player[fits], box[fits]])
        many += int(fits.sum())
    return tuple(np.concatenate(parts)[:POOL_SIZE] for parts in zip(*found, strict=True))


def solutions(is_wall: np.ndarray, goal: np.ndarray, most: int = NEVER - 1) -> np.ndarray:
    """Steps to bring the box home, uint8 (levels, player cells, box cells).

    `NEVER` where it cannot be done in `most` steps.

    Every state looks at where its four moves lead until nothing changes: breadth first, backwards,
    for all levels at once.
    """
    rows, cells = is_wall.shape
    nexts = [followers(move, int(np.sqrt(cells))) for move in range(4)]
    is_possible = ~is_wall[:, :, None] & ~is_wall[:, None, :]
    steps = np.full((rows, cells, cells), NEVER, np.uint8)
    steps[np.arange(rows), :, goal] = 0
    steps[~is_possible] = NEVER
    for _ in range(most):
        best = np.minimum.reduce([steps[:, player, box] for player, box in nexts])
        closer = np.where(is_possible & (best != NEVER), np.minimum(steps, best + 1), steps)
        if (closer == steps).all():
            break
        steps = closer
    return steps


@cache
def followers(move: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where player and box would be after a move if there were no walls: (cells, cells) each.

    A box against the frame stays, and so does whoever pushes it; states with both on one cell lead
    nowhere.
    """
    cells = np.arange(size * size)
    player, box = np.meshgrid(cells, cells, indexing="ij")
    there = walk(cells, np.full(len(cells), move + 1), size)
    pushes = (there[player] == box) & (there[player] != player)
    stuck = pushes & (there[box] == box)
    moved = np.where(stuck, player, there[player])
    return moved, np.where(pushes & ~stuck, there[box], box)


def _layouts(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    is_wall = np.ones((_BATCH, size, size), bool)
    inside = (_BATCH, size - 2, size - 2)
    is_wall[:, 1:-1, 1:-1] = rng.random(inside) < rng.uniform(0, 0.35, (_BATCH, 1, 1))
    is_wall = is_wall.reshape(_BATCH, -1)
    goal = np.argmax(~is_wall * (rng.random(is_wall.shape) + 1), axis=1)
    is_wall[np.arange(_BATCH), goal] = False
    return is_wall, goal

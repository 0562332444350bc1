"""The levels: for each a few lines that lay out many starts at once.

Laying out is slow next to stepping, so every level has a pool of starts, built once when first
needed; an episode's random numbers pick one. A `Level` is made once per set of options.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from mindseye.core.errors import ConfigError
from mindseye.worlds.grids.colours import NAMES as COLOURS
from mindseye.worlds.grids.dynamics import GridState, Level
from mindseye.worlds.grids.objects import EMPTY, GOAL, LAVA, SCREENS, WALL, code

POOL_SIZE = 4096
PHRASES = ("get a {}", "go get a {}", "fetch a {}", "go fetch a {}", "you must fetch a {}")


@cache
def pool(generate: Callable[[np.random.Generator, int], GridState]) -> GridState:
    """`POOL_SIZE` starts of a level's `generate`, the same on every machine."""
    return generate(np.random.default_rng(20221030), POOL_SIZE)


@cache
def empty(size: int = 8, random_start: bool = False) -> Level:
    """A bare room with the goal in the far corner."""

    def generate(rng: np.random.Generator, count: int) -> GridState:
        board = _room(count, size, size)
        board[:, size - 2, size - 2] = GOAL
        state = _state(board, np.full(count, size + 1))
        if random_start:
            state.position[:] = _choose(rng, board == EMPTY, 1)[:, 0]
            state.direction[:] = rng.integers(0, 4, count)
        return state

    return Level("empty", _checked(size, 4), size, 4 * size**2, generate)


@cache
def door_key(size: int = 6) -> Level:
    """A key opens the door to the room with the goal."""

    def generate(rng: np.random.Generator, count: int) -> GridState:
        board, rows = _room(count, size, size), np.arange(count)
        board[:, size - 2, size - 2] = GOAL
        split = rng.integers(2, size - 2, count)
        board[rows, :, split] = WALL
        board[rows, rng.integers(1, size - 2, count), split] = code("door", "yellow", "locked")
        near = (board == EMPTY) & (np.arange(size) < split[:, None, None])
        agent, key = _choose(rng, near, 2).T
        board.reshape(count, -1)[rows, key] = code("key", "yellow")
        return _state(board, agent, rng.integers(0, 4, count))

    return Level("door-key", _checked(size, 5), size, 10 * size**2, generate)


@cache
def four_rooms(size: int = 19) -> Level:
    """Four rooms with a gap in each wall between them; start and goal anywhere."""

    def generate(rng: np.random.Generator, count: int) -> GridState:
        board = _four_rooms(rng, count, size)
        agent, goal = _choose(rng, board == EMPTY, 2).T
        board.reshape(count, -1)[np.arange(count), goal] = GOAL
        return _state(board, agent, rng.integers(0, 4, count))

    return Level("four-rooms", _checked(size, 7), size, 100, generate)


@cache
def noisy_tv(size: int = 11) -> Level:
    """Four rooms, and in the outer wall of the first one a television full of noise."""

    def generate(rng: np.random.Generator, count: int) -> GridState:
        board, half = _four_rooms(rng, count, size), size // 2
        first = (np.arange(size) < half)[:, None] & (np.arange(size) < half)
        agent = _choose(rng, (board == EMPTY) & first, 1)[:, 0]
        goal = _choose(rng, (board == EMPTY) & ~first, 1)[:, 0]
        along = rng.integers(1, half, count)
        screen = np.where(rng.random(count) < 0.5, along, along * size)
        cells, rows = board.reshape(count, -1), np.arange(count)
        cells[rows, goal], cells[rows, screen] = GOAL, SCREENS[0]
        return _state(board, agent, rng.integers(0, 4, count), screen=screen)

    steps = 4 * size**2
    return Level("noisy-tv", _checked(size, 7), size, steps, generate, has_screen=True)


@cache
def memory(size: int = 9) -> Level:
    """Look at the object in the first room, walk the hall, turn towards the same object.

    The agent starts in front of the object with its back to the hall, so that it never sees the
    object and the choice at once. MiniGrid starts it anywhere in the hall instead.
    """

    def generate(rng: np.random.Generator, count: int) -> GridState:
        board, middle, end = _room(count, size, size), size // 2, size - 3
        board[:, [middle - 2, middle + 2], 1:5] = WALL
        board[:, [middle - 1, middle + 1], 4:end] = WALL
        board[:, :, [end, end + 2]] = WALL
        board[:, middle, end] = EMPTY
        kinds = np.array([code("key", "green"), code("ball", "green")], np.uint8)
        shown, above = rng.integers(0, 2, (2, count))
        board[:, middle - 1, 1] = kinds[shown]
        board[:, middle - 2, end + 1] = kinds[above]
        board[:, middle + 2, end + 1] = kinds[1 - above]
        up, down = (middle - 1) * size + end + 1, (middle + 1) * size + end + 1
        right = np.where(shown == above, up, down)
        agent = np.full(count, middle * size + 2)
        return _state(board, agent, np.full(count, 2), right=right, wrong=up + down - right)

    if size % 2 == 0:
        raise ConfigError(f"memory: expected an odd size, got {size}; the hall needs a middle")
    return Level(
        "memory", _checked(size, 7), size, 5 * size**2, generate,
        wants_place=True, can_carry=False,
    )  # fmt: skip


@cache
def lava_gap(size: int = 7, is_lava_deadly: bool = True) -> Level:
    """A strip of lava with one gap lies before the goal. Each step in lava costs 1."""

    def generate(rng: np.random.Generator, count: int) -> GridState:
        board, rows = _room(count, size, size), np.arange(count)
        board[:, size - 2, size - 2] = GOAL
        column = rng.integers(2, size - 2, count)
        board[rows, 1:-1, column] = LAVA
        board[rows, rng.integers(1, size - 1, count), column] = EMPTY
        return _state(board, np.full(count, size + 1))

    return Level(
        "lava-gap", _checked(size, 5), size, 4 * size**2, generate,
        has_lava=True, is_lava_deadly=is_lava_deadly,
    )  # fmt: skip


@cache
def fetch(size: int = 8, num_objects: int = 3) -> Level:
    """Keys and balls lie about; pick up the one the mission names, and no other."""

    def generate(rng: np.random.Generator, count: int) -> GridState:
        board, rows = _room(count, size, size), np.arange(count)
        kinds = np.array([[code(k, c) for c in COLOURS] for k in ("key", "ball")], np.uint8)
        things = kinds.ravel()[rng.integers(0, kinds.size, (count, num_objects))]
        places = _choose(rng, board == EMPTY, num_objects + 1)
        board.reshape(count, -1)[rows[:, None], places[:, 1:]] = things
        state = _state(board, places[:, 0], rng.integers(0, 4, count))
        state.target[:] = things[rows, rng.integers(0, num_objects, count)]
        state.phrase[:] = rng.integers(0, len(PHRASES), count)
        return state

    if not 1 <= num_objects < (size - 2) ** 2:
        raise ConfigError(f"fetch: {num_objects} objects do not fit beside the agent; change them")
    return Level("fetch", _checked(size, 4), size, 5 * size**2, generate, wants_object=True)


def _checked(size: int, least: int) -> int:
    if not least <= size <= 25:
        raise ConfigError(f"grid: expected a size from {least} to 25, got {size}")
    return size


def _room(count: int, width: int, height: int) -> np.ndarray:
    board = np.full((count, height, width), EMPTY, np.uint8)
    board[:, [0, -1]] = WALL
    board[:, :, [0, -1]] = WALL
    return board


def _four_rooms(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    board, rows, half = _room(count, size, size), np.arange(count), size // 2
    board[:, half] = WALL
    board[:, :, half] = WALL
    for low, high in ((1, half), (half + 1, size - 1)):
        board[rows, rng.integers(low, high, count), half] = EMPTY
        board[rows, half, rng.integers(low, high, count)] = EMPTY
    return board


def _choose(rng: np.random.Generator, free: np.ndarray, count: int) -> np.ndarray:
    """Different free cells, uniformly, shape (boards, count)."""
    order = np.where(free, rng.random(free.shape), 2.0).reshape(len(free), -1)
    return np.argsort(order, axis=1)[:, :count]


def _state(
    board: np.ndarray,
    position: np.ndarray,
    direction: np.ndarray | None = None,
    *,
    right: np.ndarray | None = None,
    wrong: np.ndarray | None = None,
    screen: np.ndarray | None = None,
) -> GridState:
    count = len(board)
    nowhere = np.full(count, -1)
    bytes_, zeros = np.zeros(count, np.uint8), np.zeros(count, np.int64)
    return GridState(
        cells=np.concatenate(
            [board.reshape(count, -1), np.full((count, 1), WALL, np.uint8)], axis=1
        ),
        position=position.astype(np.int64),
        direction=zeros.copy() if direction is None else direction,
        carried=bytes_.copy(),
        steps=zeros.copy(),
        target=bytes_.copy(),
        phrase=bytes_.copy(),
        right_cell=nowhere.copy() if right is None else right,
        wrong_cell=nowhere.copy() if wrong is None else wrong,
        screen=nowhere.copy() if screen is None else screen,
    )

"""What spaces and their choices are called, for people."""

from collections.abc import Sequence

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.spaces import Words
from mindseye.experience.schema import leaf_spaces

_MINIGRID = ("turn left", "turn right", "forward", "pick up", "drop", "toggle", "done")
_MOST_PARTS = 8


def action_names(world: str, space: gymnasium.Space) -> Sequence[str]:
    """Names of a world's choices, in order; none where they are not known.

    Args:
        world: Its registered name.
        space: Of its actions.
    """
    is_grid = world.startswith(("MiniGrid", "BabyAI", "grid/"))
    return _MINIGRID if is_grid and space == spaces.Discrete(7) else ()


def space_told(space: gymnasium.Space) -> str:
    """A space in a few words, such as "image: 7 × 7 × 3 whole numbers; direction: one of 4"."""
    parts = [(".".join(map(str, path)), _told(leaf)) for path, leaf in leaf_spaces(space)]
    told = [f"{name}: {what}" if name else what for name, what in parts[:_MOST_PARTS]]
    return "; ".join([*told, "…"] if len(parts) > _MOST_PARTS else told)


def _told(space: gymnasium.Space) -> str:
    if isinstance(space, Words):
        return "text"
    if isinstance(space, spaces.Discrete):
        return f"one of {space.n}"
    size = " × ".join(map(str, space.shape or (1,)))
    if isinstance(space, spaces.MultiBinary):
        return f"{size} bits"
    if isinstance(space, spaces.MultiDiscrete):
        return f"{size} choices"
    return f"{size} {'numbers' if np.dtype(space.dtype).kind == 'f' else 'whole numbers'}"

"""Dreams under a Gymnasium id, for code that only knows `gymnasium.make`.

gymnasium.make("mindseye/Dream-v0", model=model, starts=starts, horizon=50)
gymnasium.make_vec("mindseye/Dream-v0", num_envs=64, model=model, starts=starts, horizon=50)
"""

import gymnasium
from gymnasium.vector import AutoresetMode, VectorEnv

from mindseye.core.protocols import WorldModel
from mindseye.worlds.dream import DreamWorld
from mindseye.worlds.starts import Starts
from mindseye.worlds.views import AutoresetView, SingleView

DREAM_ID = "mindseye/Dream-v0"


def register_dream() -> None:
    """Make the id known; once is enough."""
    if DREAM_ID not in gymnasium.registry:
        gymnasium.register(
            DREAM_ID,
            entry_point=single_dream,  # type: ignore[arg-type]
            vector_entry_point=vector_dream,  # type: ignore[arg-type]
            order_enforce=False,
        )


def single_dream(
    *,
    model: WorldModel,
    starts: Starts,
    horizon: int,
    max_uncertainty: float | None = None,
    seed: int = 0,
) -> gymnasium.Env:
    """One dream as a plain environment; arguments as of `DreamWorld`."""
    return SingleView(
        DreamWorld(
            model, 1, starts=starts, horizon=horizon, max_uncertainty=max_uncertainty, seed=seed
        )
    )


def vector_dream(
    *,
    num_envs: int,
    model: WorldModel,
    starts: Starts,
    horizon: int,
    max_uncertainty: float | None = None,
    seed: int = 0,
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
) -> VectorEnv:
    """A batch of dreams; NEXT_STEP unless asked, as Gymnasium's own vectorisers."""
    dream = DreamWorld(
        model, num_envs, starts=starts, horizon=horizon, max_uncertainty=max_uncertainty, seed=seed
    )
    mode = AutoresetMode(autoreset_mode)
    return dream if mode is AutoresetMode.DISABLED else AutoresetView(dream, mode)

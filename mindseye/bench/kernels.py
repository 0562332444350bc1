"""What is timed. Each function gives one group: its candidates, the work of a call, the limit.

The first candidate of a group is ours. "limit" is what this machine can do at best for the same
work, measured beside it; other names are rivals.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from mindseye import ops
from mindseye.agents.planners import cem
from mindseye.core.episode import Episode, Origin
from mindseye.core.precision import has_fast_bfloat16
from mindseye.experience import Replay
from mindseye.experience.imagination import imagine
from mindseye.learners.imagination import ImaginationActorCritic
from mindseye.learners.model_fitting import ModelFitting
from mindseye.models.policy import PolicyHead
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.sizes import SIZES
from mindseye.worlds import DreamWorld, SerialWorlds
from mindseye.worlds.grids import build
from mindseye.worlds.starts import first_observations

SYMBOLS = spaces.Dict(
    {"view": spaces.MultiDiscrete(np.full((7, 7, 3), (11, 6, 3))), "direction": spaces.Discrete(4)}
)
PICTURE = spaces.Box(0, 255, (64, 64, 3), np.uint8)
ACTIONS = spaces.Discrete(7)


@dataclass(frozen=True)
class Group:
    """One benchmark: candidates by name, ours first."""

    unit: str
    work: float
    """Units done by one call."""
    calls: dict[str, Callable[[], object]]
    arithmetic: float | None = None
    """Floating-point operations per call, where these are the limit."""
    note: str = ""
    close: Callable[[], None] = field(default=lambda: None)


def _segments(space: spaces.Space, rows: int, steps: int) -> dict:
    def draw(leaf: spaces.Space) -> torch.Tensor:
        if isinstance(leaf, spaces.MultiDiscrete):
            return torch.stack([torch.randint(3, (rows, steps, 7, 7)) for _ in range(3)], -1)
        if isinstance(leaf, spaces.Discrete):
            return torch.randint(int(leaf.n), (rows, steps))
        return torch.randint(256, (rows, steps, *(leaf.shape or ())), dtype=torch.uint8)

    parts = space.spaces if isinstance(space, spaces.Dict) else None
    return {
        "observation": {k: draw(v) for k, v in parts.items()} if parts else draw(space),
        "action": torch.randint(7, (rows, steps)),
        "reward": torch.rand(rows, steps),
        "continuation": torch.ones(rows, steps),
        "is_first": torch.zeros(rows, steps, dtype=torch.bool),
        "mask": torch.ones(rows, steps),
    }


def _fit(space: spaces.Space, size: str, backbone: str, rows: int, steps: int) -> Group:
    model = LatentWorldModel(space, ACTIONS, backbone=backbone, **SIZES[size].arguments())  # type: ignore[arg-type]
    learner, batch = ModelFitting(model), _segments(space, rows, steps)
    count = sum(p.numel() for p in model.parameters())
    return Group(
        "sequences/s",
        rows,
        {"mindseye": lambda: learner.update(batch)},
        note=f"{count / 1e6:.1f} M parameters, {rows} x {steps} rows, {backbone}",
    )


def fit_symbols() -> Group:
    """World-model update, the default of `mindseye train`."""
    return _fit(SYMBOLS, "small", "gru", 32, 24)


def fit_rssm_1m() -> Group:
    """World-model update of a 64x64 RSSM with DreamerV3's 1M widths and strided convolutions."""
    return _fit(PICTURE, "1M", "rssm", 16, 64)


def fit_rssm_12m() -> Group:
    """The same with 12M widths, at a quarter of the length."""
    return _fit(PICTURE, "12M", "rssm", 16, 16)


def imagination() -> Group:
    """Actor-critic update in imagination, 256 starts x 15 steps, and its rollout alone."""
    model = LatentWorldModel(SYMBOLS, ACTIONS, **SIZES["small"].arguments())
    policy = PolicyHead(ACTIONS, features=model.num_features, units=256, layers=2)
    learner, state = ImaginationActorCritic(model, policy), model.initial(256)

    @torch.inference_mode()
    def roll() -> None:
        imagine(model, lambda x: policy(x).sample(), state, 15)

    calls = {"mindseye update": lambda: learner.update(state), "mindseye rollout": roll}
    return Group("imagined steps/s", 256 * 15, calls)


def replay() -> Group:
    """Sampling 16 x 64 rows of 64x64x3 pictures, beside the plain copy of as many bytes."""
    folder = tempfile.TemporaryDirectory()
    store = Replay(folder.name + "/r", PICTURE, ACTIONS)
    rng = np.random.default_rng(0)
    frames = rng.integers(256, size=(257, 64, 64, 3), dtype=np.uint8)
    for _ in range(32):
        store.add(
            [
                Episode(
                    frames,
                    rng.integers(7, size=256),
                    np.zeros(256, np.float32),
                    False,
                    True,
                    Origin("real", "bench"),
                )
            ]
        )
    flat = np.concatenate([frames] * 32)
    out = np.empty((16, 64, 64, 64, 3), np.uint8)

    def copy() -> None:
        for row, start in enumerate(rng.integers(len(flat) - 64, size=16)):
            out[row] = flat[start : start + 64]

    calls = {"mindseye": lambda: store.sample(16, 64, rng), "limit": copy}
    return Group("sequences/s", 16, calls, close=folder.cleanup)


class _Trivial(gymnasium.Env):
    observation_space = spaces.Box(-1, 1, (4,), np.float32)
    action_space = spaces.Discrete(4)
    seen = np.zeros(4, np.float32)

    def reset(self, *, seed=None, options=None):
        return self.seen, {}

    def step(self, action):
        return self.seen, 0.0, False, False, {}


def python_worlds() -> Group:
    """Stepping 8 empty Python environments, beside a bare loop and other vectorisers."""
    ours = SerialWorlds([_Trivial] * 8)
    theirs = gymnasium.vector.SyncVectorEnv([_Trivial] * 8)
    envs, actions = [_Trivial() for _ in range(8)], np.zeros(8, np.int64)
    ours.reset(seed=0)
    theirs.reset(seed=0)
    calls: dict[str, Callable[[], object]] = {
        "mindseye": lambda: ours.step(actions),
        "limit": lambda: [env.step(0) for env in envs],
        "gymnasium": lambda: theirs.step(actions),
    }
    try:
        from mindseye.bench.peers import dummy_worlds
    except ImportError:
        pass
    else:
        calls["stable-baselines3"] = dummy_worlds(_Trivial, 8, actions)
    return Group("steps/s", 8, calls)


def grid_pixels() -> Group:
    """Our door-key grid with 64x64 pictures, 64 worlds, resets included."""
    world = build("grid/door-key-6x6", 64, observation="pixels")
    world.reset(seed=0)
    rng = np.random.default_rng(0)
    actions = rng.integers(7, size=(256, 64))
    tick = 0

    def step() -> None:
        nonlocal tick
        tick += 1
        _, _, terminated, truncated, _ = world.step(actions[tick % 256])
        done = terminated | truncated
        if done.any():
            world.reset(options={"reset_mask": done})

    return Group("steps/s", 64, {"mindseye": step})


def dream_world() -> Group:
    """A dream of the default model as a world, 256 rows, observations decoded at every step."""
    model = LatentWorldModel(SYMBOLS, ACTIONS, **SIZES["small"].arguments()).eval()
    space = gymnasium.vector.utils.batch_space(SYMBOLS, 256)
    dream = DreamWorld(
        model,
        256,
        starts=lambda n, rng: first_observations(
            {k: v[:n] for k, v in space.sample().items()}, ACTIONS
        ),
        horizon=10**9,
        stochastic_end=False,
    )
    dream.reset(seed=0)
    actions = np.zeros(256, np.int64)
    state = model.initial(256)

    @torch.inference_mode()
    def bare() -> None:
        model.predict(model.imagine(state, torch.zeros(256, dtype=torch.long)))

    return Group("steps/s", 256, {"mindseye": lambda: dream.step(actions), "limit": bare})


def returns() -> Group:
    """λ-returns of 1,024 x 15 steps, beside two passes over the same memory."""
    reward, value = torch.randn(1024, 15), torch.randn(1024, 15)
    go, out = torch.full((1024, 15), 0.97), torch.empty(1024, 15)

    def passes() -> None:
        torch.add(reward, value, out=out)
        torch.mul(out, go, out=out)

    def ours() -> None:
        ops.lambda_return(reward, go, value, discount=0.99, lambda_=0.95)

    return Group("steps/s", 1024 * 15, {"mindseye": ours, "limit": passes})


def planning() -> Group:
    """CEM with 300 candidates x 12 steps x 5 rounds in the default model, one decision."""
    model = LatentWorldModel(SYMBOLS, ACTIONS, **SIZES["small"].arguments()).eval()
    state, planner = model.initial(1), cem(12, samples=300, iterations=5)
    return Group("model steps/s", 300 * 12 * 5, {"mindseye": lambda: planner.plan(model, state)})


def machine() -> Group:
    """This machine's own limits: a 1,024-cubed matrix product, in float32 and bfloat16."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    calls: dict[str, Callable[[], object]] = {"float32": lambda: a @ b}
    if has_fast_bfloat16():
        c, d = a.bfloat16(), b.bfloat16()
        calls["bfloat16"] = lambda: c @ d
    return Group("FLOP/s", 2 * 1024**3, calls)


GROUPS = (
    machine,
    fit_symbols,
    fit_rssm_1m,
    fit_rssm_12m,
    imagination,
    replay,
    python_worlds,
    grid_pixels,
    dream_world,
    returns,
    planning,
)

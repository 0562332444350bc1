"""The truth about Gymnasium's pendulum in closed form: how far a drawn motion is from physics."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mindseye.core.protocols import WorldModel
from mindseye.core.tree import to_numpy

_STEP_SECONDS, _GRAVITY, _TORQUE, _FASTEST = 0.05, 15.0, 3.0, 8.0


def swing(observation: np.ndarray, action: np.ndarray) -> np.ndarray:
    """Where Pendulum-v1 goes, exactly.

    Args:
        observation: cos θ, sin θ, θ̇ (radians per second); float64 (..., 3).
        action: Torque within [-2, 2]; float64 (..., 1).

    Returns:
        The next observation.
    """
    angle, speed = np.arctan2(observation[..., 1], observation[..., 0]), observation[..., 2]
    force = _GRAVITY * np.sin(angle) + _TORQUE * action[..., 0]
    speed = np.clip(speed + _STEP_SECONDS * force, -_FASTEST, _FASTEST)
    angle = angle + _STEP_SECONDS * speed
    return np.stack([np.cos(angle), np.sin(angle), speed], -1)


def motion_errors(observations: np.ndarray, actions: np.ndarray) -> dict[str, float]:
    """Squared errors of motions, averaged over motions and numbers.

    Args:
        observations: (motions, steps + 1, 3).
        actions: (motions, steps, 1).

    Returns:
        "dynamics": one step ahead of every observation. "drift": at the end, if the truth had
        followed the same actions from the same beginning.
    """
    truth = observations[:, 0]
    for step in range(actions.shape[1]):
        truth = swing(truth, actions[:, step])
    ahead = swing(observations[:, :-1], actions)
    return {
        "dynamics": float(np.square(ahead - observations[:, 1:]).mean()),
        "drift": float(np.square(truth - observations[:, -1]).mean()),
    }


@torch.no_grad()
def imagined_errors(
    model: WorldModel, act: Callable[[Tensor], Tensor], first: Tensor, steps: int
) -> dict[str, float]:
    """The errors of motions that a world model imagines one step at a time.

    Args:
        act: Observations to torques.
        first: Where the motions begin, (motions, 3).
        steps: Imagined.
    """
    count = len(first)
    seen, acted = [first], [torch.zeros(count, 1)]
    begun = torch.ones(count, dtype=torch.bool)
    state = model.observe(model.initial(count), acted[0], first, begun)
    for _ in range(steps):
        acted.append(act(seen[-1]))
        state = model.imagine(state, acted[-1])
        seen.append(model.predict(state).observation)
    observations, actions = (to_numpy(torch.stack(x, 1).double()) for x in (seen, acted[1:]))
    return motion_errors(observations, actions)


def draw_swings(path: Path, observations: np.ndarray, actions: np.ndarray) -> None:
    """A PNG of motions as angle against speed, coloured by torque; its folder is made if missing.

    Args:
        path: Of the picture.
        observations: (motions, steps + 1, 3); the first 100 are drawn.
        actions: (motions, steps, 1).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6, 2.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    seen = observations[:100, :-1].reshape(-1, 3)
    angle = np.arctan2(seen[:, 1], seen[:, 0])
    torque = actions[:100].reshape(-1)
    dots = axes.scatter(angle, seen[:, 2], c=torque, s=3, cmap="coolwarm", vmin=-2, vmax=2)
    axes.set(xlabel="angle from upright, radians", ylabel="radians per second", ylim=(-9, 9))
    axes.set_title(path.stem, fontsize=9, loc="left")
    figure.colorbar(dots, label="torque")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)

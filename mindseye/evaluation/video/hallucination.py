"""Signals at run time that a dream has left reality, and how much they are worth."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Prediction, WorldModel
from mindseye.core.report import Measure
from mindseye.core.tree import Tree, leaves, map_tree
from mindseye.evaluation.statistics import bootstrap, ranks
from mindseye.evaluation.video.clips import check_clips

_ROUNDS = 500


class SampledWorldModel(nn.Module, WorldModel):
    """A world model beside copies of itself that draw other random numbers.

    The dream follows the first copy; how far the copies have drifted apart is the uncertainty, so
    the truth report's calibration and a dream's `max_uncertainty` can use it. All copies are one
    batch of the model: a step costs as much as `copies` steps. The state's leaves have the copies
    on the axis behind the batch.

    Args:
        model: Any model that samples from torch's global generator, row by row.
        copies: Two or more.

    Raises:
        ConfigError: If there are fewer than two copies.
    """

    def __init__(self, model: WorldModel, copies: int = 4):
        super().__init__()
        if copies < 2:
            raise ConfigError(f"sampled: expected two copies or more, got {copies}")
        self.model, self.copies = model, copies
        self.observation_space = model.observation_space
        self.action_space = model.action_space

    def initial(self, batch_size: int) -> Tree:
        """Every copy before anything was seen."""
        return self._split(self.model.initial(batch_size * self.copies))

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """All copies see the same."""
        action, observation, is_first = self._repeat((action, observation, is_first))
        return self._split(self.model.observe(self._joined(state), action, observation, is_first))

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """Every copy draws its own future under the same actions."""
        return self._split(self.model.imagine(self._joined(state), self._repeat(action)))

    def predict(self, state: Tree) -> Prediction:
        """What the first copy says; uncertainty is the copies' mean deviation, in [0, ∞)."""
        said = self.model.predict(self._joined(state))
        followed = map_tree(lambda x: x.unflatten(0, (-1, self.copies))[:, 0], said.observation)
        spreads = [self._spread(leaf) for leaf in leaves(said.observation)]
        return Prediction(
            observation=followed,
            reward=said.reward.view(-1, self.copies)[:, 0],
            continuation=said.continuation.view(-1, self.copies)[:, 0],
            uncertainty=torch.stack([*spreads, self._spread(said.reward)]).mean(0),
        )

    def _spread(self, leaf: Tensor) -> Tensor:
        values = leaf.float() / (255 if leaf.dtype == torch.uint8 else 1)
        values = values.reshape(-1, self.copies, leaf[0].numel())
        return values.var(1, correction=0).mean(1).sqrt()

    def _split(self, state: Tree) -> Tree:
        return map_tree(lambda x: x.unflatten(0, (-1, self.copies)), state)

    def _joined(self, state: Tree) -> Tree:
        return map_tree(lambda x: x.flatten(0, 1), state)

    def _repeat(self, given: Tree) -> Tree:
        return map_tree(lambda x: x.repeat_interleave(self.copies, 0), given)


def round_trip_residual(
    encode: Callable[[Tensor], Tensor], decode: Callable[[Tensor], Tensor], clips: np.ndarray
) -> np.ndarray:
    """Root mean square change of frames by encoding and decoding them, of 255, (clips, frames).

    A tokenizer fitted on reality gives real frames back; what it cannot say it has not seen.

    Args:
        encode: uint8 frames (rows, height, width, 3) to codes.
        decode: Codes to frames of the same shape, 0 to 255.
    """
    check_clips(clips)
    found = []
    with torch.inference_mode():
        for clip in torch.from_numpy(np.ascontiguousarray(clips)):
            back = decode(encode(clip)).float()
            found.append((back - clip.float()).square().mean((1, 2, 3)).sqrt())
    return torch.stack(found).double().numpy()


@dataclass(frozen=True)
class SignalQuality:
    """How well a signal tells wrong rollouts from right ones."""

    auroc: Measure
    """Chance that a wrong rollout has the stronger signal; 0.5 knows nothing."""
    wrong: float
    """Share of rollouts that were wrong."""

    def measures(self, name: str) -> list[Measure]:
        """The area, and the share of wrong rollouts."""
        a, n = self.auroc, self.auroc.n
        return [
            Measure(f"auroc/{name}", a.value, a.low, a.high, n),
            Measure(f"wrong/{name}", self.wrong, self.wrong, self.wrong, n, "share of rollouts"),
        ]


def auroc(signal: np.ndarray, wrong: np.ndarray) -> float:
    """Area under the receiver operating characteristic; nan where all are wrong or all right.

    Args:
        signal: Higher means more suspicious, shape (rollouts,).
        wrong: bool, shape (rollouts,).
    """
    positives, negatives = int(wrong.sum()), int((~wrong).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    above = ranks(np.asarray(signal))[wrong].sum() - positives * (positives - 1) / 2
    return float(above / (positives * negatives))


def signal_quality(signal: np.ndarray, wrong: np.ndarray) -> SignalQuality:
    """The area with an interval that resamples rollouts."""
    signal, wrong = np.asarray(signal), np.asarray(wrong, bool)

    def draw(rng: np.random.Generator) -> float:
        rows = rng.integers(len(signal), size=len(signal))
        return auroc(signal[rows], wrong[rows])

    low, high = bootstrap(draw, rounds=_ROUNDS)
    area = Measure("auroc", auroc(signal, wrong), low, high, len(signal))
    return SignalQuality(area, float(wrong.mean()))

"""A one-step model of worlds that show bits: the next bits are independent given the last ones.

Because every bit is predicted by itself, the model may generalise to combinations of bits that were
never seen together (Young et al. 2022, 2211.02222). Its state is the observation: what a world
hides is lost on it.

    p(o' | o, a) = Π_i Bernoulli(o'_i; f_i(o, a)),   reward = g(o, a),   continuation = c(o, a)
"""

import itertools
import math

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye import ops
from mindseye.core.batch import Batch
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Prediction, WorldModel
from mindseye.core.tree import Tree, map_tree
from mindseye.models.policy import ActionEncoder


class BitsModel(nn.Module, WorldModel):
    """A world model of `MultiBinary` observations.

        model = BitsModel(space, Discrete(5), units=64)
        sum(model.losses(batch).values()).backward()
        dream = DreamWorld(model, 64, starts=starts_from(replay), horizon=10)

    Imagined bits are drawn with their predicted probabilities from torch's global generator.

    Args:
        observation_space, action_space: Of one world.
        units, layers: Hidden units and layers of each of the three networks.
        mixing: Seed of an invertible mixing through which the networks read and write bits, to
            study what is lost when the parts of a world are not seen apart; None for none.

    Raises:
        SpecError: If the observation space is not MultiBinary.
    """

    there: Tensor
    back: Tensor

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        units: int = 200,
        layers: int = 3,
        mixing: int | None = None,
    ):
        super().__init__()
        if not isinstance(observation_space, spaces.MultiBinary):
            raise SpecError(
                f"BitsModel: expected MultiBinary observations, got {observation_space}"
            )
        self.observation_space, self.action_space = observation_space, action_space
        self.num_bits = int(torch.Size(observation_space.shape).numel())
        self.action_encoder = ActionEncoder(action_space)
        inputs = self.num_bits + self.action_encoder.size
        self.hidden = _SideBySide(3, inputs, units, layers)
        self.bits = nn.Linear(units, self.num_bits)
        self.reward, self.continuation = nn.Linear(units, 1), nn.Linear(units, 1)
        self.is_mixed = mixing is not None
        if mixing is not None:
            there, back = _mixing(self.num_bits, mixing)
            self.register_buffer("there", there, persistent=False)
            self.register_buffer("back", back, persistent=False)

    def initial(self, batch_size: int) -> Tree:
        """No bit set."""
        rows = self.bits.weight.new_zeros(batch_size)
        bits = rows.unsqueeze(-1).repeat(1, self.num_bits)
        return {"observation": bits, "reward": rows, "continuation": torch.ones_like(rows)}

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """What is seen is all there is; reward and continuation are predicted for the action."""
        _, reward, ending = self._read(self._mixed(state["observation"]), action)
        return {
            "observation": observation.flatten(1).to(reward.dtype),
            "reward": reward.masked_fill(is_first, 0.0),
            "continuation": ending.sigmoid().masked_fill(is_first, 1.0),
        }

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """Draw the next bits."""
        logits, reward, ending = self._read(self._mixed(state["observation"]), action)
        bits = torch.bernoulli(logits.sigmoid())
        return {
            "observation": bits @ self.back % 2 if self.is_mixed else bits,
            "reward": reward,
            "continuation": ending.sigmoid(),
        }

    def predict(self, state: Tree) -> Prediction:
        """Bits as int8, mean reward, continuation; it cannot say how much it doubts."""
        bits = state["observation"].unflatten(-1, self.observation_space.shape).to(torch.int8)
        return Prediction(bits, state["reward"], state["continuation"])

    def losses(self, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """Negative log-likelihoods in nats, summed over bits, averaged over pairs of rows.

        Bits reached by a terminal step are not learned: nothing follows from them.

        Args:
            batch: Segments, fields as in `core.batch`.
        """
        shape = self.observation_space.shape
        observation = self._mixed(batch["observation"].flatten(-len(shape)).float())
        action = map_tree(lambda x: x[:, 1:], batch["action"])
        bits, reward, ending = self._read(observation[:, :-1], action)
        arrived = batch["mask"][:, 1:] * (~batch["is_first"][:, 1:]).float()
        goes_on = batch["continuation"][:, 1:]
        loss = functional.binary_cross_entropy_with_logits
        losses = {
            "observation": goes_on * loss(bits, observation[:, 1:], reduction="none").sum(-1),
            "reward": (reward - batch["reward"][:, 1:]).square() / 2,
            "continuation": loss(ending, goes_on, reduction="none"),
        }
        return {name: ops.masked_mean(value, arrived) for name, value in losses.items()}

    def _mixed(self, bits: Tensor) -> Tensor:
        return bits @ self.there % 2 if self.is_mixed else bits

    def _read(self, bits: Tensor, action: Tree) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the bits, reward, and logit of the continuation, for any leading axes."""
        inputs = torch.cat((bits, self.action_encoder(action)), -1)
        hidden = self.hidden(inputs.flatten(0, -2)).unflatten(1, inputs.shape[:-1])
        reward, ending = self.reward(hidden[1]), self.continuation(hidden[2])
        return self.bits(hidden[0]), reward.squeeze(-1), ending.squeeze(-1)


class _SideBySide(nn.Module):
    """Networks of one shape that read the same inputs, their layers computed together."""

    def __init__(self, networks: int, inputs: int, units: int, layers: int):
        super().__init__()
        widths = [inputs] + [units] * layers
        pairs = list(itertools.pairwise(widths))
        self.weights = nn.ParameterList(torch.empty(networks, *pair) for pair in pairs)
        self.biases = nn.ParameterList(torch.zeros(networks, 1, out) for _, out in pairs)
        for weight in self.weights:
            nn.init.trunc_normal_(weight, std=1 / math.sqrt(weight.shape[1]))

    def forward(self, x: Float[Tensor, "rows inputs"]) -> Float[Tensor, "networks rows units"]:
        """Hidden features of every network."""
        hidden = x.expand(len(self.weights[0]), *x.shape)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            hidden = functional.elu(torch.baddbmm(bias, hidden, weight))
        return hidden


def _mixing(size: int, seed: int) -> tuple[Tensor, Tensor]:
    """A random invertible matrix of bits, and its inverse modulo 2."""
    there, back = np.eye(size, dtype=np.int64), np.eye(size, dtype=np.int64)
    pairs = np.random.default_rng(seed).integers(size, size=(size**2, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    # adding one column to another is its own inverse
    for matrix, order in ((there, pairs), (back, pairs[::-1])):
        for source, target in order:
            matrix[:, target] ^= matrix[:, source]
    return torch.from_numpy(there).float(), torch.from_numpy(back).float()

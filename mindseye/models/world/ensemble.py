"""Several world models as one: what they disagree about is what they do not know.

Every row of a dream follows one member, drawn when the row begins, so that each dream is a
consistent world; the others imagine the same actions beside it and vote on uncertainty
(Chua et al. 2018, 1805.12114, "trajectory sampling, infinite").
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Outcomes, Prediction, WorldModel
from mindseye.core.tree import Tree, map_tree
from mindseye.models.perception import leaf_at, named_spaces


class EnsembleWorldModel(nn.Module, WorldModel, Outcomes):
    """Members of equal spaces, fitted from different initial weights or on different data.

    Uncertainty is the spread of the members' rewards plus the share of discrete observation entries
    (or the spread of numbers) in which they differ, averaged over leaves; it needs every member to
    decode, so it costs as much as the ensemble is large.

    Args:
        members: Two models or more.

    Raises:
        ConfigError: If there are fewer than two, or their spaces differ.
    """

    def __init__(self, members: Sequence[nn.Module]):
        super().__init__()
        if len(members) < 2:
            raise ConfigError(f"ensemble: expected two members or more, got {len(members)}")
        self.members = nn.ModuleList(members)
        self.observation_space = members[0].observation_space
        self.action_space = members[0].action_space
        for member in members[1:]:
            if member.observation_space != self.observation_space:
                raise ConfigError("ensemble: the members' observation spaces differ")
        self.names = list(named_spaces(self.observation_space))  # type: ignore[arg-type]

    def initial(self, batch_size: int) -> Tree:
        """Every member's own state, and the member that each row follows."""
        states = tuple(member.initial(batch_size) for member in self.members)
        return {"members": states, "followed": torch.randint(len(self.members), (batch_size,))}

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """Every member's posterior; rows with is_first draw a new member to follow."""
        pairs = zip(self.members, state["members"], strict=True)
        states = tuple(m.observe(s, action, observation, is_first) for m, s in pairs)
        drawn = torch.randint_like(state["followed"], len(self.members))
        return {"members": states, "followed": torch.where(is_first, drawn, state["followed"])}

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """Every member's prior."""
        pairs = zip(self.members, state["members"], strict=True)
        return {**state, "members": tuple(m.imagine(s, action) for m, s in pairs)}

    def predict(self, state: Tree) -> Prediction:
        """What the followed member says, and how far the members are apart."""
        pairs = zip(self.members, state["members"], strict=True)
        said = [member.predict(own) for member, own in pairs]
        observation = map_tree(lambda *x: self._followed(state, x), *(s.observation for s in said))
        rewards = torch.stack([s.reward for s in said])
        apart = [self._apart([leaf_at(s.observation, name) for s in said]) for name in self.names]
        return Prediction(
            observation=observation,
            reward=self._followed(state, rewards),
            continuation=self._followed(state, [s.continuation for s in said]),
            uncertainty=rewards.std(0) + torch.stack(apart).mean(0),
        )

    def outcome(self, state: Tree) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Mean reward and continuation over all members: what a planner should trust."""
        pairs = zip(self.members, state["members"], strict=True)
        rewards, continuations = zip(*(m.outcome(s) for m, s in pairs), strict=True)
        return torch.stack(rewards).mean(0), torch.stack(continuations).mean(0)

    @staticmethod
    def _followed(state: Tree, values: Sequence[Tensor] | Tensor) -> Tensor:
        stacked = torch.stack(tuple(values))
        rows = torch.arange(stacked.shape[1], device=stacked.device)
        return stacked[state["followed"].to(stacked.device), rows]

    @staticmethod
    def _apart(values: Sequence[Tensor]) -> Tensor:
        stacked = torch.stack(tuple(values)).flatten(2 if values[0].ndim > 1 else 1)
        if stacked.is_floating_point():
            spread = stacked.std(0)
        else:
            spread = (stacked != stacked[:1]).float().mean(0)
        return spread.mean(-1) if spread.ndim > 1 else spread

"""A world model that does what another row's agent asked for."""

import torch
from jaxtyping import Bool
from torch import Tensor

from mindseye.core.protocols import Prediction, WorldModel
from mindseye.core.tree import Tree, batch_size, map_tree


class MisheardWorldModel(WorldModel):
    """Imagines every row under the action of a row drawn at random: the rival without control.

    What it shows is as likely as what the other model shows, but nobody steers it. Rows are drawn
    from torch's global generator.

    Args:
        model: Any world model.
    """

    def __init__(self, model: WorldModel):
        self.model = model
        self.observation_space, self.action_space = model.observation_space, model.action_space

    def initial(self, batch_size: int) -> Tree:
        """As the model has it."""
        return self.model.initial(batch_size)

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """As the model has it."""
        return self.model.observe(state, action, observation, is_first)

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """Where other rows' actions lead."""
        order = torch.randperm(batch_size(action))
        return self.model.imagine(state, map_tree(lambda x: x[order.to(x.device)], action))

    def predict(self, state: Tree) -> Prediction:
        """As the model has it."""
        return self.model.predict(state)

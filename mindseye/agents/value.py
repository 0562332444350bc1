"""Acting by action values."""

import torch

from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree, to_tensor
from mindseye.models.value import ActionValueNetwork


class ValueAgent(Agent):
    """Greedy, or softmax with a temperature when exploring.

    Args:
        network: Action values.
        temperature: In the unit of the values; 0 is always greedy.
    """

    def __init__(self, network: ActionValueNetwork, *, temperature: float):
        self.network, self.temperature = network, temperature

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def choose(self, observation: Tree, *, explore: bool) -> torch.Tensor:
        """Actions for a tree of tensors with any leading axes."""
        values = self.network(observation)
        if explore and self.temperature > 0:
            noise = torch.empty_like(values).exponential_().log_()
            values = values / self.temperature - noise
        return values.argmax(-1) + self.network.start

    @torch.no_grad()
    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """One action per row."""
        device = next(self.network.parameters()).device
        action = self.choose(to_tensor(observation, device), explore=explore)
        return action.cpu().numpy(), None, {}

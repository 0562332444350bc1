"""An agent that chooses among what a text says can be done."""

import torch

from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree
from mindseye.models.policy.text import TextPolicy


class ReadingAgent(Agent):
    """Says what its policy prefers.

    Args:
        policy: Scores what is listed.
        seed: Of its own draws.
    """

    def __init__(self, policy: TextPolicy, *, seed: int = 0):
        self.policy = policy
        self._generator = torch.Generator().manual_seed(seed)

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    @torch.no_grad()
    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Draw when exploring, else take the likeliest; records `log_prob`."""
        choices = self.policy(observation)
        said = choices.sample(self._generator) if explore else choices.mode()
        return said, None, {"log_prob": choices.log_prob(said).numpy()}

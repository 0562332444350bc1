"""Agents that think in words, by the names of their thoughts on a command line."""

from collections.abc import Callable, Mapping

from gymnasium.vector import VectorEnv

from mindseye.agents.language.agent import Asking, LanguageAgent, Thought
from mindseye.agents.language.look_ahead import look_ahead
from mindseye.agents.language.thoughts import plan, react
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import LanguageModel
from mindseye.core.spaces import Words
from mindseye.models.world.language import LanguageWorldModel

THOUGHTS: Mapping[str, Callable[[LanguageModel], Thought]] = {
    "plan": lambda language: plan,
    "look_ahead": lambda language: look_ahead(LanguageWorldModel(language)),
    "react": lambda language: react,
}
"""Those that need nothing but a language model."""
_DECIDING = ("look_ahead", "react")


def is_thinking(agent: str) -> bool:
    """Whether an agent's name is made of thoughts: "react", "plan,look_ahead,react"."""
    return any(name in THOUGHTS for name in agent.split(","))


def thinking_agent(agent: str, language: LanguageModel, world: VectorEnv) -> LanguageAgent:
    """An agent by its thoughts, in order.

    Raises:
        ConfigError: If there is no such thought, the last one does not decide, or the world is not
            spoken to.
    """
    names = agent.split(",")
    if unknown := [name for name in names if name not in THOUGHTS]:
        raise ConfigError(f"--agent: no thought {unknown[0]!r}; there are {', '.join(THOUGHTS)}")
    if names[-1] not in _DECIDING:
        raise ConfigError(f"--agent {agent}: decides nothing; end with {' or '.join(_DECIDING)}")
    if not isinstance(world.single_action_space, Words):
        raise ConfigError(
            f"--agent {agent}: this world is not spoken to; take text/... or --observation text"
        )
    return LanguageAgent(Asking(language), [THOUGHTS[name](language) for name in names])

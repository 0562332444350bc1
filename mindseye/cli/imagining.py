"""Dreams that are made on the spot: of a language model, and of laws read off a short life."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from gymnasium.vector import VectorEnv

from mindseye.agents.curious import CuriousWalker
from mindseye.agents.random import RandomReader
from mindseye.cli.thinking import thinking_agent
from mindseye.core.episode import Origin
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import LanguageModel
from mindseye.core.spaces import Words
from mindseye.experience import rollout
from mindseye.learners.law_fitting import LawFitting
from mindseye.models.world.enumeration import ReadLaws, enumerate_laws
from mindseye.models.world.lands import LandReader
from mindseye.models.world.language import LanguageWorldModel
from mindseye.models.world.program import ProgramWorldModel
from mindseye.models.world.recall import NearestTransitions
from mindseye.models.world.transcript import transitions
from mindseye.worlds import branchable, make
from mindseye.worlds.minicraft.facts import Facts
from mindseye.worlds.minicraft.minicraft import Minicraft
from mindseye.worlds.minicraft.technology import BASIC, FULL
from mindseye.worlds.rules import RulesWorld

LANDS = {
    "minicraft/yard": lambda: Minicraft(
        BASIC, size=5, view=0, is_wild=False, has_needs=False, observation="symbols", cell=4,
        max_steps=500,
    ),
    "minicraft/wild": lambda: Minicraft(
        FULL, size=12, view=0, is_wild=True, has_needs=True, observation="symbols", cell=4,
        max_steps=500,
    ),
}  # fmt: skip
"""Lands that laws are read off, seen whole: smaller than those of the same name."""
_LIVES, _LIFE = 4, 30
"""Of a talkative stranger, from which a language model remembers."""


def imagined(
    world: str, language: LanguageModel, seed: int
) -> tuple[LanguageWorldModel, Callable[[int], VectorEnv]]:
    """A world of words as a language model imagines it, remembering a few real random lives.

    Returns:
        The model, and the real world.

    Raises:
        ConfigError: If the world is not spoken to.
    """

    def real(rows: int) -> VectorEnv:
        return branchable(make(world, rows, observation="text"))

    try:
        lives = real(_LIVES)
    except ConfigError:
        lives = None
    if lives is None or not isinstance(lives.single_action_space, Words):
        raise ConfigError(f"play language:{world}: this world is not spoken to; take text/...")
    origin = Origin("real", world, agent="random")
    seen = rollout(RandomReader(seed), lives, origin=origin, steps=_LIVES * _LIFE, seed=seed + 1000)
    steps = [step for i, e in enumerate(seen) for step in transitions(e, str(i))]
    return LanguageWorldModel(language, recall=NearestTransitions(steps)), real


def read_off(world: str, seed: int) -> tuple[ProgramWorldModel, Facts, Callable[[int], VectorEnv]]:
    """Laws of a land, from one unguided life in it.

    Returns:
        The laws as a world model, the land in facts, and the land itself.

    Raises:
        ConfigError: If laws cannot be read there.
    """
    if world not in LANDS:
        raise ConfigError(f"play program:{world}: laws are read in {', '.join(LANDS)}")
    facts = Facts(LANDS[world]())
    (life,) = rollout(
        CuriousWalker(facts.layout, seed=seed),
        RulesWorld(facts, 1),
        origin=Origin("real", world, agent="curious"),
        episodes=1,
        seed=seed,
    )
    seen = np.asarray(life.observations)
    steps = seen[:-1], np.asarray(life.actions), seen[1:]
    laws = ReadLaws(reader := LandReader(facts.layout), enumerate_laws(reader, *steps))
    sees, acts = cast(Any, facts.observation_space), cast(Any, facts.action_space)
    model = ProgramWorldModel(laws, sees, acts, facts.outcome)
    LawFitting(model).fit(*steps)
    return model, facts, lambda rows: RulesWorld(facts, rows)


def language_agents(language: LanguageModel, world: VectorEnv, seed: int) -> dict:
    """Who may be watched in a world of words."""
    return {"random": RandomReader(seed), "react": thinking_agent("react", language, world)}

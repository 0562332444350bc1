import numpy as np
import pytest

from mindseye.agents.curious import CuriousWalker
from mindseye.agents.foraging import Forager, Pursuit
from mindseye.core.episode import Origin
from mindseye.experience.rollout import rollout
from mindseye.worlds.minicraft import FULL, Minicraft
from mindseye.worlds.minicraft.facts import Facts
from mindseye.worlds.rules import RulesWorld


@pytest.fixture(scope="module")
def facts():
    minicraft = Minicraft(
        FULL, size=10, view=0, is_wild=True, has_needs=True, observation="symbols", cell=4,
        max_steps=60,
    )  # fmt: skip
    return Facts(minicraft)


def achieved(facts, agent, worlds=8):
    episodes = rollout(
        agent,
        RulesWorld(facts, worlds),
        origin=Origin("real", "land", agent="x"),
        episodes=worlds,
        seed=100,
    )
    last = np.stack([np.asarray(e.observations)[-1] for e in episodes])
    done = last[:, facts.layout.parts["achieved"]].astype(bool)
    return dict(zip(facts.layout.achievements, done.mean(0), strict=True))


def test_a_forager_does_what_it_pursues(facts):
    mine = [
        Pursuit("gather", "wood", 3),
        Pursuit("build", "table"),
        Pursuit("craft", "wood pickaxe"),
        Pursuit("gather", "stone", 1),
    ]
    found = achieved(facts, Forager(facts.layout, FULL, mine))
    assert found["craft wood pickaxe"] >= 0.75
    assert found["gather stone"] >= 0.5
    needs = achieved(
        facts, Forager(facts.layout, FULL, [Pursuit("drink", until=9), Pursuit("eat", until=9)])
    )
    assert needs["drink"] + needs["eat"] > 0.5
    assert needs["gather wood"] == 0


def test_whoever_pursues_nothing_rests(facts):
    agent = Forager(facts.layout, FULL, [])
    assert agent.act(RulesWorld(facts, 3).reset(seed=1)[0], None)[0].tolist() == [0, 0, 0]


def test_curiosity_tries_more_than_chance(facts):
    curious = achieved(facts, CuriousWalker(facts.layout, chance=0.3, seed=1), worlds=32)
    chance = achieved(facts, CuriousWalker(facts.layout, chance=1.0, seed=1), worlds=32)
    assert sum(curious.values()) > 1.5 * sum(chance.values())


def test_what_was_tried_is_counted(facts):
    agent = CuriousWalker(facts.layout, seed=0)
    observed, _ = RulesWorld(facts, 2).reset(seed=3)
    memory = agent.initial(2)
    _, after, _ = agent.act(observed, memory)
    assert memory.sum() == 0
    assert after.sum() == 2

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from mindseye.agents.language.agent import Asking
from mindseye.agents.language.drafts import hands_of
from mindseye.agents.language.mindful import mindful, settle
from mindseye.agents.language.recall import (
    Life,
    alike,
    confusing,
    latest,
    nothing,
    random_ones,
    successes,
)
from mindseye.core.errors import WorldError
from mindseye.core.spaces import with_commands
from mindseye.experience.memory import Attempt, Memory
from mindseye.models.language.scripted import ScriptedLanguageModel

_spec = importlib.util.spec_from_file_location(
    "perfect_reader", Path(__file__).with_name("perfect_reader.py")
)
perfect_reader = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(perfect_reader)

COMMANDS = ["gather kelm", "gather zat", "build lomik", "craft pik", "craft fip"]


def seen(news="You are in a workshop.", held="nothing", built="nothing", task="craft fip"):
    text = f"{news}\nTask: {task}.\nYou hold {held}. You built {built}."
    return with_commands(text, COMMANDS)


def attempt(command, state="had nothing; built nothing", outcome="done, used nothing"):
    success = outcome.startswith("done")
    step, reason = ("", "") if success else (command, outcome)
    return Attempt(state, command, command, outcome, success, step=step, reason=reason)


KNOWN = [
    attempt("craft fip", outcome="you need lomik built"),
    attempt("craft fip", "had nothing; built lomik", "you need 2 more kelm"),
    attempt("build lomik", "had 1 kelm, 1 zat; built nothing", "done, used 1 kelm, 1 zat"),
    attempt("gather zat", outcome="you need pik in hand"),
    attempt("gather zat", "had 1 pik; built nothing"),
    attempt("craft pik", "had 1 kelm; built nothing", "done, used 1 kelm"),
    attempt("gather kelm"),
]


def agent_of(*lives):
    model = ScriptedLanguageModel(perfect_reader.answer)
    return mindful(Asking(model, budget=200), lives), model


def life_with(known, **options):
    memory = Memory()
    memory.add(known)
    return Life(memory, alike(memory, 6), **options)


def test_a_plan_brings_together_what_is_needed():
    agent, _ = agent_of(life_with(KNOWN))
    commands, [mind], told = agent.act([seen()], agent.initial(1))
    plan = [commands[0], *mind.facts["now"].plan]
    assert plan == [
        "gather kelm", "gather kelm", "craft pik", "gather zat", "build lomik",
        "gather kelm", "gather kelm", "craft fip",
    ]  # fmt: skip
    assert 0.3 < mind.facts["now"].foreseen[0] < 0.5  # fip was never made, all else was
    assert "question: what must be had before craft fip? 2 kelm" in told["thought"][0]
    assert "question: what must be had before craft fip? lomik built" in told["thought"][0]


def test_what_is_held_and_built_is_not_made_again():
    agent, _ = agent_of(life_with(KNOWN))
    start = seen(held="1 kelm", built="lomik")
    commands, [mind], _ = agent.act([start], agent.initial(1))
    assert [commands[0], *mind.facts["now"].plan] == ["gather kelm", "craft fip"]


def test_a_plan_foreseen_to_fail_is_mended():
    # what is held is counted on twice: for lomik, and for fip itself
    start = seen(held="2 kelm, 1 zat")
    naive, careful = life_with(KNOWN, rounds=0), life_with(KNOWN)
    agent, _ = agent_of(naive, careful)
    commands, minds, _ = agent.act([start] * 2, agent.initial(2))
    plans = [[c, *m.facts["now"].plan] for c, m in zip(commands, minds, strict=True)]
    assert plans == [["build lomik", "craft fip"], ["build lomik", "gather kelm", "craft fip"]]


def test_nothing_known_means_trying():
    agent, model = agent_of(Life(Memory(), nothing))
    commands, [mind], _ = agent.act([seen()], agent.initial(1))
    assert commands == ["craft fip"]
    assert mind.facts["now"].foreseen == [0.5]
    assert not model.heard


def test_a_failure_is_learned_from_at_once_and_for_good():
    life = Life(Memory(), nothing, patience=2)
    agent, _ = agent_of(life)
    _, minds, _ = agent.act([seen()], agent.initial(1))
    failed = seen("You cannot craft fip: you need 2 more kelm.")
    commands, minds, _ = agent.act([failed], minds)
    assert commands == ["gather kelm"]
    gathered = seen("You did gather kelm.", held="1 kelm")
    commands, minds, _ = agent.act([gathered], minds)
    assert commands == ["gather kelm"]
    settle(minds[0], seen("You did gather kelm.", held="2 kelm"))
    told = [(a.task, a.state, a.outcome) for a in life.memory.attempts]
    assert told == [
        ("craft fip", "had nothing; built nothing", "you need 2 more kelm"),
        ("gather kelm", "had nothing; built nothing", "done, used nothing"),
        ("gather kelm", "had 1 kelm; built nothing", "done, used nothing"),
    ]


def test_what_was_used_is_told():
    life = Life(Memory(), nothing)
    agent, _ = agent_of(life)
    _, [mind], _ = agent.act([seen(held="2 kelm, 3 zat", built="lomik")], agent.initial(1))
    settle(mind, seen("You did craft fip.", held="2 zat, 1 fip", built="lomik"))
    assert life.memory.attempts[0].outcome == "done, used 2 kelm, 1 zat"


def test_forecasts_are_trusted_as_far_as_they_came_true():
    life = life_with(KNOWN)
    agent, _ = agent_of(life)
    start = seen(task="craft pik", held="1 kelm")
    _, [mind], _ = agent.act([start], agent.initial(1))
    before = life.trust["succeeds"].chance
    settle(mind, seen("You cannot craft pik: you need lomik built.", task="craft pik"))
    assert life.trust["succeeds"].chance < before


def test_patience_ends():
    agent, _ = agent_of(Life(Memory(), nothing, patience=1))
    _, minds, _ = agent.act([seen()], agent.initial(1))
    commands, minds, _ = agent.act([seen("You cannot craft fip: you need lomik built.")], minds)
    assert commands == ["wait"]
    assert minds[0].facts["now"].is_over


def test_memories_are_recalled_in_different_ways():
    memory, rng = Memory(), np.random.default_rng(0)
    memory.add(KNOWN)
    state = "had nothing; built nothing"
    recalled = alike(memory, 4)(state, "gather zat")
    assert [a.task for a in recalled[:2]] == ["gather zat"] * 2
    assert {a.success for a in recalled} == {True, False}
    assert len(latest(memory, 4)(state, "gather zat")) == 4
    assert latest(memory, 4)(state, "gather zat")[1] == KNOWN[-1]
    drawn = random_ones(memory, 3, rng)
    assert drawn(state, "gather zat") == drawn(state, "craft fip")
    assert nothing(state, "gather zat") == []


def test_memories_are_kept_in_different_ways():
    assert all(a.success for a in successes(KNOWN))
    kept = confusing(np.random.default_rng(0))(KNOWN)
    assert [a.task for a in kept] == [a.task for a in KNOWN]
    assert sorted(a.outcome for a in kept) == sorted(a.outcome for a in KNOWN)
    assert [a.outcome for a in kept] != [a.outcome for a in KNOWN]


def test_other_worlds_are_refused():
    with pytest.raises(WorldError, match="You hold"):
        hands_of("You see nothing.")
    agent, _ = agent_of(Life(Memory(), nothing))
    with pytest.raises(WorldError):
        agent.act([with_commands("You are in a shop.", ["buy"])], agent.initial(1))

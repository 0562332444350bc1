from functools import partial

import numpy as np
import pytest

from mindseye.agents.language.agent import Asking, LanguageAgent
from mindseye.agents.language.tinkering import (
    THINK,
    choose,
    follow_script,
    lack_of,
    missing,
    take_notes,
    think_and_choose,
)
from mindseye.core.errors import ConfigError
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.stages.early_experience import (
    branch,
    demonstrations,
    foretelling,
    imitating,
    mixed_up,
    play,
    proposals,
    reflecting,
    reflections,
)
from mindseye.worlds.text.build import build

SIZES = {"gathers": 3, "builds": 1, "crafts": 4}
MUTE = ScriptedLanguageModel(lambda messages: "")


def tasks(inventions, max_steps=40):
    return [
        partial(build, "text/workshop", invention=i, goals=[thing], max_steps=max_steps, **SIZES)
        for i in inventions
        for thing in build("text/workshop", 1, invention=i, **SIZES).rules.things[3:]
    ]


@pytest.fixture(scope="module")
def shown():
    return demonstrations(MUTE, tasks(range(100, 104)))


@pytest.fixture(scope="module")
def branches(shown):
    return branch(shown, [[c for c in f.mind.admissible if c != f.command] for f in shown])


def test_the_script_makes_everything_and_never_tries_what_it_knows_to_fail():
    played = play(LanguageAgent(Asking(MUTE), [take_notes, follow_script]), tasks(range(110, 125)))
    assert all(episode.success for episode in played)
    assert all(episode.known_to_fail == 0 for episode in played)
    assert any(episode.failed for episode in played)


def test_what_is_known_to_be_missing_is_indeed_refused(shown, branches):
    forks = [*shown, *(fork for forks in branches for fork in forks)]
    known = [fork for fork in forks if missing(fork.mind, fork.command)]
    assert len(known) > 20
    assert all(lack_of(fork.outcome) for fork in known)


def test_the_same_command_in_the_same_moment_leads_to_the_same(shown):
    again = branch(shown, [[fork.command, fork.command] for fork in shown])
    for fork, (first, second) in zip(shown, again, strict=True):
        assert fork.outcome == first.outcome == second.outcome


def test_proposals_are_different_and_never_what_was_shown(shown):
    model = ScriptedLanguageModel(lambda messages: next_of(messages))

    def next_of(messages):
        return messages[-1]["content"].split("You can: ")[1].split("; ")[0]

    for fork, others in zip(shown, proposals(model, shown, 2, 0), strict=True):
        assert others == [c for c in fork.mind.admissible[:1] if c != fork.command]


def test_examples_hold_the_moment_and_what_came_of_it(shown, branches):
    (prompt, command), (_, told) = (
        imitating(shown[:1])[0],
        foretelling(shown[:1], [shown[0].outcome])[0],
    )
    assert "question: which command?" in prompt[-1]["content"]
    assert command == shown[0].command
    assert told.split("\n")[0] == shown[0].outcome.split("\n")[0]
    assert told.split("\n")[1].startswith("You hold ")
    thoughts = reflections(shown, branches)
    conversation, command = reflecting(shown, thoughts)[3]
    assert THINK in conversation[-3]["content"]
    assert conversation[-2] == {"role": "assistant", "content": thoughts[3]}
    assert command == shown[3].command
    assert thoughts[3].split(". ")[-1].startswith(f"{command}: ")


def test_mixed_up_texts_stay_within_a_technology_and_are_all_kept(shown):
    texts = [f"{at} {fork.mind.admissible}" for at, fork in enumerate(shown)]
    mixed = mixed_up(shown, texts, np.random.default_rng(0))
    assert sorted(mixed) == sorted(texts)
    assert all(str(f.mind.admissible) in text for f, text in zip(shown, mixed, strict=True))
    assert all(a != b for a, b in zip(texts, mixed, strict=True))


def test_a_model_is_asked_for_a_command_with_or_without_a_thought():
    def say(messages):
        if THINK in messages[-1]["content"]:
            return "all fails."
        return messages[1]["content"].split("You can: ")[1].split("; ")[0]

    for think, asked in ((choose, 1), (think_and_choose, 2)):
        model = ScriptedLanguageModel(say)
        played = play(LanguageAgent(Asking(model), [take_notes, think]), tasks([100], 2)[:1])
        assert len(played[0].forks) == 2
        assert len(model.heard) == 2 * asked
    assert model.heard[1][-2]["content"] == "all fails."


def test_demonstrations_without_success_are_refused():
    with pytest.raises(ConfigError, match="none succeeded"):
        demonstrations(MUTE, tasks([100], 1)[:1])

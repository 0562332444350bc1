import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mindseye.agents.shopping import ScriptedShopper
from mindseye.core.episode import Origin
from mindseye.core.errors import ModelError
from mindseye.core.spaces import commands
from mindseye.experience import rollout
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.models.language.words import joined, pieces
from mindseye.models.world.language import LanguageWorldModel
from mindseye.models.world.recall import NearestTransitions
from mindseye.models.world.transcript import (
    Outcome,
    answer,
    join,
    question,
    read,
    split,
    transitions,
)
from mindseye.worlds import DreamWorld, check_snapshot, check_world, make
from mindseye.worlds.starts import first_observations
from mindseye.worlds.text.reasons import explain

DOOR = "Task: open it.\nYou are at door 3.\nYou can: open; wait."
OPENED = Outcome("It is open.\nYou can: look.", 1.0, True, "it was closed.")


def shopping(episodes=6, noise=0.3):
    agent = ScriptedShopper(noise=noise, seed=0)
    origin = Origin("real", "text/shop")
    played = rollout(agent, make("text/shop", 2), origin=origin, episodes=episodes, seed=100)
    return [t for i, e in enumerate(played) for t in transitions(e, str(i), explain)]


def dream(say, rows=2, **options):
    model = LanguageWorldModel(ScriptedLanguageModel(say), history=1, **options)
    starts = lambda n, rng: first_observations([DOOR] * n, model.action_space)  # noqa: E731
    return model, DreamWorld(model, rows, starts=starts, horizon=5)


def doors(messages):
    opens = messages[-1]["content"].endswith("Now: open")
    waits = Outcome("You are at door 3.\nYou can: open; wait.", 0.0, False, "nothing moves.")
    return answer(OPENED if opens else waits, reasons=True)


def test_a_language_world_keeps_the_rules():
    _, world = dream(doors)
    check_world(world)
    check_snapshot(world)


def test_what_is_written_comes_next_and_ends_when_it_says_so():
    model, world = dream(doors)
    assert world.reset(seed=0)[0] == [DOOR, DOOR]
    texts, rewards, terminated, _, infos = world.step(["open", "wait"])
    assert texts == ["Task: open it.\nIt is open.\nYou can: look.", DOOR]
    assert (rewards.tolist(), terminated.tolist()) == ([1.0, 0.0], [True, False])
    assert infos["uncertainty"].tolist() == [0.0, 0.0]
    assert world.save()["state"]["reason"] == ["it was closed.", "nothing moves."]
    texts, rewards, terminated, _, _ = world.step(["look", "open"])
    assert (rewards.tolist(), terminated.tolist()) == ([0.0, 1.0], [True, True])
    assert model.counts["asked"] == 2
    assert len(model.language.heard) == 2


def test_what_is_not_listed_changes_nothing_and_asks_nobody():
    model, world = dream(doors)
    world.reset(seed=0)
    texts, rewards, terminated, _, _ = world.step(["fly", "wait"])
    assert texts[0] == "Task: open it.\nNothing happens.\nYou are at door 3.\nYou can: open; wait."
    assert (rewards[0], terminated[0], model.counts["unlisted"]) == (0.0, False, 1)
    assert world.step(["open", "wait"])[1].tolist() == [1.0, 0.0]


def test_an_answer_without_use_is_asked_for_again_and_then_a_failure():
    tries = []

    def mumbles(messages):
        tries.append(messages)
        return "no idea" if len(tries) < 2 else doors(messages)

    model, world = dream(mumbles, rows=1)
    world.reset(seed=0)
    assert world.step(["open"])[1][0] == 1.0
    assert (model.counts["repaired"], model.counts["failed"]) == (1, 0)
    model, world = dream(lambda messages: "no idea", rows=1, repairs=2)
    world.reset(seed=0)
    texts, rewards, terminated, _, infos = world.step(["open"])
    assert (rewards[0], terminated[0], infos["uncertainty"][0]) == (0.0, True, 1.0)
    assert (model.counts["failed"], len(model.language.heard)) == (1, 3)
    assert commands(texts[0]) == ["open", "wait"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("It is open.\nYou can: look.\nReward 1, done yes.", "Reason"),
        ("Reason: so.\nIt is open.\nYou can: look.", "last line"),
        ("Reason: so.\nIt is open.\nReward 1, done yes.", "You can"),
        ("Reason: so.\nYou can: look; look.\nReward 0, done no.", "different"),
        ("Reason: so.\nYou can: look; .\nReward 0, done no.", "different"),
        ("Reason: so.\nYou can: look.\nReward 1, done no.", "at the end"),
        ("Reason: so.\nDoor 4.\nYou can: look.\nReward 0, done no.", "4 stands nowhere"),
        ("Reason: so.\nYou can: look.\nReward 2, done yes.", "last line"),
        ("", "Reason"),
    ],
)
def test_answers_are_read_strictly(text, complaint):
    asked = question("Task: open it.", (("You are at door 3.", "open"),), [])
    with pytest.raises(ModelError, match=complaint):
        read(text, asked, reasons=True)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    asked = question("", (("You are at door 3.", "open"),), [])
    try:
        read(text, asked, reasons=False)
    except ModelError:
        return


def test_what_is_written_is_read_back_and_survives_the_small_models_words():
    steps = shopping()
    assert len(steps) > 20
    for step in steps:
        asked = question(step.task, step.past, steps[:2])
        for reasons in (True, False):
            told = answer(step.outcome, reasons=reasons)
            expected = step.outcome.reason if reasons else ""
            assert joined(pieces(told)) == told
            got = read(told, [*asked, {"content": step.outcome.state}], reasons=reasons)
            assert got == Outcome(
                step.outcome.state, step.outcome.reward, step.outcome.done, expected
            )


def test_tasks_are_taken_off_and_put_back():
    assert split(DOOR)[0] == "Task: open it."
    assert join(*split(DOOR)) == DOOR
    assert split("no task here\nat all") == ("", "no task here\nat all")
    assert join(*split("alone")) == "alone"


def test_the_nearest_steps_are_those_that_say_the_same():
    steps = shopping()
    recall = NearestTransitions(steps)
    found = recall.nearest([step.past[-1] for step in steps], 2)
    assert all(step.past[-1] == near.past[-1] for step, (near, _) in zip(steps, found, strict=True))
    sources = [step.source for step in steps]
    found = recall.nearest([step.past[-1] for step in steps], 3, without=sources)
    assert all(near.source != step.source for step, row in zip(steps, found, strict=True)
               for near in row)  # fmt: skip
    assert recall.nearest([], 2) == []


def test_rows_of_a_dream_may_take_each_others_places():
    model, world = dream(doors, rows=3)
    world.reset(seed=0)
    world.step(["open", "wait", "wait"])
    moment = world.save()
    world.load(moment, np.array([2, 0, 1]))
    assert world.step(["open", "wait", "wait"])[2].tolist() == [True, True, False]
    assert isinstance(model.initial(2)["reward"], torch.Tensor)


def test_reasons_say_what_was_compared():
    page = "Item 12: red wool shirt, 45. Sizes: small, large. Chosen: small.\nYou can: buy; back."
    task = "Task: buy a red cotton shirt, large, for at most 40."
    said = explain(task, page, "buy", "You bought item 12.\nYou can: look.", 0.0)
    assert said == (
        "wanted / bought: red / red yes, right; cotton / wool no, wrong; large / small no, wrong;"
        " 40 / 45 no, wrong; so it is wrong."
    )

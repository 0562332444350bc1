import importlib.util
from pathlib import Path

import numpy as np
import pytest

from mindseye.agents.language.agent import Asking
from mindseye.agents.language.reader import reader, study
from mindseye.core.episode import Origin
from mindseye.core.errors import ConfigError
from mindseye.core.spaces import with_commands
from mindseye.experience import rollout
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.worlds import make
from mindseye.worlds.crafter import tables
from mindseye.worlds.crafter_manual import laws, manual

_spec = importlib.util.spec_from_file_location(
    "lands_reader", Path(__file__).with_name("lands_reader.py")
)
lands_reader = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lands_reader)

COMMANDS = ["stay", "left", "right", "up", "down", "do", "place table", "make wood pickaxe"]
LAWS = [
    "To collect wood, face tree and do.",
    "To place table, have 2 wood and face grass.",
    "To make wood pickaxe, have 1 wood, within one step of table.",
    "To collect stone, face stone with wood pickaxe in hand and do.",
    "To eat cow, face cow and do until it is gone; this gives food.",
]
TASKS = [law.removeprefix("To ").split(",")[0] for law in LAWS]
WELL = "Health 9, food 9, drink 9, energy 9."


@pytest.fixture
def ask():
    return Asking(ScriptedLanguageModel(lands_reader.answer), max_tokens=128)


@pytest.fixture
def notes(ask):
    return study(ask, [*LAWS, "Lava is hot."], TASKS)


def said(agent, *texts):
    """Commands for texts that follow one another, and the thoughts at the last."""
    memory, commands, thought = agent.initial(1), [], ""
    for text in texts:
        (command,), memory, extras = agent.act([with_commands(text, COMMANDS)], memory)
        commands.append(command)
        (thought,) = extras["thought"]
    return commands, thought


def test_the_sentence_about_each_task_is_noted(notes):
    assert notes == dict(zip(TASKS, LAWS, strict=True))


def test_what_a_task_lacks_is_looked_up_too(ask):
    told = ["To craft fip, have 2 kelun.", "To get kelun, face dorv and do."]
    assert list(study(ask, told, ["craft fip"])) == ["craft fip", "get kelun"]


def test_what_is_missing_is_got_first_even_if_its_name_is_two_words(ask, notes):
    known = {task: notes[task] for task in ("collect stone", "make wood pickaxe", "place table")}
    seen = f"You see stone 1 up, table 1 left. You face up, stone. You hold 1 wood. {WELL}"
    (command,), thought = said(reader(ask, known, prompt="do"), seen)
    assert command == "make wood pickaxe"
    assert "which task is next? make wood pickaxe" in thought


def test_what_is_achieved_is_not_done_again(ask, notes):
    seen = f"You see tree 1 up. You face up, tree. You hold 2 wood. {WELL}"
    (command,), _ = said(reader(ask, notes, prompt="do"), seen)
    assert command == "do"
    achieved = f"{seen} Achieved: collect wood."
    commands, thought = said(reader(ask, notes, prompt="do"), achieved, achieved)
    assert "which task is next? place table" in thought
    assert commands[-1] != "do"


def test_who_is_hungry_eats_again(ask, notes):
    seen = "You see cow 1 up, tree 1 left. You face up, cow. You hold nothing."
    past = "Achieved: collect wood, eat cow."
    full, hungry = (f"{seen} Health 9, food {n}, drink 9, energy 9. {past}" for n in (9, 3))
    _, thought = said(reader(ask, notes, prompt="do"), full, full)
    assert "which task is next? eat cow" not in thought
    commands, thought = said(reader(ask, notes, prompt="do"), hungry, hungry)
    assert "which task is next? eat cow" in thought
    assert commands[-1] == "do"


def test_a_task_of_which_nothing_is_known_is_chosen_all_the_same():
    known = {"collect wood": "unknown"}
    answers = {"question: which task is next?": "collect wood", "question: which command?": "do"}
    model = ScriptedLanguageModel(lambda m: answers[m[-1]["content"].split("\n")[-1]])
    seen = f"You see tree 1 up. You face up, tree. You hold nothing. {WELL}"
    assert said(reader(Asking(model), known, prompt="do"), seen)[0] == ["do"]
    assert all("what is missing?" not in m[-1]["content"] for m in model.heard)


def test_asked_at_once_it_is_told_everything():
    model = ScriptedLanguageModel(lambda _: "tree 1 up. do")
    agent = reader(Asking(model), {"collect wood": LAWS[0]}, is_graph=False, prompt="do")
    assert said(agent, f"You see tree 1 up. {WELL}")[0] == ["do"]
    assert f"task: collect wood: {LAWS[0]}" in model.heard[0][-1]["content"]


def test_a_world_that_lists_no_commands_is_refused(ask, notes):
    agent = reader(ask, notes, prompt="do")
    with pytest.raises(ConfigError, match="lists no commands"):
        agent.act([f"You see tree 1 up. You face up, tree. {WELL}"], agent.initial(1))


@pytest.mark.skipif(
    importlib.util.find_spec("crafter") is None,
    reason='Crafter is missing: pip install "mindseye[crafter]"',
)
def test_whoever_answers_rightly_gets_on_in_crafter(ask):
    told = laws(tables())
    notes = study(ask, manual(told, np.random.default_rng(0)), list(told))
    assert notes == {task: f"To {task}, {how}." for task, how in told.items()}
    world = make("crafter", 4, observation="text", max_steps=100)
    agent, origin = reader(ask, notes, prompt="do"), Origin("real", "crafter")
    played = rollout(agent, world, origin=origin, episodes=4, seed=1)
    assert np.mean([e.total_reward for e in played]) >= 3


def test_what_led_nowhere_twice_is_not_tried_again():
    agent = reader(Asking(ScriptedLanguageModel(lambda _: "up")), {}, is_graph=False)
    seen = "You see dorv 2 up. You hold nothing."
    tried, thought = said(agent, *[seen] * 4)
    assert tried[:2] == ["up", "up"]
    assert tried[2] != "up"
    assert tried[3] not in ("up", tried[2])
    assert "led nowhere from here: up" in thought
    gone, _ = said(agent, seen, seen, "You see dorv 1 up. You hold nothing.", seen)
    assert gone == ["up", "up", "up", gone[-1]]
    assert gone[-1] != "up"

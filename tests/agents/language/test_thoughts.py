import re

import pytest
from gymnasium.spaces import Discrete

from mindseye.agents.language.agent import Asking, LanguageAgent, Mind, within
from mindseye.agents.language.look_ahead import look_ahead
from mindseye.agents.language.thoughts import Lessons, attempts_of, plan, react, recall, reflect
from mindseye.core.episode import Origin
from mindseye.core.errors import ConfigError
from mindseye.core.spaces import commands
from mindseye.experience import rollout
from mindseye.experience.memory import Attempt, Memory
from mindseye.models.language import open_language
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.models.world.language import LanguageWorldModel
from mindseye.worlds import make

HALL = "Task: take the key.\nYou are in the hall.\nYou can: go left; go right; wait."
ATTEMPT = Attempt("You are in the hall.", "take the key", "go left", "not fulfilled", False)
QUESTIONS = {
    "think": "what matters now?",
    "plan": "which sub-goals lead there?",
    "react": "which command?",
    "promise": "is the task within reach?",
    "reflect": "what is to be learned from this?",
}


class Told(ScriptedLanguageModel):
    """Answers by the name of the prompt; otherwise as a world in which the key is to the right."""

    def __init__(self, **answers):
        super().__init__(self._said)
        self.answers = {"think": "The key matters.", "plan": "find it; take it."} | answers
        self.asked = []

    def _said(self, messages):
        text = messages[-1]["content"]
        for name, question in QUESTIONS.items():
            if text.endswith(question):
                self.asked.append(name)
                said = self.answers.get(name) or _first(text)
                return said(text) if callable(said) else said
        self.asked.append("world")
        done = re.findall(r"Now: (.+)", text)[-1]
        there = {"go left": ("You are in the cellar.", 0), "go right": ("A key is here.", 0)}
        seen, reward = {"take key": ("You hold the key.", 1)}.get(done) or there.get(
            done, ("You are in the hall.", 0)
        )
        can = "take key; wait" if "is here" in seen else "go left; go right; wait"
        end = "yes" if reward else "no"
        return f"Reason: so it is.\n{seen}\nYou can: {can}.\nReward {reward}, done {end}."


def _first(text):
    return re.findall(r"You can: (.+)\.", text)[-1].split("; ")[0]


def acted(thoughts, model, *texts, budget=40):
    """What an agent did on these observations, its minds, and what it thought."""
    agent = LanguageAgent(Asking(model, budget=budget), thoughts)
    minds, said, told = agent.initial(1), [], []
    for text in texts or (HALL,):
        (command,), minds, extras = agent.act([text], minds)
        said.append(command)
        told += extras["thought"]
    return said, minds[0], told


def test_react_thinks_and_then_chooses_what_is_listed():
    model = Told(react="go right")
    said, mind, (told,) = acted([react], model)
    assert said == ["go right"]
    assert model.asked == ["think", "react"]
    assert "- The key matters." in model.heard[-1][-1]["content"]
    assert told.splitlines()[0] == "think: question: what matters now? The key matters."
    assert told.splitlines()[-1] == "command: go right"
    assert mind.facts["notes"] == {"thought": ["The key matters."]}


@pytest.mark.parametrize(("budget", "asked"), [(0, []), (1, ["react"]), (2, ["think", "react"])])
def test_react_gives_up_thinking_before_it_gives_up_choosing(budget, asked):
    model = Told(react="wait")
    said, *_ = acted([react], model, budget=budget)
    assert model.asked == asked
    assert said == ["wait" if budget else "go left"]


def test_react_asks_nothing_where_nothing_is_left_to_choose():
    model = Told()
    assert acted([react], model, "Here.\nYou can: wait.")[0] == ["wait"]
    assert model.asked == []


def test_a_world_without_commands_is_named():
    with pytest.raises(ConfigError, match="lists no commands"):
        acted([react], Told(), "You are nowhere.")


def test_what_was_done_before_is_shown():
    model = Told(react="wait")
    acted([react], model, HALL, "You are in the attic.\nYou can: wait; go down.")
    assert "You are in the hall.\n> wait\nYou are in the attic." in model.heard[-1][-1]["content"]


def test_a_plan_is_written_once_and_again_when_stuck():
    model = Told(plan="find it; take it.", react="wait")
    _, mind, _ = acted([plan, react], model, *[HALL] * 4)
    assert model.asked.count("plan") == 1
    assert mind.facts["notes"]["plan"] == ["find it", "take it"]
    acted([plan, react], again := Told(react="wait"), *[HALL] * 5)
    assert again.asked.count("plan") == 2
    assert "plan:\n- find it\n- take it" in again.heard[-1][-1]["content"]


def test_who_moves_on_keeps_the_plan():
    model = Told()
    places = [f"You are in room {n}.\nYou can: go on; wait." for n in range(8)]
    acted([plan, react], model, *places)
    assert model.asked.count("plan") == 1


def test_attempts_at_like_tasks_are_recalled():
    memory = Memory()
    memory.add([ATTEMPT])
    model = Told()
    _, _, (told,) = acted([recall(memory), react], model)
    line = "take the key: go left: not fulfilled"
    assert f"recall: {line}" in told.splitlines()
    assert f"tried before:\n- {line}" in model.heard[0][-1]["content"]
    assert acted([recall(Memory()), react], Told())[1].facts["notes"].keys() == {"thought"}


@pytest.mark.parametrize("depth", [1, 2])
def test_looking_ahead_finds_the_way(depth):
    """Rewards are seen from two steps away, or hoped for from one."""
    model = Told(promise=lambda text: "yes" if "A key is here." in text else "no")
    dream = LanguageWorldModel(model)
    said, mind, (told,) = acted([look_ahead(dream, depth=depth), react], model)
    assert said == ["go right"]
    assert "think" not in model.asked  # one command is left, so there is nothing to think about
    worth = {1: 0.95 * 0.5, 2: 0.95}[depth]
    way = {1: "go right", 2: "go right, then take key"}[depth]
    seen = {1: "A key is here.", 2: "You hold the key."}[depth]
    assert f"look_ahead: {way}: {seen} Worth {worth:.2f}." in told.splitlines()
    assert len(mind.facts["notes"]["imagined"]) == 3


def test_looking_ahead_goes_on_from_what_was_really_seen():
    model = Told(promise="no")
    dream = LanguageWorldModel(model)
    door = "Task: take the key.\nA key is here.\nYou can: take key; wait."
    said, *_ = acted([look_ahead(dream)], model, HALL, door)
    assert said[1] == "take key"
    asked = [m[-1]["content"] for m in model.heard if "Now: take key" in m[-1]["content"]]
    assert "You are in the hall." in asked[-1]
    assert "A key is here." in asked[-1]


def test_the_likeliest_commands_are_imagined_where_there_are_many():
    model = Told(promise="no")
    _, mind, _ = acted([look_ahead(LanguageWorldModel(model), width=2, depth=1)], model)
    assert [line.split(":")[0] for line in mind.facts["notes"]["imagined"]] == [
        "go left",
        "go right",
    ]
    assert mind.admissible == ["go left", "go right", "wait"]  # nothing was learned of them


@pytest.mark.parametrize("budget", range(9))
def test_looking_ahead_keeps_within_its_share(budget):
    model = Told()
    agent = LanguageAgent(
        Asking(model), [within(budget, look_ahead(LanguageWorldModel(model), width=2)), react]
    )
    (said,), (mind,), _ = agent.act([HALL], agent.initial(1))
    assert said in mind.admissible
    assert mind.facts["asked"] <= budget + 2
    assert len(model.asked) <= budget + 2


def test_looking_ahead_needs_a_world_of_words():
    with pytest.raises(ConfigError, match="world model of words"):
        look_ahead(LanguageWorldModel(Told()), depth=0)
    numbers = LanguageWorldModel(Told())
    numbers.action_space = Discrete(2)
    with pytest.raises(ConfigError, match="world model of words"):
        look_ahead(numbers)


def test_shares_lie_within_one_another():
    ask, mind, spent = Asking(Told(), budget=5), Mind(), []

    def greedy(minds, ask):
        spent.append(ask.left(minds[0]))
        while ask.spend(minds[0]):
            pass

    within(3, within(9, greedy))([mind], ask)
    within(9, greedy)([mind], ask)
    assert spent == [3, 2]
    assert ask.left(mind) == 0


def household(thoughts, model, **options):
    ask = Asking(model)
    agent, world = LanguageAgent(ask, thoughts), make("text/household", 2)
    origin = Origin("real", "text/household", agent="react")
    return ask, rollout(agent, world, origin=origin, **{"episodes": 2, "seed": 100, **options})


def test_lessons_of_failures_are_told_in_later_episodes():
    lessons, model = Lessons(), Told(reflect="Take the mug before you leave.\nAnd so on.")
    ask, episodes = household([lessons.remind, react], model)
    said = reflect(ask, lessons, episodes)
    assert lessons.texts == said[:1] == ["Take the mug before you leave."]
    assert "The task was not fulfilled in" in model.heard[-1][-1]["content"]
    _, more = household([lessons.remind, react], model)
    assert more[0].extras["thought"][0].startswith("lesson: Take the mug")
    kept = Lessons(most=1)
    kept.load_state_dict(lessons.state_dict())
    assert kept.texts == lessons.texts


def test_episodes_become_attempts_to_recall():
    _, episodes = household([react], Told())
    memory = Memory()
    memory.add(attempts_of(episodes))
    assert {attempt.success for attempt in memory.attempts} == {False}
    _, more = household([recall(memory), react], Told())
    assert more[0].extras["thought"][0].startswith("recall: put")


def test_all_thoughts_together_on_the_small_model():
    """It was not taught these prompts: what it says is of no use, but all of it holds together."""
    model, memory = open_language("small"), Memory()
    memory.add([ATTEMPT])
    dream, lessons = LanguageWorldModel(model, max_tokens=24), Lessons(["look first"])
    thoughts = [recall(memory), lessons.remind, plan, within(6, look_ahead(dream, width=2)), react]
    agent = LanguageAgent(Asking(model, budget=10, max_tokens=12), thoughts)
    world = make("text/household", 2)
    texts, _ = world.reset(seed=100)
    minds = agent.initial(2)
    for _ in range(3):
        said, minds, extras = agent.act(texts, minds)
        for mind, command, told in zip(minds, said, extras["thought"], strict=True):
            assert command in commands(mind.text)
            assert mind.facts["asked"] <= 10
            assert "look_ahead:" in told
            assert "lesson: look first" in told
        texts, *_ = world.step(said)

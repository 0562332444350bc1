import pytest

from mindseye.agents.language.agent import Asking, LanguageAgent, Mind, Question
from mindseye.agents.language.graph import Node, question_graph
from mindseye.core.errors import ConfigError
from mindseye.core.spaces import with_commands
from mindseye.models.language.cache import Remembered
from mindseye.models.language.scripted import ScriptedLanguageModel


def echo(messages):
    """Answers with the last line but one."""
    return messages[-1]["content"].split("\n")[0]


@pytest.fixture
def ask():
    return Asking(Remembered(ScriptedLanguageModel(echo)))


def note(name, *parents):
    seen = {}

    def ask_one(mind, answers):
        seen[name] = dict(answers)
        return [Question("relevant", {"sentence": name})]

    return Node(name, ask_one, parents), seen


def test_a_question_sees_its_parents_answers_and_no_others(ask):
    (first, _), (second, _), (third, seen) = note("a"), note("b"), note("c", "b")
    minds = [Mind()]
    question_graph([third, first, second])(minds, ask)
    assert seen["c"] == {"b": ["sentence: b"]}
    assert set(minds[0].facts["answers"]) == {"a", "b", "c"}


def test_parents_that_do_not_exist_are_named():
    with pytest.raises(ConfigError, match="no node z"):
        question_graph([note("a", "z")[0]])


def test_circles_are_refused():
    with pytest.raises(ConfigError, match="lead to one another"):
        question_graph([note("a", "b")[0], note("b", "a")[0]])


def test_equal_questions_are_asked_once_and_counted(ask):
    question = Question("relevant", {"sentence": "x"})
    answers = ask([Mind(), Mind()], [[question], [question, question]])
    assert answers == [["sentence: x"], ["sentence: x"] * 2]
    assert ask.model.ledger.cache_hits == 2


def test_questions_beyond_the_budget_are_answered_with_nothing():
    ask = Asking(ScriptedLanguageModel(echo), budget=1)
    questions = [Question("relevant", {"sentence": s}) for s in "ab"]
    assert ask([Mind()], [questions]) == [["sentence: a", ""]]
    assert ask.refused == 1


def test_an_agent_remembers_and_leaves_its_thoughts(ask):
    def think(minds, ask):
        for mind, (answer,) in zip(
            minds, ask(minds, [[Question("relevant", {"sentence": m.observation})] for m in minds]),
            strict=True,
        ):  # fmt: skip
            mind.command = mind.admissible[-1]
            mind.facts["heard"] = (*mind.facts.get("heard", ()), answer)

    agent = LanguageAgent(ask, [think])
    texts = [with_commands("a hall", ["go", "stay"]), with_commands("a room", ["sing"])]
    commands, memory, extras = agent.act(texts, agent.initial(2))
    assert commands == ["stay", "sing"]
    commands, memory, extras = agent.act(texts, memory)
    assert memory[0].previous == "a hall"
    assert memory[0].facts["heard"] == ("sentence: a hall",) * 2
    assert extras["thought"][1].endswith("command: sing")

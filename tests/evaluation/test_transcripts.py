import pytest

from mindseye.agents.reading import ReadingAgent
from mindseye.evaluation.transcripts import judge_steps, shared_parts, tell
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.models.policy.text import TextPolicy
from mindseye.models.world.language import LanguageWorldModel
from mindseye.models.world.transcript import Outcome, Transition, answer


def test_parts_of_a_state_are_counted_one_by_one():
    true = "Item 3: red hat, 20. Sizes: small. Chosen: none.\nYou can: buy; back."
    assert shared_parts(true, true) == 1.0
    assert shared_parts(true, true.replace("20", "25")) == pytest.approx(4 / 5)
    assert shared_parts(true, "") == 0.0


def test_a_trace_tells_reasons_and_rewards():
    bought = Outcome("It is yours.\nYou can: look.", 1.0, True, "it was asked for.")
    language = ScriptedLanguageModel(lambda messages: answer(bought, reasons=True))
    model, agent = LanguageWorldModel(language), ReadingAgent(TextPolicy())
    text = tell(model, agent, ["Task: buy it.\nHere it is.\nYou can: buy."], horizon=3)
    assert text.splitlines()[3:6] == ["> buy", "(it was asked for.)", "It is yours."]
    assert text.endswith("reward 1\n")


def test_rewards_are_judged_at_last_steps():
    here = "Item 3 is here.\nYou can: buy; wait."
    over = "It is over.\nYou can: look."

    def says(messages):
        pays = messages[-1]["content"].endswith("Now: buy")
        if not pays:
            return "nothing of use"
        return answer(Outcome(over, 1.0, True, "so."), reasons=True)

    steps = [
        Transition("Task: a.", ((here, "buy"),), Outcome(over, 1.0, True)),
        Transition("Task: b.", ((here, "buy"),), Outcome(over, 0.0, True)),
        Transition("Task: b.", ((here, "wait"),), Outcome(here, 0.0, False)),
    ]
    judged = judge_steps(LanguageWorldModel(ScriptedLanguageModel(says)), steps)
    assert judged == {
        "slots": [1.0, 1.0, 0.0],
        "unusable": [0.0, 0.0, 1.0],
        "false_rewards": [1.0],
        "missed_rewards": [0.0],
    }

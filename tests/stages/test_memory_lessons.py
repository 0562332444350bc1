"""Lessons in reading one attempt agree with a reader that makes no mistakes."""

import importlib.util
from pathlib import Path

import numpy as np

from mindseye.stages.lessons.memory import plan_from_memory, predict_outcome

_spec = importlib.util.spec_from_file_location(
    "perfect_reader", Path(__file__).parents[1] / "agents" / "language" / "perfect_reader.py"
)
perfect_reader = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(perfect_reader)


def test_every_answer_is_the_right_one():
    rng = np.random.default_rng(0)
    answers = []
    for lesson in [plan_from_memory] * 200 + [predict_outcome] * 200:
        messages, answer = lesson(rng, 0.1)
        assert answer == perfect_reader.answer(messages), messages
        answers.append(answer.split()[0])
    # all kinds of answers occur, none rules
    for kind in ("unknown", "succeeds", "fails:", "nothing", "1", "2"):
        assert 0.02 < answers.count(kind) / 400 < 0.5, kind

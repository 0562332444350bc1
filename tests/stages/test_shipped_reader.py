"""The shipped small model reads what it has never seen, and only by reading."""

import numpy as np
import pytest

from mindseye.models.language.small import Example, load_small
from mindseye.stages.language import examine


@pytest.fixture(scope="module")
def model():
    return load_small()


def test_it_reads_manuals_it_has_never_seen(model):
    names = ("facts", "needs", "missing", "induce")
    shares = examine(model, np.random.default_rng(100), 40, names=names)
    assert shares["facts"] > 0.9
    assert min(shares.values()) > 0.7


def test_a_shuffled_manual_tells_it_nothing(model):
    found = examine(
        model, np.random.default_rng(100), 40, names=("facts", "needs"), change=_shuffled
    )
    assert max(found.values()) < 0.3


def _shuffled(lesson: Example, rng: np.random.Generator) -> Example:
    """The same words of what is to be read, in another order; earlier answers are not given."""
    messages, answer = lesson
    *told, _ = messages[0]["content"].split("\n")
    words = " ".join(told).split(" ")
    rng.shuffle(words)
    question = messages[-1]["content"].split("\n")[-1]
    return [{"role": "user", "content": f"{' '.join(words)}\n{question}"}], answer

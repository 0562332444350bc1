import pickle

import numpy as np
import pytest

from mindseye.core import errors
from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError, MissingExtra
from mindseye.core.task import Task


def episode(**changes):
    fields = {
        "observations": np.zeros((3, 2), np.float32),
        "actions": np.zeros(2, np.int64),
        "rewards": np.array([0.0, 1.0], np.float32),
        "terminated": True,
        "truncated": False,
        "origin": Origin("real", "test"),
    }
    return Episode(**{**fields, **changes})


def test_length_is_the_number_of_actions():
    assert len(episode()) == 2
    assert episode().total_reward == 1.0


def test_a_reward_that_is_not_finite_is_named_by_step():
    with pytest.raises(DataError, match="reward at step 1"):
        episode(rewards=np.array([0.0, np.nan], np.float32))


def test_an_observation_that_is_not_finite_is_named_by_leaf():
    with pytest.raises(DataError, match=r"observations\.x"):
        episode(observations={"x": np.full((3, 1), np.inf, np.float32)})


def test_a_missing_last_observation_is_refused():
    with pytest.raises(DataError, match="2 rows, expected 3"):
        episode(observations=np.zeros((2, 2), np.float32))


def test_equal_tasks_have_equal_ids():
    assert Task("open the door", seed=1).id == Task("open the door", seed=1).id
    assert Task("open the door", seed=1).id != Task("open the door", seed=2).id


def test_every_error_survives_a_pickle():
    made = [
        MissingExtra("minigrid", "grid"),
        *(
            getattr(errors, name)("what went wrong")
            for name in vars(errors)
            if name.endswith("Error") and name != "MindseyeError"
        ),
    ]
    for error in made:
        back = pickle.loads(pickle.dumps(error))
        assert type(back) is type(error)
        assert str(back) == str(error)


def test_a_missing_extra_names_the_install_line():
    assert 'pip install "mindseye[grid]"' in str(MissingExtra("minigrid", "grid"))

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from hypothesis import given
from hypothesis import strategies as st

from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Prediction, WorldModel
from mindseye.evaluation.video import SampledWorldModel, auroc, round_trip_residual, signal_quality
from mindseye.worlds import DreamWorld


class Walk(WorldModel):
    """A random walk in one number; its step is the action, blurred by noise."""

    observation_space = Box(-100, 100, (1,), np.float32)
    action_space = Discrete(2)

    def __init__(self, noise):
        self.noise = noise

    def initial(self, batch_size):
        return {"place": torch.zeros(batch_size)}

    def observe(self, state, action, observation, is_first):
        return {"place": observation[:, 0]}

    def imagine(self, state, action):
        place = state["place"] + action
        return {"place": place + self.noise * torch.randn_like(place)}

    def predict(self, state):
        place = state["place"]
        return Prediction(place[:, None], torch.zeros_like(place), torch.ones_like(place))


def wander(model, steps, start):
    state = model.initial(len(start))
    first = torch.ones(len(start), dtype=torch.bool)
    ones = torch.ones(len(start), dtype=torch.long)
    state = model.observe(state, ones, start[:, None], first)
    for _ in range(steps):
        state = model.imagine(state, ones)
    return model.predict(state)


def test_a_certain_model_has_no_doubt_and_is_followed():
    start = torch.tensor([1.0, 5.0, 9.0])
    said = wander(SampledWorldModel(Walk(0.0), 3), 4, start)
    assert said.observation[:, 0].tolist() == [5, 9, 13]
    assert said.uncertainty.tolist() == [0, 0, 0]


def test_doubt_grows_with_the_noise_of_the_model():
    torch.manual_seed(0)
    start = torch.zeros(200)
    little, much = (wander(SampledWorldModel(Walk(s), 4), 5, start) for s in (0.1, 1.0))
    assert 5 * little.uncertainty.mean() < much.uncertainty.mean()


def test_copies_of_a_row_stay_with_their_row():
    torch.manual_seed(0)
    start = torch.tensor([0.0, 50.0])
    said = wander(SampledWorldModel(Walk(0.01), 8), 1, start)
    assert said.observation[:, 0].tolist() == pytest.approx([1, 51], abs=0.1)
    assert said.uncertainty.max() < 0.1


def test_a_dream_ends_where_the_copies_disagree():
    torch.manual_seed(0)

    def starts(count, rng):
        zeros = np.zeros((count, 1), np.float32)
        return {
            "observation": zeros[:, None],
            "action": np.zeros((count, 1), np.int64),
            "is_first": np.ones((count, 1), bool),
        }

    dream = DreamWorld(
        SampledWorldModel(Walk(1.0), 8), 4, starts=starts, horizon=50, max_uncertainty=1.0
    )
    dream.reset(seed=0)
    ended = np.zeros(4, bool)
    for _ in range(40):
        *_, infos = dream.step(np.zeros(4, np.int64))
        ended |= infos["ended_by_doubt"]
    assert ended.all()


def test_one_copy_cannot_disagree():
    with pytest.raises(ConfigError, match="two copies"):
        SampledWorldModel(Walk(0.0), 1)


def test_the_residual_is_what_the_code_loses():
    clips = np.full((2, 3, 8, 8, 3), 100, np.uint8)
    clips[1] = 107
    residual = round_trip_residual(lambda x: x // 10, lambda code: code * 10, clips)
    assert residual.tolist() == [[0] * 3, [7] * 3]


def test_auroc_by_hand():
    # wrong 3 and 1 against right 2 and 0: three of four pairs in order
    signal, wrong = np.array([3.0, 1.0, 2.0, 0.0]), np.array([True, True, False, False])
    assert auroc(signal, wrong) == pytest.approx(0.75)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=20))
def test_a_constant_signal_knows_nothing_and_the_opposite_signal_the_opposite(pairs):
    signal = np.array([float(s) for s, _ in pairs])
    wrong = np.array([w for _, w in pairs])
    area = auroc(signal, wrong)
    if wrong.all() or not wrong.any():
        assert np.isnan(area)
    else:
        assert area + auroc(-signal, wrong) == pytest.approx(1)
        assert auroc(np.zeros(len(wrong)), wrong) == pytest.approx(0.5)


def test_quality_has_an_interval_and_names():
    rng = np.random.default_rng(0)
    wrong = np.arange(60) < 20
    quality = signal_quality(wrong + rng.normal(size=60), wrong)
    assert quality.auroc.low < quality.auroc.value < quality.auroc.high
    assert [m.name for m in quality.measures("x")] == ["auroc/x", "wrong/x"]
    assert quality.wrong == pytest.approx(1 / 3)

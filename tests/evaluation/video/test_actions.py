import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete

from mindseye.core.errors import DataError, SpecError
from mindseye.core.protocols import Prediction, WorldModel
from mindseye.evaluation.video import (
    InverseDynamics,
    action_shuffle_ratio,
    dream_clips,
    fit_inverse_dynamics,
    inverse_agreement,
)

SIZE = 16


class Slider(WorldModel):
    """A bar that goes right by the action, or by nothing if it does not listen."""

    observation_space = Box(0, 255, (SIZE, SIZE, 3), np.uint8)
    action_space = Discrete(3)

    def __init__(self, listens=True):
        self.listens = listens

    def initial(self, batch_size):
        return {"place": torch.zeros(batch_size, dtype=torch.long)}

    def observe(self, state, action, observation, is_first):
        return {"place": observation[:, 0, :, 0].float().argmax(-1)}

    def imagine(self, state, action):
        step = action - 1 if self.listens else torch.zeros_like(action)
        return {"place": (state["place"] + step) % SIZE}

    def predict(self, state):
        rows = torch.arange(len(state["place"]))
        frames = torch.zeros(len(rows), SIZE, SIZE, 3, dtype=torch.uint8)
        frames[rows, :, state["place"]] = 255
        nothing = torch.zeros(len(rows))
        return Prediction(frames, nothing, nothing + 1, state["place"].float())


def slides(clips, frames=6, seed=0):
    rng = np.random.default_rng(seed)
    actions = rng.integers(3, size=(clips, frames - 1))
    places = (rng.integers(SIZE, size=(clips, 1)) + np.cumsum(actions - 1, 1)) % SIZE
    places = np.concatenate(((places[:, :1] - actions[:, :1] + 1) % SIZE, places), 1)
    seen = np.zeros((clips, frames, SIZE, SIZE, 3), np.uint8)
    seen[np.arange(clips)[:, None], np.arange(frames)[None], :, places] = 255
    return seen, actions


CLIPS, ACTIONS = slides(12)


def test_a_perfect_model_dreams_what_happened():
    dreamt, doubts = dream_clips(Slider(), CLIPS, ACTIONS, context=2)
    assert (dreamt == CLIPS).all()
    assert doubts.shape == (12, 4)
    assert doubts[0, 0] == CLIPS[0, 2, 0, :, 0].argmax()


def test_actions_that_do_not_fit_are_refused():
    with pytest.raises(SpecError, match="one action between frames"):
        dream_clips(Slider(), CLIPS, ACTIONS[:, 1:], context=2)


def test_a_model_that_listens_suffers_from_other_clips_actions():
    found = action_shuffle_ratio(Slider(), CLIPS, ACTIONS, context=2, rng=np.random.default_rng(0))
    assert found.true.max() == 0
    assert found.shuffled.mean() > 20


def test_a_model_that_does_not_listen_has_a_ratio_of_one():
    rng = np.random.default_rng(0)
    found = action_shuffle_ratio(Slider(listens=False), CLIPS, ACTIONS, context=2, rng=rng)
    assert found.ratio == pytest.approx(1)


def test_one_clip_has_nobody_to_swap_with():
    with pytest.raises(DataError, match="two clips"):
        action_shuffle_ratio(
            Slider(), CLIPS[:1], ACTIONS[:1], context=2, rng=np.random.default_rng(0)
        )


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    network = InverseDynamics(Discrete(3), (SIZE, SIZE), depth=8)
    rng = np.random.default_rng(0)
    fit_inverse_dynamics(network, *slides(200, seed=1), updates=200, batch=32, rng=rng)
    return network


def test_actions_are_read_off_dreams_that_obey(reader):
    dreamt, _ = dream_clips(Slider(), CLIPS, ACTIONS, context=2)
    assert inverse_agreement(reader, dreamt, ACTIONS, first=1).agreement.mean() > 0.8


def test_a_dream_that_stands_still_agrees_only_where_nothing_was_asked(reader):
    dreamt, _ = dream_clips(Slider(listens=False), CLIPS, ACTIONS, context=2)
    found = inverse_agreement(reader, dreamt, ACTIONS, first=2).agreement.mean()
    assert found == pytest.approx((ACTIONS[:, 2:] == 1).mean(), abs=0.1)


def test_numbers_are_read_as_numbers():
    torch.manual_seed(0)
    network = InverseDynamics(Box(-1, 1, (1,), np.float32), (SIZE, SIZE), depth=8)
    clips, actions = slides(100, seed=2)
    values = (actions[..., None] - 1).astype(np.float32)
    rng = np.random.default_rng(0)
    fit_inverse_dynamics(network, clips, values, updates=300, batch=32, rng=rng)
    assert inverse_agreement(network, clips, values).agreement.mean() > 0.5


def test_other_action_spaces_are_refused():
    with pytest.raises(SpecError, match="inverse dynamics"):
        InverseDynamics(Dict(a=Discrete(2)), (SIZE, SIZE))

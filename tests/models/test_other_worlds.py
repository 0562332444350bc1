"""Ensembles and decoder-free models: the same roles, the same dreams."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.agents.planners import BeamPlanner, Scorer
from mindseye.core.errors import ConfigError, ModelError
from mindseye.learners.decoder_free import DecoderFreeFitting
from mindseye.models.world.decoder_free import DecoderFreeWorldModel
from mindseye.models.world.ensemble import EnsembleWorldModel
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.sizes import SIZES
from mindseye.worlds import DreamWorld, check_world
from mindseye.worlds.starts import first_observations
from tests.learners.test_learning import counting_batch

SYMBOLS, ACTIONS = spaces.Discrete(4), spaces.Discrete(2)


def starts(n, rng):
    return first_observations(rng.integers(4, size=n), ACTIONS)


def member():
    return LatentWorldModel(SYMBOLS, ACTIONS, doubters=0, **SIZES["tiny"].arguments()).eval()


def test_an_ensemble_is_a_world_like_any_other():
    torch.manual_seed(0)
    check_world(DreamWorld(EnsembleWorldModel([member(), member()]), 4, starts=starts, horizon=9))


def test_members_that_are_equal_do_not_disagree():
    torch.manual_seed(0)
    one, other = member(), member()
    other.load_state_dict(one.state_dict())
    model = EnsembleWorldModel([one, other])
    state = model.initial(5)
    own = state["members"][0]
    said = model.predict({**state, "members": (own, own)})
    assert torch.equal(said.uncertainty, torch.zeros(5))


def test_every_row_follows_one_member():
    torch.manual_seed(0)
    model = EnsembleWorldModel([member(), member()])
    torch.nn.init.constant_(model.members[1].reward.net[-1].bias[-1:], 9.0)
    state = model.imagine(model.initial(64), torch.zeros(64, dtype=torch.long))
    said, followed = model.predict(state), state["followed"]
    assert 0 < followed.sum() < 64
    assert said.reward[followed == 1].min() > said.reward[followed == 0].max()


def test_one_member_is_no_ensemble():
    with pytest.raises(ConfigError, match="two members"):
        EnsembleWorldModel([member()])


@pytest.fixture(scope="module")
def decoder_free():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = DecoderFreeWorldModel(
        SYMBOLS, ACTIONS, latents=32, units=64, reward_limits=(0, 1), value_limits=(-10, 10)
    )
    fitting = DecoderFreeFitting(model, learning_rate=3e-3)
    first = fitting.update(counting_batch(rng))
    for _ in range(200):
        last = fitting.update(counting_batch(rng))
    assert last["loss/reward"] < 0.3 * first["loss/reward"]
    model.show(torch.arange(4))
    return model.eval()


def test_a_decoder_free_model_counts_without_ever_reconstructing(decoder_free):
    model, symbols = decoder_free, torch.arange(4)
    zero, one = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    state = model.observe(model.initial(4), zero, symbols, one.bool())
    for ahead in range(1, 6):
        state = model.imagine(state, one)
        with torch.no_grad():
            said = model.predict(state)
        assert said.observation.tolist() == ((symbols + ahead) % 4).tolist()
        assert said.reward.round().tolist() == ((symbols + ahead) % 4 == 0).float().tolist()


def test_its_value_sees_beyond_the_planner(decoder_free):
    model = decoder_free
    zero = torch.zeros(4, dtype=torch.long)
    state = model.observe(model.initial(4), zero, torch.arange(4), torch.ones(4).bool())
    scorer = Scorer(discount=0.97, value=lambda s: model.value(s["latent"]))
    assert BeamPlanner(horizon=2, scorer=scorer).plan(model, state).action.tolist() == [1, 1, 1, 1]


def test_it_is_a_world_like_any_other(decoder_free):
    check_world(DreamWorld(decoder_free, 4, starts=starts, horizon=9))


def test_nothing_to_show_is_said_so():
    model = DecoderFreeWorldModel(SYMBOLS, ACTIONS)
    with pytest.raises(ModelError, match="call show"):
        model.predict(model.initial(1))

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import ConfigError
from mindseye.learners.preference import PreferenceImagination
from mindseye.learners.video_fitting import TokenizerFitting, VideoFitting
from mindseye.models.policy import PolicyHead
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.sizes import SIZES
from mindseye.models.world.video import VideoWorldModel

FRAMES = spaces.Box(0, 255, (16, 16, 3), np.uint8)
SIZE = {
    "tokenizer": {"patch": 8, "latents": 4, "latent_width": 2, "width": 16, "layers": 2,
                  "heads": 2, "time_every": 2},
    "dynamics": {"layers": 2, "heads": 2, "time_every": 2, "window": 4},
    "width": 32, "spatial": 1, "finest": 8, "units": 16, "ahead": 2,
}  # fmt: skip


def video(**options):
    torch.manual_seed(0)
    return VideoWorldModel(FRAMES, spaces.Discrete(2), **{**SIZE, **options})


def latents(rows=16, time=6):
    """The action says which of two codes comes next; the reward is 1 for the second."""
    rng = np.random.default_rng(0)
    action = torch.from_numpy(rng.integers(2, size=(rows, time)))
    is_first = torch.zeros(rows, time, dtype=torch.bool)
    is_first[:, 0] = True
    code = (2.0 * action - 1).unsqueeze(-1).expand(-1, -1, 8) * 0.8
    return {
        "observation": code.float(),
        "action": action * ~is_first,
        "reward": action.float() * ~is_first,
        "continuation": torch.ones(rows, time),
        "is_first": is_first,
        "mask": torch.ones(rows, time),
    }


def fitted(updates=250, batch=None, model=None, **options):
    fitting = VideoFitting(model or video(), learning_rate=3e-3, **options)
    torch.manual_seed(1)
    losses = [fitting.update(batch or latents()) for _ in range(updates)]
    return fitting, losses


@pytest.mark.parametrize("is_forced", [False, True])
def test_the_world_learns_what_actions_do(is_forced):
    fitting, _ = fitted(is_forced=is_forced, long_share=0.25, long_after=50)
    model = fitting.model.eval()
    state = model.initial(32)
    first = torch.ones(32, dtype=torch.bool)
    state = model.remember(state, torch.zeros(32).long(), torch.full((32, 8), 0.8), first)
    for action, code in ((0, -0.8), (1, 0.8)):
        said = model.imagine(state, torch.full((32,), action))["latents"].mean()
        assert abs(said - code) < 0.3


def test_actions_that_were_not_recorded_cannot_be_learned():
    batch = {**latents(), "labelled": torch.zeros(16, 6)}
    fitting, _ = fitted(updates=60, batch=batch, long_share=0.0)
    assert fitting.model.acted.weight.abs().max() == 0


def test_the_agents_token_learns_rewards_and_what_to_copy():
    _, losses = fitted(knows_agent=True, updates=200)
    assert losses[-1]["loss/reward"] < 0.5 * losses[0]["loss/reward"]
    assert set(losses[0]) >= {"loss/dynamics", "loss/reward", "loss/continuation", "loss/policy"}


def test_only_what_is_worth_it_is_copied():
    batch = {**latents(), "weight": torch.zeros(16, 6)}
    _, losses = fitted(updates=1, batch=batch, knows_agent=True)
    assert losses[0]["loss/policy"] == 0


def test_the_tokenizer_is_left_alone():
    model = video()
    before = [p.clone() for p in model.tokenizer.parameters()]
    fitting, _ = fitted(updates=2, model=model)
    after = fitting.model.tokenizer.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_long_steps_need_a_model_with_shortcuts():
    with pytest.raises(ConfigError, match="long_share=0"):
        VideoFitting(video(is_shortcut=False), long_share=0.25)


@pytest.mark.parametrize("kind", ["tokenizer", "video"])
def test_fitting_goes_on_exactly_where_it_stopped(kind):
    frames = {
        "observation": torch.randint(256, (2, 3, 16, 16, 3), dtype=torch.uint8),
        "is_first": torch.zeros(2, 3, dtype=torch.bool),
        "mask": torch.ones(2, 3),
    }

    def begin():
        model = video()
        if kind == "tokenizer":
            return TokenizerFitting(model.tokenizer, decay=0.9), frames
        return VideoFitting(model, decay=0.9, long_after=2), latents()

    whole, batch = begin()
    torch.manual_seed(5)
    expected = [whole.update(batch) for _ in range(4)][-1]
    first, batch = begin()
    torch.manual_seed(5)
    for _ in range(2):
        first.update(batch)
    luck = torch.get_rng_state()
    rest, batch = begin()
    rest.load_state_dict(first.state_dict())
    torch.set_rng_state(luck)
    found = [rest.update(batch) for _ in range(2)][-1]
    assert found == expected


class First(torch.nn.Module):
    def forward(self, features):
        return features[..., 0]


class Always(torch.nn.Module):
    def forward(self, features):
        return torch.ones_like(features[..., 0])


class Paid(LatentWorldModel):
    """A latent world that pays for the second action, whatever happens."""

    def imagine(self, state, action):
        state = super().imagine(state, action)
        state["deterministic"] = action.float().unsqueeze(-1).expand_as(state["deterministic"])
        return state


def paid_model():
    torch.manual_seed(0)
    model = Paid(spaces.Discrete(3), spaces.Discrete(2), doubters=0, **SIZES["tiny"].arguments())
    model.reward, model.continuation = First(), Always()
    return model


def practised(updates=40, **options):
    model = paid_model()
    prior = PolicyHead(spaces.Discrete(2), features=model.num_features, units=16, layers=1)
    learner = PreferenceImagination(
        model, prior, horizon=4, learning_rate=3e-3, units=16, discount=0.5, **options
    )
    for _ in range(updates):
        metrics = learner.update(model.initial(32))
    return learner, metrics


def test_what_pays_becomes_likelier():
    learner, metrics = practised()
    assert metrics["dream/reward"] > 0.8
    said = learner.policy(torch.zeros(1, learner.model.num_features))
    assert said.log_prob(torch.tensor([1])).exp() > 0.7


def test_the_prior_stays_and_holds_the_policy_back():
    _, free = practised(prior_weight=0.0)
    learner, held = practised(prior_weight=3.0)
    assert held["policy/drift"] < free["policy/drift"]
    said = learner.prior(torch.zeros(1, learner.model.num_features))
    assert torch.allclose(said.entropy(), torch.tensor(0.6931), atol=1e-3)


def test_a_policy_equal_to_its_prior_has_not_drifted():
    _, metrics = practised(updates=1)
    assert metrics["policy/drift"] == pytest.approx(0.0, abs=1e-6)

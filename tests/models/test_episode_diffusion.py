import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import SpecError
from mindseye.models.diffusion.episodes import EpisodeDiffusion, Guidance
from mindseye.models.policy.deterministic import Certain

SEEN, PUSH = spaces.Box(-9, 9, (2,), np.float32), spaces.Box(-2, 2, (1,), np.float32)


def build(**options):
    torch.manual_seed(0)
    return EpisodeDiffusion(SEEN, PUSH, rows=5, widths=(8, 8), **options)


def windows(count=400):
    """Numbers around 3 that move by half the action; actions of deviation 0.5."""
    generator = torch.Generator().manual_seed(0)
    action = 0.5 * torch.randn(count, 5, 1, generator=generator)
    first = 3 + torch.randn(count, 1, 2, generator=generator)
    return {
        "observation": first + 0.5 * action.cumsum(1),
        "action": action,
        "reward": action[..., 0],
        "continuation": torch.ones(count, 5),
        "is_first": torch.zeros(count, 5, dtype=torch.bool),
        "mask": torch.ones(count, 5),
    }


def towards(wanted):
    return lambda observation: Certain(PUSH, torch.full_like(observation[..., :1], wanted))


@pytest.fixture(scope="module")
def fitted():
    model, batch = build(), windows()
    model.set_scales(batch)
    adam = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(250):
        adam.zero_grad()
        rows = torch.randint(400, (64,))
        model.losses({k: v[rows] for k, v in batch.items()})["noise"].backward()
        adam.step()
    return model


def test_features_of_windows_come_back():
    model, batch = build(), windows(3)
    fields = model._fields(model._features(batch))
    for name, leaf in fields.items():
        torch.testing.assert_close(leaf, batch[name])


def test_drawn_windows_have_the_scale_of_the_data(fitted):
    torch.manual_seed(1)
    drawn, real = fitted.sample(500), windows()
    for name in ("observation", "action", "reward"):
        assert drawn[name].mean().item() == pytest.approx(real[name].mean().item(), abs=0.25)
        assert drawn[name].std().item() == pytest.approx(real[name].std().item(), rel=0.3)
    assert (drawn["continuation"] == 1).all()


def test_guidance_moves_actions_towards_the_policy(fitted):
    means = []
    for guidance in (None, Guidance(towards(1.0))):
        torch.manual_seed(1)
        means.append(fitted.sample(300, guidance=guidance, steps=12)["action"][:, 1:].mean().item())
    assert means[1] > means[0] + 0.3


def test_actions_stay_in_their_box(fitted):
    drawn = fitted.sample(50, guidance=Guidance(towards(2.0), strength=50.0), steps=8)
    assert drawn["action"].abs().max() <= 2


@pytest.mark.parametrize("is_normalised", [True, False])
def test_the_pull_is_the_gradient_as_computed_by_hand(is_normalised):
    model = build()
    x = torch.zeros(2, 5, 5)
    x[1, :, 2] = 0.25  # a unit action of 0.25 is 0.5 in the world
    pull = model.pull(x, Guidance(towards(1.0), is_normalised=is_normalised))
    # d/du −½ (2u − 1)² = 2 (1 − 2u), for the four actions that answer something
    expected = torch.zeros(2, 5, 5)
    expected[0, 1:, 2], expected[1, 1:, 2] = (0.5, 0.5) if is_normalised else (2.0, 1.0)
    torch.testing.assert_close(pull, expected)


def test_no_pull_is_no_number_lost():
    model = build()
    x = torch.zeros(1, 5, 5)
    x[0, :, 2] = 0.5
    assert (model.pull(x, Guidance(towards(1.0))) == 0).all()


def test_windows_with_padding_are_left_out():
    model, batch = build(), windows(8)
    batch["mask"][2:, 3:] = 0.0
    seen = []
    model.denoiser.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    model.losses(batch)
    assert seen == [2]


@pytest.mark.parametrize(
    "pair",
    [(spaces.Discrete(2), PUSH), (SEEN, spaces.Discrete(2)), (SEEN, spaces.Box(0, np.inf, (1,)))],
)
def test_other_spaces_are_refused(pair):
    with pytest.raises(SpecError, match="episodes"):
        EpisodeDiffusion(*pair)

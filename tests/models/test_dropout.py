import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import ConfigError, SpecError
from mindseye.core.protocols import Latent, Outcomes, WorldModel
from mindseye.core.spaces import Words
from mindseye.models.world.dropout import DropoutWorldModel, FeatureDream
from mindseye.models.world.mixture import MixtureHead

VECTOR = spaces.Box(-1, 1, (3,), np.float32)
PICTURE = spaces.Box(0, 255, (16, 16, 3), np.uint8)
ACTIONS = spaces.Discrete(2)
MASKS = ("code_mask", "hidden_mask")


def build(observation_space=VECTOR, **options):
    torch.manual_seed(0)
    return DropoutWorldModel(observation_space, ACTIONS, width=32, **options)


def actions(n):
    return torch.zeros(n, dtype=torch.long)


def test_a_model_fills_its_roles():
    model = build()
    assert isinstance(model, WorldModel)
    assert isinstance(model, Latent)
    assert isinstance(model, Outcomes)


def test_masks_drop_the_asked_share_and_keep_the_mean():
    mask = build(dream_dropout=0.2).initial(4_000)["hidden_mask"]
    assert mask.unique().tolist() == pytest.approx([0.0, 1.25])
    assert (mask == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)


def test_a_dream_keeps_its_masks_over_time():
    model = build(dream_dropout=0.5)
    first = model.initial(8)
    later = model.imagine(model.imagine(first, actions(8)), actions(8))
    assert all(torch.equal(first[name], later[name]) for name in MASKS)


def test_every_dream_has_masks_of_its_own():
    masks = build(dream_dropout=0.5).initial(8)["hidden_mask"]
    assert len(masks.unique(dim=0)) == 8


def test_the_step_scope_draws_masks_at_every_step():
    model = build(dream_dropout=0.5, mask_scope="step")
    first = model.initial(8)
    assert not torch.equal(first["hidden_mask"], model.imagine(first, actions(8))["hidden_mask"])


@pytest.mark.parametrize("options", [{"mask_scope": "none"}, {"dream_dropout": 0.0}])
def test_without_masks_nothing_is_dropped(options):
    state = build(**({"dream_dropout": 0.5} | options)).initial(8)
    assert all((state[name] == 1).all() for name in MASKS)


def test_masks_change_what_the_memory_becomes():
    model = build(dream_dropout=0.5)
    state = model.initial(8)
    state = {**state, "hidden": torch.ones(8, 32), "code": torch.ones(8, 3)}
    assert len(model.imagine(state, actions(8))["hidden"].detach().unique(dim=0)) == 8


def test_actions_are_never_masked():
    model = build(dream_dropout=0.9)
    state = model.initial(64)
    state = {**state, **{name: torch.zeros_like(state[name]) for name in MASKS}}
    left = model.imagine(state, torch.zeros(64, dtype=torch.long))["hidden"]
    right = model.imagine(state, torch.ones(64, dtype=torch.long))["hidden"]
    assert ((left - right).abs().amax(1) > 1e-3).all()


def test_what_happened_is_tracked_without_dropout():
    model = build(dream_dropout=0.9)
    state = model.initial(8)
    state = {**state, "hidden": torch.ones(8, 32)}
    seen = model.observe(state, actions(8), torch.zeros(8, 3), torch.zeros(8, dtype=torch.bool))
    assert len(seen["hidden"].detach().unique(dim=0)) == 1


def test_first_rows_forget_and_draw_new_masks():
    model = build(dream_dropout=0.5)
    before = {**model.initial(2), "hidden": torch.ones(2, 32), "cell": torch.ones(2, 32)}
    is_first = torch.tensor([True, False])
    after = model.observe(before, actions(2), torch.zeros(2, 3), is_first)
    assert (after["hidden"][0] == 0).all()
    assert (after["hidden"][1] != 0).any()
    changed = (after["hidden_mask"] != before["hidden_mask"]).any(1)
    assert changed.tolist() == [True, False]


def test_the_same_seed_dreams_the_same():
    def dream():
        torch.manual_seed(3)
        model = build(dream_dropout=0.3)
        state = model.initial(4)
        for _ in range(3):
            state = model.imagine(state, actions(4))
        return model.features(state)

    assert torch.equal(dream(), dream())


def test_the_training_rate_is_independent_of_the_dream_rate():
    model = build(dropout=0.0, dream_dropout=0.5)
    assert (model.masks(8, model.dropout)["hidden_mask"] == 1).all()


def test_vectors_survive_being_encoded():
    model = build(scale=5.0)
    state = {**model.initial(2), "code": model.code.encode(torch.tensor([[0.1, -0.2, 0.3]] * 2))}
    assert model.predict(state).observation[0].tolist() == pytest.approx([0.1, -0.2, 0.3])


def test_pictures_become_codes_and_pictures_again():
    model = build(PICTURE, code_size=4, depth=4)
    picture = torch.from_numpy(np.stack([PICTURE.sample() for _ in range(2)]))
    state = model.initial(2)
    state = model.observe(state, actions(2), picture, torch.ones(2, dtype=torch.bool))
    seen = model.predict(state).observation
    assert state["code"].shape == (2, 4)
    assert seen.shape == picture.shape
    assert seen.dtype == torch.uint8


def test_continuations_are_probabilities():
    continuation = build().predict(build().initial(5)).continuation
    assert ((continuation > 0) & (continuation < 1)).all()


@pytest.mark.parametrize(
    "options", [{"dropout": 1.0}, {"dream_dropout": -0.1}, {"mask_scope": "x"}]
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ConfigError):
        build(**options)


def test_texts_are_refused():
    with pytest.raises(SpecError):
        build(Words())


def test_the_inside_of_a_dream_shows_the_features():
    model = build(dream_dropout=0.0)
    inside = FeatureDream(model)
    torch.manual_seed(1)
    state = inside.imagine(inside.initial(2), actions(2))
    shown = inside.predict(state).observation
    assert torch.equal(shown, model.features(state))
    assert shown.shape == (2, *inside.observation_space.shape)


def test_a_state_comes_back_from_its_features():
    model = build()
    inside = FeatureDream(model)
    state = model.imagine(model.initial(2), actions(2))
    again = inside.observe(
        model.initial(2), actions(2), model.features(state), torch.ones(2, dtype=torch.bool)
    )
    assert all(torch.equal(state[name], again[name]) for name in ("code", "hidden", "cell"))


def test_first_features_are_a_code_and_an_empty_memory():
    features = FeatureDream(build(scale=2.0)).first_features(torch.tensor([[0.5, 0.0, -0.5]]))
    assert features[0, :3].tolist() == [1.0, 0.0, -1.0]
    assert (features[0, 3:] == 0).all()


def set_mixture(head, weights, means, log_deviations):
    """Make a head say the same whatever it reads."""
    with torch.no_grad():
        for layer in (head.weights, head.gaussians):
            layer.weight.zero_()
        head.weights.bias.copy_(torch.tensor(weights).log())
        gaussians = torch.stack([torch.tensor(means), torch.tensor(log_deviations)])
        head.gaussians.bias.copy_(gaussians.flatten())


@pytest.mark.parametrize("kind", ["dimension", "joint"])
def test_one_gaussian_costs_its_negative_log_density(kind):
    head = MixtureHead(2, 1, 1, kind)
    set_mixture(head, [1.0], [[1.0]], [[0.0]])
    loss = head.loss(torch.zeros(1, 2), torch.tensor([[3.0]]))
    assert loss.item() == pytest.approx(0.5 * 4 + 0.5 * np.log(2 * np.pi))


def test_a_joint_mixture_draws_numbers_that_belong_together():
    head = MixtureHead(2, 2, 2, "joint")
    set_mixture(head, [0.5, 0.5], [[-1.0, 1.0], [-1.0, 1.0]], [[-4.0, -4.0], [-4.0, -4.0]])
    drawn = head.sample(torch.zeros(200, 2))
    assert (drawn[:, 0].sign() == drawn[:, 1].sign()).all()


def test_mixtures_by_dimension_draw_numbers_independently():
    head = MixtureHead(2, 2, 2, "dimension")
    means, narrow = [[-1.0, 1.0], [-1.0, 1.0]], [[-4.0, -4.0], [-4.0, -4.0]]
    set_mixture(head, [0.5, 0.5, 0.5, 0.5], means, narrow)
    drawn = head.sample(torch.zeros(200, 2))
    assert 0.3 < (drawn[:, 0].sign() == drawn[:, 1].sign()).float().mean() < 0.7


def test_components_are_drawn_by_their_weights():
    head = MixtureHead(2, 1, 2, "joint")
    set_mixture(head, [0.8, 0.2], [[0.0, 5.0]], [[-4.0, -4.0]])
    drawn = head.sample(torch.zeros(4_000, 2))
    assert (drawn > 2.5).float().mean().item() == pytest.approx(0.2, abs=0.03)

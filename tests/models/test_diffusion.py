import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from mindseye import ops
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Outcomes, WorldModel
from mindseye.models.diffusion import (
    ImageDenoiser,
    MovingAverage,
    SequenceDenoiser,
    StateDenoiser,
)
from mindseye.models.policy import TwoHotActionEncoder
from mindseye.models.world.diffusion import DiffusionWorldModel
from mindseye.worlds import DreamWorld
from mindseye.worlds.check import check_world

VECTOR = spaces.Box(-10, 10, (3,), np.float32)
PICTURE = spaces.Box(0, 255, (16, 18, 3), np.uint8)
FORCE = spaces.Box(-2, 2, (2,), np.float32)
SMALL = {"units": 32, "layers": 2, "widths": (8, 8)}


def build(space=VECTOR, actions=FORCE, **options):
    torch.manual_seed(0)
    return DiffusionWorldModel(space, actions, **{**SMALL, **options})


def no_start(rows):
    return torch.zeros(rows, dtype=torch.bool)


def segments(space=VECTOR, actions=FORCE, rows=6, steps=5):
    space.seed(0)
    actions.seed(0)
    first = torch.zeros(rows, steps, dtype=torch.bool)
    first[:, 0] = True

    def drawn(box):
        return torch.from_numpy(np.stack([box.sample() for _ in range(rows * steps)])).unflatten(
            0, (rows, steps)
        )

    return {
        "observation": drawn(space),
        "action": drawn(actions),
        "reward": torch.zeros(rows, steps),
        "continuation": torch.ones(rows, steps),
        "is_first": first,
        "mask": torch.ones(rows, steps),
    }


@pytest.mark.parametrize("space", [VECTOR, PICTURE], ids=["vector", "picture"])
@pytest.mark.parametrize("context", [1, 3])
def test_it_dreams_by_the_house_rules(space, context):
    model = build(space, context=context)
    assert isinstance(model, WorldModel)
    assert isinstance(model, Outcomes)
    batch = segments(space, steps=context)

    def starts(n, rng):
        return {
            name: batch[name].numpy()[rng.integers(6, size=n)]
            for name in ("observation", "action", "is_first")
        }

    check_world(DreamWorld(model, 3, starts=starts, horizon=4))


@pytest.mark.parametrize(
    "actions",
    [spaces.Discrete(4, start=-1), spaces.MultiDiscrete([2, 3]), spaces.Box(-np.inf, np.inf, (2,))],
)
def test_other_actions_are_taken(actions):
    model = build(actions=actions)
    state = model.imagine(
        model.initial(2), torch.from_numpy(np.stack([actions.sample() for _ in range(2)]))
    )
    assert model.predict(state).observation.shape == (2, 3)


def test_observations_of_other_kinds_are_refused():
    with pytest.raises(SpecError, match="Box"):
        build(spaces.Discrete(4))


@pytest.mark.parametrize("space", [VECTOR, PICTURE], ids=["vector", "picture"])
def test_what_was_observed_is_predicted_back(space):
    model = build(space)
    seen = segments(space)["observation"][:, 0]
    model.set_scales(seen, seen.flip(0))
    state = model.observe(model.initial(6), torch.zeros(6, 2), seen, ~no_start(6))
    torch.testing.assert_close(model.predict(state).observation, seen)


def test_a_first_observation_pays_nothing_and_fills_the_history():
    model = build(context=3)
    seen = segments()["observation"][:2, 0]
    state = model.observe(model.initial(2), torch.ones(2, 2), seen, torch.tensor([True, False]))
    assert torch.equal(state["past"][0], model.form.encode(seen[:1]).expand(3, -1))
    assert (state["action"][0] == 0).all()
    assert (state["past"][1, :2] == 0).all()
    assert state["reward"][0] == 0
    assert state["continuation"][0] == 1


def test_training_reads_the_histories_that_stepping_remembers():
    """The state before each step is the condition that the loss is computed with."""
    model, batch, told = build(context=3), segments(rows=1), []
    batch["is_first"][0, 3] = True
    model.form.register_forward_pre_hook(lambda _, args: told.append(args[2:]))
    model.losses(batch)
    past, action = told.pop()
    state, expected = model.initial(1), []
    for t in range(5):
        if not batch["is_first"][0, t]:
            model.imagine(state, batch["action"][:, t])
            expected.append(told[-1])
        state = model.observe(
            state, batch["action"][:, t], batch["observation"][:, t], batch["is_first"][:, t]
        )
    assert torch.equal(past, torch.cat([x for x, _ in expected]))
    assert torch.equal(action, torch.cat([x for _, x in expected]))


def test_padding_and_starts_are_not_learned():
    model, batch, told = build(), segments(), []
    batch["mask"][:, 3:] = 0
    batch["is_first"][2, 2] = True
    model.form.register_forward_pre_hook(lambda _, args: told.append(len(args[0])))
    model.losses(batch)
    assert told == [6 * 2 - 1]


def test_nothing_known_costs_one():
    model = build()
    torch.manual_seed(0)
    batch = segments(rows=400)
    model.set_scales(batch["observation"][:, 0], batch["observation"][:, 1])
    assert model.losses(batch)["observation"].item() == pytest.approx(1.0, abs=0.1)


def test_numbers_that_never_change_stay():
    model = build(doubt=True)
    before = segments()["observation"][:, 0]
    after = before.clone()
    after[:, 1:] += torch.randn(6, 2)
    model.set_scales(before, after)
    state = model.observe(model.initial(6), torch.zeros(6, 2), before, ~no_start(6))
    said = model.predict(model.imagine(state, torch.ones(6, 2)))
    torch.testing.assert_close(said.observation[:, 0], before[:, 0])
    assert (said.observation[:, 1] - before[:, 1]).abs().min() > 1e-4
    assert (said.uncertainty > 0).all()


def test_without_doubt_there_is_no_uncertainty():
    assert build().predict(build().initial(2)).uncertainty is None


def test_dreamed_pictures_are_pictures():
    model = build(PICTURE)
    past = model.imagine(model.initial(2), torch.zeros(2, 2))["past"][:, -1]
    shown = (past + 1) * 127.5
    torch.testing.assert_close(shown, shown.round().clamp(0, 255), rtol=0, atol=1e-3)


def test_events_are_paid_or_not_and_end_the_episode():
    model = build(reward="event")
    torch.nn.init.normal_(model.reward.net[-1].weight, std=10.0)
    state = model.imagine(model.initial(64), torch.randn(64, 2))
    assert set(state["reward"].tolist()) == {0.0, 1.0}
    assert ((state["continuation"] == 0) == (state["reward"] == 1)).all()


def test_events_are_judged_by_what_is_reached_alone():
    model, seen = build(reward="event"), torch.randn(4, 3)
    said = [model._outcome(torch.randn(4, 3), torch.randn(4, 2), seen) for _ in range(2)]
    assert torch.equal(said[0][1], said[1][1])


def test_gradients_reach_the_action_through_a_dream():
    model, action = build(action_bins=5), torch.zeros(2, 2, requires_grad=True)
    torch.nn.init.normal_(model.form.denoiser.net[-1].weight)
    model.imagine(model.initial(2), action)["past"].sum().backward()
    assert (action.grad != 0).any()


@pytest.mark.parametrize(("is_mean", "spread"), [(False, 0.2), (True, 0.0)])
def test_a_noisy_line_is_learned(is_mean, spread):
    """A number moves by its action, give or take 0.2."""
    torch.manual_seed(0)
    space, push = spaces.Box(-9, 9, (1,), np.float32), spaces.Box(-1, 1, (1,), np.float32)
    before, action = torch.randn(2_000, 1), 2 * torch.rand(2_000, 1) - 1
    after = before + action + 0.2 * torch.randn(2_000, 1)
    batch = {
        "observation": torch.stack((before, after), 1),
        "action": torch.stack((torch.zeros_like(action), action), 1),
        "reward": torch.zeros(2_000, 2),
        "continuation": torch.ones(2_000, 2),
        "is_first": torch.tensor([True, False]).expand(2_000, 2),
        "mask": torch.ones(2_000, 2),
    }
    model = DiffusionWorldModel(space, push, units=48, layers=2, steps=16, is_mean=is_mean)
    model.set_scales(before, after)
    adam = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(500):
        rows = torch.randint(2_000, (256,))
        adam.zero_grad()
        sum(model.losses({k: v[rows] for k, v in batch.items()}).values()).backward()
        adam.step()
    state = model.observe(model.initial(2_000), action, before, ~no_start(2_000))
    with torch.no_grad():
        said = model.predict(model.imagine(state, torch.full((2_000, 1), 0.5)))
    moved = said.observation - before
    assert moved.mean().item() == pytest.approx(0.5, abs=0.05)
    assert moved.std().item() == pytest.approx(spread, abs=0.06)


def test_histories_repeat_the_first_row_and_leave_out_what_is_unknown():
    first = torch.tensor([[True, False, False, False], [False, False, False, True]])
    index, known = ops.histories(first, 2)
    assert known.tolist() == [[False, True, True, True], [False, False, True, False]]
    assert index[0, 1:].tolist() == [[0, 0], [0, 1], [1, 2]]
    assert index[1, 2].tolist() == [0, 1]


@given(st.lists(st.floats(-2, 2, width=32), min_size=2, max_size=2), st.integers(2, 30))
def test_two_hot_actions_lose_nothing(action, bins):
    encoder = TwoHotActionEncoder(FORCE, bins)
    hot = encoder(torch.tensor([action]))
    assert hot.shape == (1, encoder.size)
    assert ((hot > 0).sum() <= 4).item()
    torch.testing.assert_close(encoder.decode(hot), torch.tensor([action]), atol=1e-5, rtol=1e-5)


def test_two_hot_actions_are_as_computed_by_hand():
    encoder = TwoHotActionEncoder(spaces.Box(-1, 1, (1,), np.float32), 3)
    assert encoder(torch.tensor([[0.25]])).tolist() == [[0.0, 0.75, 0.25]]


@pytest.mark.parametrize(
    "space", [spaces.Discrete(3), spaces.Box(-np.inf, np.inf, (2,), np.float32)]
)
def test_only_bounded_boxes_become_two_hot(space):
    with pytest.raises(SpecError, match="two-hot"):
        TwoHotActionEncoder(space)


DENOISERS = {
    "state": (lambda: StateDenoiser(4, 3, units=16), (4,), ((3,),)),
    "picture": (
        lambda: ImageDenoiser(3, 2, 5, widths=(8, 16)),
        (3, 9, 14),
        ((6, 9, 14), (5,)),
    ),
    "sequence": (lambda: SequenceDenoiser(5, widths=(8, 16, 16)), (11, 5), ()),
}


@pytest.mark.parametrize("name", DENOISERS)
def test_denoisers_say_zero_at_first_and_then_depend_on_all_they_are_told(name):
    torch.manual_seed(0)
    make, shape, conditions = DENOISERS[name]
    denoiser = make()
    inputs = [torch.randn(2, *shape), torch.randn(2), *(torch.randn(2, *c) for c in conditions)]
    said = denoiser(*inputs)
    assert said.shape == (2, *shape)
    assert (said == 0).all()
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    for x in inputs:
        x.requires_grad_()
    denoiser(*inputs)[0].square().sum().backward()
    for x in inputs:
        assert (x.grad[0] != 0).any()
        assert (x.grad[1] == 0).all()


def test_averaged_weights_follow_as_computed_by_hand():
    module = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(0.0)
    average = MovingAverage(module, decay=0.2)
    with torch.no_grad():
        module.weight.fill_(1.0)
    average.update()  # keeps 2 / 11
    average.update()  # keeps 0.2
    assert average.module.weight.item() == pytest.approx(1 - 0.2 * 2 / 11)


def test_an_average_goes_on_after_restoring():
    module = torch.nn.Linear(1, 1)
    first, second = MovingAverage(module), MovingAverage(module)
    with torch.no_grad():
        module.weight.add_(1.0)
    first.update()
    second.load_state_dict(first.state_dict())
    assert second.updates == 1
    assert torch.equal(first.module.weight, second.module.weight)

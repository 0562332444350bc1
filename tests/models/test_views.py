import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import SpecError
from mindseye.core.protocols import WorldModel
from mindseye.models.world.misheard import MisheardWorldModel
from mindseye.models.world.views import MultiViewWorldModel
from mindseye.worlds import DreamWorld
from mindseye.worlds.check import check_world

PICTURE = spaces.Box(0, 255, (16, 16, 3), np.uint8)
POSE = spaces.Box(-1, 1, (2,), np.float32)
VIEWS = spaces.Dict({"top": PICTURE, "wrist": PICTURE, "pose": POSE})
PUSH = spaces.Box(-1, 1, (2,), np.float32)


def build(**options):
    torch.manual_seed(0)
    small = {"memory": 4, "widths": (8, 8), "units": 16}
    return MultiViewWorldModel(VIEWS, PUSH, **{**small, **options})


def segments(rows=6, steps=6):
    rng = np.random.default_rng(0)
    first = torch.zeros(rows, steps, dtype=torch.bool)
    first[:, 0] = True
    pictures = [
        torch.from_numpy(rng.integers(0, 256, (rows, steps, 16, 16, 3), np.uint8)) for _ in range(2)
    ]
    pose = torch.from_numpy(rng.uniform(-1, 1, (rows, steps, 2)).astype(np.float32))
    return {
        "observation": {"top": pictures[0], "wrist": pictures[1], "pose": pose},
        "action": torch.from_numpy(rng.uniform(-1, 1, (rows, steps, 2)).astype(np.float32)),
        "is_first": first,
        "mask": torch.ones(rows, steps),
    }


def at(batch, t):
    return {name: leaf[:, t] for name, leaf in batch["observation"].items()}


def awake(model, batch, steps):
    state = model.initial(len(batch["mask"]))
    for t in range(steps):
        state = model.observe(state, batch["action"][:, t], at(batch, t), batch["is_first"][:, t])
    return state


@pytest.mark.parametrize("doubt", [False, True])
def test_it_dreams_by_the_house_rules(doubt):
    model, batch = build(doubt=doubt), segments()
    assert isinstance(model, WorldModel)

    def starts(n, rng):
        rows = rng.integers(6, size=n)
        seen = {k: v[:, :1].numpy()[rows] for k, v in batch["observation"].items()}
        parts = {k: batch[k][:, :1].numpy()[rows] for k in ("action", "is_first")}
        return {"observation": seen, **parts}

    check_world(DreamWorld(model, 3, starts=starts, horizon=4))


def test_what_was_observed_is_predicted_back():
    model, batch = build(), segments()
    said = model.predict(awake(model, batch, 3))
    for name, leaf in at(batch, 2).items():
        assert torch.equal(said.observation[name], leaf)
    assert list(said.observation) == list(VIEWS)
    assert (said.reward == 0).all()
    assert (said.continuation == 1).all()
    assert said.uncertainty is None


def test_training_looks_at_the_frames_that_stepping_looks_at():
    model, batch, told = build(recent=1, retrieved=2, history_noise=0.0), segments(rows=1), []
    model.denoiser.register_forward_pre_hook(lambda _, args: told.append(args[2:]))
    model.losses(batch)
    known, numbers = told.pop()
    for t in range(1, 6):
        state = awake(model, batch, t)
        encoded = model.action_encoder(batch["action"][:, t])
        pose = batch["observation"]["pose"][:, t]
        chosen = model._chosen(state["poses"], pose)
        rows = torch.zeros(1, 1, dtype=torch.long)
        model._network(
            torch.zeros(1, 6, 16, 16),
            torch.zeros(1),
            state["frames"][rows, chosen],
            state["poses"][rows, chosen],
            pose,
            encoded,
        )
        assert torch.equal(told[-1][0][0], known[t - 1])
        assert torch.equal(told[-1][1][0], numbers[t - 1])


def test_the_frame_seen_nearest_to_a_pose_is_looked_up():
    model = build(memory=5, recent=2, retrieved=1)
    poses = torch.tensor([[[0.9, 0.0], [0.1, 0.0], [-0.5, 0.0], [0.0, 0.0], [0.2, 0.0]]])
    chosen = model._chosen(poses, torch.tensor([[0.12, 0.0]]))
    assert chosen.tolist() == [[1, 3, 4]]


def test_of_equally_near_frames_the_newest_is_looked_up():
    model = build(memory=5, recent=2, retrieved=1)
    assert model._chosen(torch.zeros(1, 5, 2), torch.zeros(1, 2)).tolist() == [[2, 3, 4]]


def test_ridges_lie_where_the_pose_is():
    model = build()
    maps = model._ridges(torch.tensor([[-0.9375, 0.9375]]))
    # the middle of the first of 16 columns, and that of the topmost line
    assert maps[0, 0].argmax(1).tolist() == [0] * 16
    assert maps[0, 3].argmax(0).tolist() == [0] * 16
    assert maps[0, 0, 0, 0].item() == pytest.approx(1.0)


def test_padding_and_starts_are_not_learned():
    model, batch, told = build(), segments(), []
    batch["mask"][:, 4:] = 0
    model.denoiser.register_forward_pre_hook(lambda _, args: told.append(len(args[0])))
    model.losses(batch)
    assert told == [6 * 3]


def test_nothing_known_costs_one():
    model, batch = build(), segments(rows=200)
    model.set_scales(at(batch, 0), at(batch, 1))
    losses = model.losses(batch)
    assert losses["frames"].item() == pytest.approx(1.0, abs=0.1)
    assert losses["pose"].item() == pytest.approx(1.0, abs=0.1)


def test_it_learns_where_actions_lead():
    model, batch = build(), segments(rows=32, steps=2)
    pose, action = batch["observation"]["pose"], batch["action"]
    pose[:, 1] = (pose[:, 0] + 0.1 * action[:, 1]).clamp(-1, 1)
    model.set_scales(at(batch, 0), at(batch, 1))
    optimiser = torch.optim.Adam(model.reach.parameters(), lr=1e-2)
    for _ in range(100):
        optimiser.zero_grad()
        model.losses(batch)["pose"].backward()
        optimiser.step()
    state = model.imagine(awake(model, batch, 1), action[:, 1])
    reached = model.predict(state).observation["pose"]
    assert (reached - pose[:, 1]).abs().mean() < 0.02


def test_a_doubting_model_says_how_far_its_draws_lie_apart():
    model, batch = build(doubt=True), segments()
    state = model.imagine(awake(model, batch, 1), batch["action"][:, 1])
    assert (model.predict(state).uncertainty > 0).all()


@pytest.mark.parametrize(
    "space",
    [
        PICTURE,
        spaces.Dict({"top": PICTURE}),
        spaces.Dict({"pose": POSE}),
        spaces.Dict({"top": PICTURE, "side": POSE, "pose": POSE}),
        spaces.Dict(
            {"top": PICTURE, "side": spaces.Box(0, 255, (17, 16, 3), np.uint8), "pose": POSE}
        ),
    ],
)
def test_other_observations_are_refused(space):
    with pytest.raises(SpecError, match="views"):
        MultiViewWorldModel(space, PUSH)


def test_a_memory_too_small_is_refused():
    with pytest.raises(SpecError, match="larger"):
        build(memory=2, recent=2, retrieved=1)


def test_a_misheard_world_does_what_other_rows_asked_for():
    model, batch = build(), segments(rows=64)
    model.set_scales(at(batch, 0), at(batch, 1))
    torch.nn.init.normal_(model.reach[-1].weight)
    heard = []
    model.action_encoder.register_forward_pre_hook(lambda _, args: heard.append(args[0]))
    state, action = awake(model, batch, 1), batch["action"][:, 1]
    MisheardWorldModel(model).imagine(state, action)
    assert not torch.equal(heard[0], action)
    assert torch.equal(heard[0].sort(0).values, action.sort(0).values)

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import SpecError
from mindseye.core.protocols import WorldModel
from mindseye.models.world.keypoints import Eyes
from mindseye.models.world.misheard import MisheardWorldModel
from mindseye.models.world.views import MultiViewWorldModel
from mindseye.worlds import DreamWorld
from mindseye.worlds.check import check_world

PICTURE = spaces.Box(0, 255, (16, 16, 3), np.uint8)
POSE = spaces.Box(-1, 1, (2,), np.float32)
VIEWS = spaces.Dict({"top": PICTURE, "wrist": PICTURE, "pose": POSE})
PUSH = spaces.Box(-1, 1, (2,), np.float32)
SIZE = 2 * 2 * 3


def build(**options):
    torch.manual_seed(0)
    small = {"memory": 4, "units": 16, "layers": 1}
    return MultiViewWorldModel(Eyes(VIEWS, points=2, depth=4), PUSH, **{**small, **options})


def segments(rows=6, steps=6):
    """What the world learns from: points, poses and actions."""
    draw = torch.Generator().manual_seed(0)
    points = torch.rand(rows, steps, SIZE, generator=draw) * 2 - 1
    pose = torch.rand(rows, steps, 2, generator=draw) * 2 - 1
    mask = torch.ones(rows, steps)
    mask[:, :4] = 0
    return {
        "observation": {"points": points, "pose": pose},
        "action": torch.rand(rows, steps, 2, generator=draw) * 2 - 1,
        "mask": mask,
    }


def at(batch, t):
    return {name: leaf[:, t] for name, leaf in batch["observation"].items()}


def remembering(batch, t):
    """The state of a world with a memory of four before row t."""
    return {name: leaf[:, t - 4 : t] for name, leaf in batch["observation"].items()}


def pictures(rows):
    rng = np.random.default_rng(0)
    seen = {n: rng.integers(0, 256, (rows, 16, 16, 3), np.uint8) for n in ("top", "wrist")}
    return {**seen, "pose": rng.uniform(-1, 1, (rows, 2)).astype(np.float32)}


def test_it_dreams_by_the_house_rules():
    model, seen = build(), pictures(6)
    assert isinstance(model, WorldModel)

    def starts(n, rng):
        rows = rng.integers(6, size=n)
        context = {k: v[rows][:, None] for k, v in seen.items()}
        first = np.ones((n, 1), bool)
        return {"observation": context, "action": np.zeros((n, 1, 2), np.float32)} | {
            "is_first": first
        }

    check_world(DreamWorld(model, 3, starts=starts, horizon=4))


def test_a_first_observation_fills_the_memory_and_later_ones_push():
    model, seen = build(), {k: torch.from_numpy(v) for k, v in pictures(3).items()}
    start, action = model.initial(3), torch.zeros(3, 2)
    state = model.observe(start, action, seen, torch.ones(3, dtype=torch.bool))
    assert torch.equal(state["pose"], seen["pose"].unsqueeze(1).expand(-1, 4, -1))
    assert torch.equal(state["points"][:, 0], model.eyes.read(seen))
    after = model.observe(state, action, {**seen, "pose": 0 * seen["pose"]}, torch.zeros(3) > 0)
    assert torch.equal(after["pose"][:, 2], seen["pose"])
    assert (after["pose"][:, 3] == 0).all()


def test_a_prediction_shows_every_camera_and_promises_nothing():
    model = build()
    said = model.predict(model.initial(2))
    assert list(said.observation) == list(VIEWS)
    assert said.observation["top"].shape == (2, 16, 16, 3)
    assert said.observation["wrist"].dtype == torch.uint8
    assert (said.reward == 0).all()
    assert (said.continuation == 1).all()


def test_training_looks_at_the_frames_that_stepping_looks_at():
    model, batch, told = build(recent=1, retrieved=2), segments(steps=5), []
    model.denoiser.register_forward_pre_hook(lambda _, args: told.append(args[2]))
    model.losses(batch)
    pose = batch["observation"]["pose"][:, 4]
    model._reached = lambda before, encoded: pose
    model.imagine(remembering(batch, 4), batch["action"][:, 4])
    assert torch.equal(told[0], told[1])


def test_later_rows_are_told_from_what_was_drawn_before():
    model, batch, told = build(), segments(steps=6), []
    model.denoiser.register_forward_pre_hook(lambda _, args: told.append(args[2]))
    model.losses(batch)
    other = {**batch["observation"], "points": batch["observation"]["points"].clone()}
    # at first nothing is predicted to change, so the last frame known is drawn but for noise
    other["points"][:, 5] = 9
    model.losses({**batch, "observation": other})
    assert torch.equal(told[0], told[2])
    real = remembering(batch, 5)["points"][:, -1]
    assert not torch.isclose(told[1][:, 2 * SIZE : 3 * SIZE], real).any()


def test_rows_without_a_mask_cost_nothing():
    model, batch = build(), segments(steps=6)
    batch["mask"][:, 5] = 0
    torch.manual_seed(1)
    before = model.losses(batch)["pose"]
    batch["observation"]["pose"][:, 5] = 9
    assert torch.equal(model.losses(batch)["pose"], before)


def test_the_frame_seen_nearest_to_a_pose_is_looked_up():
    model = build(memory=5, recent=2, retrieved=1)
    poses = torch.tensor([[[0.9, 0.0], [0.1, 0.0], [-0.5, 0.0], [0.0, 0.0], [0.2, 0.0]]])
    chosen = model._chosen(poses, torch.tensor([[0.12, 0.0]]))
    assert chosen.tolist() == [[1, 3, 4]]


def test_of_equally_near_frames_the_newest_is_looked_up():
    model = build(memory=5, recent=2, retrieved=1)
    assert model._chosen(torch.zeros(1, 5, 2), torch.zeros(1, 2)).tolist() == [[2, 3, 4]]


def test_nothing_known_costs_one():
    model, batch = build(), segments(rows=500, steps=5)
    model.set_scales(at(batch, 3), at(batch, 4))
    losses = model.losses(batch)
    assert losses["frames"].item() == pytest.approx(1.0, abs=0.1)
    assert losses["pose"].item() == pytest.approx(1.0, abs=0.1)


def test_it_learns_where_actions_lead():
    model, batch = build(), segments(rows=32, steps=5)
    pose, action = batch["observation"]["pose"], batch["action"]
    pose[:, 4] = (pose[:, 3] + 0.1 * action[:, 4]).clamp(-1, 1)
    model.set_scales(at(batch, 3), at(batch, 4))
    optimiser = torch.optim.Adam(model.reach.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        model.losses(batch)["pose"].backward()
        optimiser.step()
    state = model.imagine(remembering(batch, 4), action[:, 4])
    assert (state["pose"][:, -1] - pose[:, 4]).abs().mean() < 0.02


@pytest.mark.parametrize(
    "space",
    [
        PICTURE,
        spaces.Dict({"top": PICTURE}),
        spaces.Dict({"pose": POSE}),
        spaces.Dict({"top": PICTURE, "side": POSE, "pose": POSE}),
        spaces.Dict({"top": spaces.Box(0, 255, (17, 16, 3), np.uint8), "pose": POSE}),
    ],
)
def test_other_observations_are_refused(space):
    with pytest.raises(SpecError, match="views"):
        Eyes(space, points=2)


def test_a_memory_too_small_is_refused():
    with pytest.raises(SpecError, match="larger"):
        build(memory=2, recent=2, retrieved=1)


def test_a_misheard_world_does_what_other_rows_asked_for():
    model, batch = build(), segments(rows=64)
    heard = []
    model.action_encoder.register_forward_pre_hook(lambda _, args: heard.append(args[0]))
    action = batch["action"][:, 4]
    MisheardWorldModel(model).imagine(remembering(batch, 4), action)
    assert not torch.equal(heard[0], action)
    assert torch.equal(heard[0].sort(0).values, action.sort(0).values)

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import CheckpointError, SpecError
from mindseye.core.protocols import Latent, Outcomes, WorldModel
from mindseye.models.files import load_model, save_model
from mindseye.models.video import motion_weight
from mindseye.models.world.video import VideoWorldModel
from mindseye.worlds import DreamWorld, check_world
from mindseye.worlds.starts import first_observations

FRAMES = spaces.Box(0, 255, (16, 16, 3), np.uint8)
TOKENIZER = {"patch": 8, "latents": 2, "latent_width": 4, "width": 16, "layers": 2, "heads": 2,
             "time_every": 2, "window": 4}  # fmt: skip
DYNAMICS = {"layers": 2, "heads": 2, "time_every": 2, "window": 4, "registers": 1}


def video(action_space=None, **options):
    torch.manual_seed(0)
    options = {"tokenizer": TOKENIZER, "dynamics": DYNAMICS, "width": 16, "units": 16} | options
    model = VideoWorldModel(FRAMES, action_space or spaces.Discrete(3), finest=8, **options)
    for transformer in (model.tokenizer.encoder, model.tokenizer.decoder, model.dynamics):
        for block in transformer.blocks:
            torch.nn.init.normal_(block.merge.weight, std=0.3)
            torch.nn.init.normal_(block.out.weight, std=0.3)
    return model.eval()


def starts(n, rng):
    frames = rng.integers(256, size=(n, *FRAMES.shape), dtype=np.uint8)
    return first_observations(frames, spaces.Discrete(3))


def observed(model, frames, actions):
    state = model.initial(len(frames))
    for t in range(frames.shape[1]):
        first = torch.full((len(frames),), t == 0)
        state = model.observe(state, actions[:, t], frames[:, t], first)
    return state


def clip(batch=3, time=4):
    torch.manual_seed(1)
    return (
        torch.randint(256, (batch, time, *FRAMES.shape), dtype=torch.uint8),
        torch.randint(3, (batch, time)),
    )


def test_it_plays_every_role():
    assert isinstance(video(), WorldModel)
    assert isinstance(video(), Latent)
    assert isinstance(video(), Outcomes)


@pytest.mark.parametrize("steps", [1, 4, 8])
def test_it_is_a_world_like_any_other(steps):
    check_world(DreamWorld(video(steps=steps), 4, starts=starts, horizon=9))


def test_boxes_of_actions_are_welcome():
    model = video(spaces.Box(-1, 1, (2,), np.float32))
    state = model.imagine(model.initial(3), torch.zeros(3, 2))
    assert model.predict(state).observation.shape == (3, *FRAMES.shape)


def test_observing_frame_by_frame_equals_reading_the_clip():
    model, (frames, actions) = video(), clip()
    is_first = torch.zeros(3, 4, dtype=torch.bool)
    is_first[:, 0] = True
    state = observed(model, frames, actions)
    latents = model.tokenizer.encode(frames, is_first)
    assert torch.allclose(state["latents"], latents[:, -1], atol=1e-4)


def test_stepping_the_dynamics_equals_reading_the_clip():
    model, (_, actions) = video(), clip()
    is_first = torch.zeros(3, 4, dtype=torch.bool)
    is_first[:, 0] = True
    noisy, level = torch.randn(3, 4, model.tokenizer.size), torch.full((3, 4), model.clear)
    size, told = torch.zeros_like(level), model.condition_on(actions, ~is_first)
    clean, agent = model.denoise(noisy, level, size, told, is_first)
    state = model.initial(3)
    for t in range(4):
        step, spoken, past = model._step(noisy[:, t], level[:, t], size[:, t], told[:, t], state)
        state = {**state, "past": past, "before": noisy[:, t]}
        assert (step - clean[:, t]).abs().max() < 1e-4
        assert (spoken - agent[:, t]).abs().max() < 1e-4


def test_nothing_reads_the_agents_token():
    model = video()
    noisy, level = torch.randn(3, 4, model.tokenizer.size), torch.full((3, 4), model.clear)
    is_first = torch.zeros(3, 4, dtype=torch.bool)
    told = model.condition_on(torch.zeros(3, 4, dtype=torch.long), None)
    before = model.denoise(noisy, level, level * 0, told, is_first)
    with torch.no_grad():
        model.agent += 1
    after = model.denoise(noisy, level, level * 0, told, is_first)
    assert torch.allclose(before[0], after[0], atol=1e-5)
    assert not torch.allclose(before[1], after[1], atol=1e-2)


def test_rows_that_begin_forget_their_past():
    model, (frames, actions) = video(), clip()
    state = observed(model, frames, actions)
    begun = torch.tensor([True, False, True])
    again, fresh = (
        model.observe(s, actions[:, 0], frames[:, 0], begun) for s in (state, model.initial(3))
    )
    apart = (again["latents"] - fresh["latents"]).abs().amax(-1)
    assert apart[begun].max() < 1e-5
    assert apart[~begun].min() > 1e-6


def test_the_action_matters_and_an_unknown_one_does_not():
    model = video()
    torch.nn.init.normal_(model.acted.weight)
    known = torch.tensor([True, False])
    told = [model.condition_on(torch.full((2,), a), known) for a in (0, 2)]
    assert not torch.allclose(told[0][0], told[1][0])
    assert torch.equal(told[0][1], told[1][1])


def test_remembering_latents_equals_observing_their_frame():
    model, (frames, actions) = video(), clip()
    first = torch.ones(3, dtype=torch.bool)
    torch.manual_seed(3)
    seen = model.observe(model.initial(3), actions[:, 0], frames[:, 0], first)
    torch.manual_seed(3)
    told = model.remember(model.initial(3), actions[:, 0], seen["latents"], first)
    assert torch.allclose(seen["features"], told["features"])


def test_symbols_are_refused():
    with pytest.raises(SpecError, match="expected pictures"):
        VideoWorldModel(spaces.Discrete(3), spaces.Discrete(2))


def test_latents_that_do_not_pack_are_refused():
    with pytest.raises(SpecError, match="do not pack"):
        video(spatial=3)


def test_an_adapted_world_is_a_world_like_any_other():
    check_world(DreamWorld(video(is_adapted=True), 4, starts=starts, horizon=9))


def test_an_adapter_begins_silent_and_learns_alone():
    model, (_, actions) = video(is_adapted=True), clip()
    is_first = torch.zeros(3, 4, dtype=torch.bool)
    noisy, level = torch.randn(3, 4, model.tokenizer.size), torch.full((3, 4), 2)
    torch.nn.init.normal_(model.leave.weight)

    def denoised(chosen):
        told = model.condition_on(chosen, None)
        return model.denoise(noisy, level, level * 0, told, is_first)[0]

    assert torch.equal(denoised(actions), denoised(actions * 0))
    model.requires_grad_(False)
    model.adapter.requires_grad_(True)
    denoised(actions).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.adapter.parameters())
    torch.nn.init.normal_(model.adapter.layers[0].weight)
    assert not torch.allclose(denoised(actions), denoised(actions * 0), atol=1e-3)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_the_motion_weight_has_mean_one(strength):
    weight = motion_weight(torch.randn(3, 5, 8), strength)
    assert torch.allclose(weight.mean(-1), torch.ones(3, 5), atol=1e-5)


def test_what_moved_weighs_more():
    still = torch.zeros(1, 2, 4)
    still[0, 1, 2] = 2.0
    weight = motion_weight(still, 1.0)
    assert torch.equal(weight[0, 0], torch.ones(4))
    assert weight[0, 1].argmax() == 2
    assert torch.allclose(weight[0, 1, 2] / weight[0, 1, 0], torch.tensor(np.exp(2.0)).float())


def test_a_saved_world_says_the_same(tmp_path):
    model, (frames, actions) = video(), clip()
    save_model(tmp_path, model)
    again = load_model(tmp_path)
    torch.manual_seed(0)
    before = observed(model, frames, actions)
    torch.manual_seed(0)
    assert torch.equal(observed(again, frames, actions)["features"], before["features"])


def test_a_model_of_unknown_class_is_refused(tmp_path):
    save_model(tmp_path, video())
    card = tmp_path / "card.json"
    card.write_text(card.read_text().replace("VideoWorldModel", "CrystalBall"))
    with pytest.raises(CheckpointError, match="unknown class 'CrystalBall'"):
        load_model(tmp_path)

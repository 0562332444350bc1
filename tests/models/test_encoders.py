"""Frozen encoders of frames: one interface, whatever learned them."""

import math

import numpy as np
import pytest
import torch

from mindseye.core.errors import CheckpointError, ConfigError, ModelError
from mindseye.learners.representation import HiddenPatchFitting
from mindseye.models.files import load_encoder, save_encoder
from mindseye.models.perception.encoders import (
    FrameEncoder,
    Pooled,
    RandomPatches,
    RawPatches,
    blurring,
    patchify,
    unpatchify,
)
from mindseye.models.perception.transformers import TransformersEncoder
from mindseye.models.perception.vision import HiddenPatches, PatchTransformer

SHAPE = (16, 24, 3)


def frames(rows=3, shape=SHAPE, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (rows, *shape), dtype=np.uint8))


def encoders():
    torch.manual_seed(0)
    own = PatchTransformer(SHAPE, patch=8, features=16, layers=1, heads=2).eval()
    return {
        "raw": RawPatches(SHAPE, patch=8),
        "random": RandomPatches(SHAPE, patch=8, features=12),
        "own": own,
        "pooled": Pooled(own),
    }


@pytest.mark.parametrize("name", ["raw", "random", "own", "pooled"])
def test_every_encoder_gives_what_it_promises(name):
    encoder = encoders()[name]
    assert isinstance(encoder, FrameEncoder)
    tokens = encoder(frames())
    assert tokens.shape == (3, math.prod(encoder.grid), encoder.num_features)
    assert tokens.dtype == torch.float32


@pytest.mark.parametrize("name", ["raw", "random", "own", "pooled"])
def test_a_frame_is_encoded_alone(name):
    encoder = encoders()[name]
    together = encoder(frames())
    torch.testing.assert_close(encoder(frames()[1:2]), together[1:2], atol=1e-5, rtol=1e-5)


def test_patches_are_numbered_line_by_line():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert patchify(x, 2)[0].tolist() == [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
        [8, 9, 12, 13],
        [10, 11, 14, 15],
    ]


def test_unpatchify_undoes_patchify():
    x = torch.rand(2, 3, 16, 24)
    assert torch.equal(unpatchify(patchify(x, 8), (2, 3)), x)


def test_raw_patches_are_pixels_around_zero():
    white = torch.full((1, *SHAPE), 255, dtype=torch.uint8)
    assert (RawPatches(SHAPE, patch=8)(white) == 0.5).all()


def test_a_local_patch_knows_nothing_of_its_neighbour():
    encoder, seen = RandomPatches(SHAPE, patch=8, features=6, blurs=(0.0,)), frames(1)
    other = seen.clone()
    other[:, :8, 8:16] = 0
    changed = (encoder(seen) != encoder(other)).any(-1)[0]
    assert changed.tolist() == [False, True, False, False, False, False]


def test_a_blurred_patch_feels_its_neighbour():
    encoder, seen = RandomPatches(SHAPE, patch=8, features=6, blurs=(3.0,)), frames(1)
    other = seen.clone()
    other[:, :8, 8:16] = 0
    assert (encoder(seen) != encoder(other)).any(-1).all()


def test_blurring_keeps_what_is_even_and_spreads_a_point():
    matrix = blurring(9, 1.0)
    torch.testing.assert_close(matrix @ torch.ones(9), torch.ones(9))
    point = matrix[:, 4]
    assert point.argmax() == 4
    # a Gaussian falls by exp(-1/2) within one standard deviation
    assert float(point[5] / point[4]) == pytest.approx(math.exp(-0.5), rel=1e-3)


def test_equal_seeds_project_alike():
    first, second = (RandomPatches(SHAPE, patch=8, features=6, seed=3) for _ in range(2))
    assert torch.equal(first(frames()), second(frames()))


def test_pooled_features_are_the_mean():
    made = encoders()
    expected = made["own"](frames()).mean(1, keepdim=True)
    torch.testing.assert_close(made["pooled"](frames()), expected)


def test_every_token_of_the_transformer_feels_every_patch():
    encoder, seen = encoders()["own"], frames(1)
    for weights in encoder.net.parameters():
        # networks begin as the identity
        torch.nn.init.normal_(weights, std=0.3)
    other = seen.clone()
    other[:, :8, :8] = 0
    assert (encoder(seen) != encoder(other)).any(-1).all()


@pytest.mark.parametrize("kind", ["own", "random"])
def test_an_encoder_survives_its_folder(kind, tmp_path):
    encoder = encoders()[kind]
    save_encoder(tmp_path, encoder)
    torch.testing.assert_close(load_encoder(tmp_path)(frames()), encoder(frames()))


def test_a_folder_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no frame encoder here"):
        load_encoder(tmp_path)


def test_patches_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="into patches of 7"):
        RawPatches(SHAPE, patch=7)


def test_features_that_scales_cannot_share_are_refused():
    with pytest.raises(ConfigError, match="7 features cannot be shared among 3 scales"):
        RandomPatches(SHAPE, patch=8, features=7)


def striped(rows, rng):
    """Frames that are bright on one half and dark on the other: any patch tells all others."""
    seen = torch.zeros(rows, 16, 16, 3, dtype=torch.uint8)
    bright = torch.from_numpy(rng.integers(2, size=rows))
    seen[bright == 0, :, :8] = 200
    seen[bright == 1, :, 8:] = 200
    return seen


def test_hidden_patches_are_learned_from_the_others():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    encoder = PatchTransformer((16, 16, 3), patch=8, features=16, layers=1, heads=2)
    task = HiddenPatches(encoder, (0.0, 2.0))
    task.calibrate(striped(64, rng))
    learner = HiddenPatchFitting(task, share=0.5, learning_rate=3e-3)
    losses = [learner.update({"observation": striped(32, rng)})["loss/hidden"] for _ in range(150)]
    assert np.mean(losses[:5]) > 0.8
    # one frame in sixteen hides everything, where nothing better than the mean can be told
    assert np.mean(losses[-20:]) < 0.35


def test_an_encoder_does_not_see_what_frames_have_in_common():
    torch.manual_seed(0)
    encoder = PatchTransformer((16, 16, 3), patch=8, features=16, layers=1, heads=2).eval()
    room = torch.randint(0, 100, (16, 16, 3), dtype=torch.uint8)
    seen = torch.randint(0, 50, (8, 16, 16, 3), dtype=torch.uint8)
    encoder.calibrate(seen)
    bare = encoder(seen)
    encoder.calibrate(2 * seen + room)
    torch.testing.assert_close(encoder(2 * seen + room), bare, atol=1e-4, rtol=1e-4)


def test_a_learner_of_hidden_patches_goes_on_exactly():
    def learner():
        torch.manual_seed(1)
        encoder = PatchTransformer(SHAPE, patch=8, features=16, layers=1, heads=2)
        return HiddenPatchFitting(HiddenPatches(encoder, (0.0,)))

    first, second, batch = learner(), learner(), {"observation": frames(4)}
    first.update(batch)
    second.load_state_dict(first.state_dict())
    torch.manual_seed(2)
    expected = first.update(batch)
    torch.manual_seed(2)
    assert second.update(batch) == expected


@pytest.fixture(scope="module", params=["dinov2", "vit_mae"])
def foreign(request, tmp_path_factory):
    """A tiny randomly initialised model, saved as its library saves it."""
    library = pytest.importorskip("transformers")
    sizes = {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "image_size": 28,
        "patch_size": 14,
    }
    torch.manual_seed(0)
    kinds = {
        "dinov2": (library.Dinov2Config, library.Dinov2Model),
        "vit_mae": (library.ViTMAEConfig, library.ViTMAEModel),
    }
    configuration, model = kinds[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    model(configuration(**sizes)).save_pretrained(folder)
    return folder


def test_foreign_encoders_fit_the_interface(foreign):
    encoder = TransformersEncoder(foreign)
    assert isinstance(encoder, FrameEncoder)
    assert encoder(frames()).shape == (3, 4, 16)
    assert not any(p.requires_grad for p in encoder.parameters())


def test_foreign_encoders_see_the_whole_frame_in_order(foreign):
    encoder = TransformersEncoder(foreign)
    assert torch.equal(encoder(frames()), encoder(frames()))
    seen = torch.zeros(1, 28, 28, 3, dtype=torch.uint8)
    corner = seen.clone()
    corner[:, :14, 14:] = 255
    moved = (encoder(seen) - encoder(corner)).square().sum(-1)[0]
    assert moved.argmax() == 1


def test_foreign_encoders_take_other_sizes(foreign):
    encoder = TransformersEncoder(foreign, size=42)
    assert encoder.grid == (3, 3)
    assert encoder(frames()).shape == (3, 9, 16)


def test_a_foreign_encoder_that_is_not_here_is_not_fetched(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(ModelError, match="no such encoder here"):
        TransformersEncoder(tmp_path / "nothing")

import pytest
import torch

from mindseye.core.errors import SpecError
from mindseye.models.video import VideoTokenizer

SMALL = {"patch": 4, "latents": 2, "latent_width": 4, "width": 16, "layers": 2, "heads": 2}


@pytest.fixture
def tokenizer():
    torch.manual_seed(0)
    return VideoTokenizer((8, 12, 3), **SMALL, time_every=2, window=4)


def clip(batch=2, time=6):
    torch.manual_seed(1)
    is_first = torch.zeros(batch, time, dtype=torch.bool)
    is_first[:, 0] = True
    return torch.randint(0, 256, (batch, time, 8, 12, 3), dtype=torch.uint8), is_first


def test_patches_are_cut_and_joined_without_loss(tokenizer):
    frames = clip()[0].float()
    assert torch.equal(tokenizer._joined(tokenizer._cut(frames)), frames)


def test_a_patch_holds_neighbouring_pixels(tokenizer):
    frames = clip()[0].float()
    patch = tokenizer._cut(frames)[0, 0, 4].reshape(4, 4, 3)
    assert torch.equal(patch, frames[0, 0, 4:8, 4:8])


def test_latents_are_bounded_and_of_the_promised_size(tokenizer):
    latents = tokenizer.encode(*clip())
    assert latents.shape == (2, 6, tokenizer.size)
    assert latents.abs().max() < 1


def test_encoding_frame_by_frame_equals_encoding_the_clip(tokenizer):
    frames, is_first = clip()
    past, found = tokenizer.initial(2), []
    for t in range(6):
        latents, past = tokenizer.encode_step(frames[:, t], past)
        found.append(latents)
    assert (torch.stack(found, 1) - tokenizer.encode(frames, is_first)).abs().max() < 1e-4


def test_latents_do_not_see_the_future(tokenizer):
    frames, is_first = clip()
    before = tokenizer.encode(frames, is_first)
    frames[:, 4:] = 0
    assert torch.allclose(tokenizer.encode(frames, is_first)[:, :4], before[:, :4], atol=1e-5)


def test_hidden_patches_have_no_influence(tokenizer):
    frames, is_first = clip()
    shown = torch.ones(2, 6, 6, dtype=torch.bool)
    shown[..., 0] = False
    before = tokenizer.encode(frames, is_first, shown=shown)
    frames[:, :, :4, :4] = 0
    assert torch.allclose(tokenizer.encode(frames, is_first, shown=shown), before, atol=1e-5)


def test_decoding_reads_the_latents_of_its_own_frame_only(tokenizer):
    latents = tokenizer.encode(*clip())
    alone = tokenizer.decode(latents[:, 3])
    assert torch.allclose(tokenizer.decode(latents)[:, 3], alone, atol=1e-5)


def test_fitting_lowers_the_error(tokenizer):
    frames, is_first = clip(time=2)
    adam = torch.optim.Adam(tokenizer.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        loss = tokenizer.loss(frames, is_first).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_latents_that_cannot_share_the_patches_are_refused():
    with pytest.raises(SpecError, match="4 latents cannot share 6 patches"):
        VideoTokenizer((8, 12, 3), **{**SMALL, "latents": 4})


def test_patches_that_do_not_fill_the_frame_are_refused():
    with pytest.raises(SpecError, match="patches of 5"):
        VideoTokenizer((8, 12, 3), **{**SMALL, "patch": 5})

import pytest
import torch

from mindseye.core.errors import ConfigError
from mindseye.models.backbones import SpaceTimeTransformer

SIZES = {"layers": 4, "heads": 4, "key_heads": 2, "time_every": 2, "window": 5, "registers": 2}


@pytest.fixture(params=[50.0, None], ids=["capped", "fused"])
def network(request):
    return awake(SpaceTimeTransformer(16, **SIZES, soft_cap=request.param))


def awake(network):
    """Blocks begin as the identity; here they shall do something."""
    torch.manual_seed(0)
    for block in network.blocks:
        torch.nn.init.normal_(block.merge.weight, std=0.3)
        torch.nn.init.normal_(block.out.weight, std=0.3)
    return network


def test_a_new_network_is_the_identity_but_for_a_norm():
    tokens, is_first = clip()
    network = SpaceTimeTransformer(16, **SIZES)
    assert torch.allclose(network(tokens, is_first), network.leave(tokens))


def clip(batch=3, time=9, tokens=4):
    torch.manual_seed(1)
    is_first = torch.zeros(batch, time, dtype=torch.bool)
    is_first[:, 0] = True
    return torch.randn(batch, time, tokens, 16), is_first


def stepped(network, tokens, is_first, **options):
    cache, found = network.initial(len(tokens), tokens.shape[2]), []
    for t in range(tokens.shape[1]):
        cache = {**cache, "length": cache["length"] * ~is_first[:, t]}
        out, cache = network.step(tokens[:, t], cache, **options)
        found.append(out)
    return torch.stack(found, 1)


def test_stepping_with_a_cache_equals_reading_the_clip_at_once(network):
    tokens, is_first = clip()
    is_first[1, 4] = True
    apart = (stepped(network, tokens, is_first) - network(tokens, is_first)).abs().max()
    assert apart < 1e-4


def test_no_frame_sees_the_future(network):
    tokens, is_first = clip()
    before = network(tokens, is_first)
    tokens[:, 5:] += 1
    assert torch.allclose(network(tokens, is_first)[:, :5], before[:, :5], atol=1e-5)


def test_no_frame_sees_an_earlier_episode(network):
    tokens, is_first = clip()
    is_first[:, 3] = True
    before = network(tokens, is_first)
    tokens[:, :3] += 1
    assert torch.allclose(network(tokens, is_first)[:, 3:], before[:, 3:], atol=1e-5)


def test_frames_before_the_window_are_forgotten():
    network = awake(SpaceTimeTransformer(16, layers=2, heads=2, time_every=2, window=3))
    tokens, is_first = clip()
    before = network(tokens, is_first)[:, 8]
    tokens[:, :6] += 1
    assert torch.allclose(network(tokens, is_first)[:, 8], before, atol=1e-5)


def test_the_past_is_seen(network):
    tokens, is_first = clip()
    before = network(tokens, is_first)[:, 4]
    tokens[:, 2] += 1
    assert (network(tokens, is_first)[:, 4] - before).abs().max() > 1e-3


def hidden_from_others(tokens=4):
    """Only the last token reads the last token."""
    visible = torch.ones(tokens, tokens, dtype=torch.bool)
    visible[:-1, -1] = False
    return visible


def test_a_hidden_token_reads_all_and_is_read_by_none(network):
    tokens, is_first = clip()
    before = network(tokens, is_first, visible=hidden_from_others())
    louder = tokens.clone()
    louder[:, :, -1] += 1
    after = network(louder, is_first, visible=hidden_from_others())
    assert torch.allclose(after[:, :, :-1], before[:, :, :-1], atol=1e-5)
    tokens[:, :, 0] += 1
    heard = network(tokens, is_first, visible=hidden_from_others())
    assert (heard[:, :, -1] - before[:, :, -1]).abs().amax((-1,)).min() > 1e-4


def test_a_hidden_token_stays_hidden_when_stepping(network):
    tokens, is_first = clip()
    visible = hidden_from_others()
    apart = stepped(network, tokens, is_first, visible=visible) - network(
        tokens, is_first, visible=visible
    )
    assert apart.abs().max() < 1e-4


def test_drafts_of_the_frames_themselves_equal_the_frames(network):
    tokens, is_first = clip()
    is_first[1, 4] = True
    frames, drafts = network.with_drafts(tokens, tokens, is_first)
    assert (frames - network(tokens, is_first)).abs().max() < 1e-4
    assert (drafts - frames).abs().max() < 1e-4


def test_a_draft_sees_the_past_and_is_seen_by_none(network):
    tokens, is_first = clip()
    frames, drafts = network.with_drafts(tokens, tokens, is_first)
    louder = tokens.clone()
    louder[:, 3] += 1
    same, changed = network.with_drafts(tokens, louder, is_first)
    assert torch.allclose(same, frames, atol=1e-5)
    others = [0, 1, 2, 4, 5, 6, 7, 8]
    assert torch.allclose(changed[:, others], drafts[:, others], atol=1e-5)
    assert (changed[:, 3] - drafts[:, 3]).abs().max() > 1e-3


def test_zero_modulation_changes_nothing_and_other_modulation_does(network):
    tokens, is_first = clip()
    zero = [(torch.zeros(3, 9, 16), torch.zeros(3, 9, 16))] * 4
    plain = network(tokens, is_first)
    assert torch.allclose(network(tokens, is_first, modulation=zero), plain)
    one = [(torch.ones(3, 9, 16), torch.zeros(3, 9, 16))] * 4
    assert (network(tokens, is_first, modulation=one) - plain).abs().max() > 1e-3


def test_gradients_reach_every_parameter(network):
    tokens, is_first = clip()
    network(tokens, is_first).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize(
    "sizes", [{"heads": 3}, {"heads": 4, "key_heads": 3}, {"layers": 3, "time_every": 4}]
)
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(ConfigError):
        SpaceTimeTransformer(16, **sizes)

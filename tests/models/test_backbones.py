import pytest
import torch

from mindseye.models.backbones import (
    BlockGRUBackbone,
    GRUBackbone,
    StateSpaceBackbone,
    TransformerBackbone,
)
from mindseye.models.backbones.state_space import DiagonalStateSpace

INPUTS, WIDTH, BATCH, TIME = 6, 16, 3, 12

BACKBONES = {
    "gru": lambda: GRUBackbone(INPUTS, WIDTH),
    "transformer": lambda: TransformerBackbone(INPUTS, WIDTH, window=5),
    "s4": lambda: StateSpaceBackbone(INPUTS, WIDTH, modes=8),
    "s4 step by step": lambda: StateSpaceBackbone(INPUTS, WIDTH, modes=8, is_parallel=False),
    "rssm": lambda: BlockGRUBackbone(INPUTS, WIDTH),
}


@pytest.fixture(params=list(BACKBONES))
def backbone(request):
    torch.manual_seed(0)
    return BACKBONES[request.param]()


@pytest.fixture
def inputs():
    return torch.randn(BATCH, TIME, INPUTS, generator=torch.Generator().manual_seed(1))


def starts(*places):
    is_first = torch.zeros(BATCH, TIME, dtype=torch.bool)
    is_first[:, 0] = True
    for row, time in places:
        is_first[row, time] = True
    return is_first


def stepped(backbone, inputs, is_first):
    """Hidden vectors and memories, one step after the other."""
    memory, empty = backbone.initial(BATCH), backbone.initial(BATCH)
    found = []
    for t in range(TIME):
        memory = _forget(memory, empty, is_first[:, t])
        hidden, memory = backbone.step(inputs[:, t], memory)
        found.append((hidden, memory))
    return torch.stack([hidden for hidden, _ in found], 1), [memory for _, memory in found]


def _forget(memory, empty, where):
    if isinstance(memory, dict):
        return {name: _forget(memory[name], empty[name], where) for name in memory}
    return torch.where(where.view(-1, *[1] * (memory.ndim - 1)), empty, memory)


def test_steps_equal_the_whole_sequence(backbone, inputs):
    is_first = starts()
    hidden, _ = backbone.sequence(inputs, is_first)
    torch.testing.assert_close(hidden, stepped(backbone, inputs, is_first)[0], rtol=0, atol=1e-4)


def test_steps_equal_the_sequence_when_episodes_start_inside(backbone, inputs):
    is_first = starts((0, 4), (2, 7), (2, 8))
    hidden, _ = backbone.sequence(inputs, is_first)
    torch.testing.assert_close(hidden, stepped(backbone, inputs, is_first)[0], rtol=0, atol=1e-4)


def test_an_episode_does_not_see_the_one_before(backbone, inputs):
    is_first = starts(*((row, 5) for row in range(BATCH)))
    together, _ = backbone.sequence(inputs, is_first)
    alone, _ = backbone.sequence(inputs[:, 5:], is_first[:, 5:])
    torch.testing.assert_close(together[:, 5:], alone, rtol=0, atol=1e-4)


def test_the_past_matters_within_an_episode(backbone, inputs):
    changed = inputs.clone()
    changed[:, 8] += 1
    before, _ = backbone.sequence(inputs, starts())
    after, _ = backbone.sequence(changed, starts())
    assert (before[:, 9] - after[:, 9]).abs().max() > 1e-3


def test_the_future_does_not_matter(backbone, inputs):
    changed = inputs.clone()
    changed[:, 8] += 1
    before, _ = backbone.sequence(inputs, starts())
    after, _ = backbone.sequence(changed, starts())
    torch.testing.assert_close(before[:, :8], after[:, :8], rtol=0, atol=1e-4)


def test_the_memory_of_a_moment_goes_on_like_stepping(backbone, inputs):
    is_first = starts((1, 3))
    hidden, memory_at = backbone.sequence(inputs, is_first)
    row, time = torch.tensor([0, 1, 1, 2]), torch.tensor([6, 2, 9, 0])
    after, _ = backbone.step(inputs[row, time + 1], memory_at(row, time))
    expected = hidden[row, time + 1].clone()
    # row 1 starts anew at 3: continuing from 2 must equal stepping without the start
    expected[1] = backbone.sequence(inputs, starts())[0][1, 3]
    torch.testing.assert_close(after, expected, rtol=0, atol=1e-4)


def test_gradients_reach_every_parameter(backbone, inputs):
    backbone.sequence(inputs, starts())[0].square().sum().backward()
    missing = [name for name, p in backbone.named_parameters() if p.grad is None]
    assert missing == []


def test_half_precision_arithmetic_changes_little(backbone, inputs):
    exact, _ = backbone.sequence(inputs, starts())
    with torch.autocast("cpu", torch.bfloat16):
        rough, _ = backbone.sequence(inputs, starts())
        stepped(backbone, inputs, starts())
    torch.testing.assert_close(rough.float(), exact, rtol=0, atol=0.1)


def test_convolution_scan_and_recurrence_are_one_function():
    torch.manual_seed(0)
    space = DiagonalStateSpace(4, 8)
    u = torch.randn(2, 50, 4)
    is_first = torch.zeros(2, 50, dtype=torch.bool)
    is_first[:, 0] = True
    decay, _ = space.discrete()
    state, outputs = torch.zeros(2, 4, 8, dtype=torch.complex64), []
    for t in range(50):
        state = decay * state + u[:, t].unsqueeze(-1)
        outputs.append(space.read(state, u[:, t]))
    recurrence = torch.stack(outputs, 1)
    torch.testing.assert_close(space.convolve(u), recurrence, rtol=0, atol=1e-4)
    torch.testing.assert_close(
        space.read(space.states(u, is_first), u), recurrence, rtol=0, atol=1e-4
    )


def test_the_kernel_is_the_response_to_an_impulse():
    torch.manual_seed(0)
    space = DiagonalStateSpace(2, 4)
    impulse = torch.zeros(1, 20, 2)
    impulse[0, 0] = 1.0
    response = space.convolve(impulse)[0] - space.skip * impulse[0]
    torch.testing.assert_close(space.kernel(20), response, rtol=0, atol=1e-5)


def test_a_state_space_layer_of_one_mode_decays_as_computed_by_hand():
    space = DiagonalStateSpace(1, 1)
    with torch.no_grad():
        space.log_step.fill_(0.0)  # a step of 1
        space.log_decay.fill_(0.0)  # λ = −1
        space.turn.fill_(0.0)
        space.output.copy_(torch.tensor([[[0.5, 0.0]]]))
        space.skip.fill_(0.0)
    # w = 0.5 · (e⁻¹ − 1) / −1 and y_t = 2 w e⁻ᵗ
    first = 1 - torch.tensor(-1.0).exp()
    expected = first * torch.tensor([0.0, -1.0]).exp()
    torch.testing.assert_close(space.kernel(2)[:, 0], expected)


def test_no_state_space_mode_can_grow():
    torch.manual_seed(0)
    space = DiagonalStateSpace(4, 8)
    with torch.no_grad():
        space.log_decay.normal_(std=3)
        space.turn.normal_(std=3)
    assert (space.discrete()[0].abs() <= 1).all()

import pytest
import torch

from mindseye import ops
from mindseye.core.errors import SpecError


def row(*values):
    return torch.tensor([values], dtype=torch.float32)


def test_lambda_return_of_three_steps_by_hand():
    # discount 0.5, lambda 0.5: G2 = 3 + 0.5·1·30; G1 = 2 + 0.5·(0.5·20 + 0.5·G2); G0 likewise
    out = ops.lambda_return(row(1, 2, 3), row(1, 1, 1), row(10, 20, 30), discount=0.5, lambda_=0.5)
    last = 3 + 0.5 * 30
    middle = 2 + 0.5 * (0.5 * 20 + 0.5 * last)
    first = 1 + 0.5 * (0.5 * 10 + 0.5 * middle)
    assert torch.allclose(out, row(first, middle, last))


def test_termination_stops_the_bootstrap():
    out = ops.lambda_return(row(1, 2), row(0, 1), row(100, 100), discount=0.9, lambda_=0.95)
    assert out[0, 0] == 1


def test_lambda_zero_is_the_one_step_target():
    out = ops.lambda_return(row(1, 2), row(1, 1), row(5, 7), discount=0.9, lambda_=0.0)
    assert torch.allclose(out, row(1 + 0.9 * 5, 2 + 0.9 * 7))


def test_a_discount_above_one_is_refused():
    with pytest.raises(SpecError, match="discount"):
        ops.lambda_return(row(1), row(1), row(1), discount=1.5, lambda_=0.5)


def test_long_sequences_take_the_doubling_path_to_the_same_numbers():
    generator = torch.Generator().manual_seed(0)
    reward, value = (torch.randn(3, 200, generator=generator) for _ in range(2))
    continuation = (torch.rand(3, 200, generator=generator) > 0.1).float()
    arguments = {"discount": 0.99, "lambda_": 0.95}
    whole = ops.lambda_return(reward, continuation, value, **arguments)
    expected, last = torch.empty_like(reward), value[:, -1]
    for t in reversed(range(200)):
        mixed = 0.05 * value[:, t] + 0.95 * last
        last = reward[:, t] + 0.99 * continuation[:, t] * mixed
        expected[:, t] = last
    assert torch.allclose(whole, expected, atol=1e-4)


def test_advantage_of_two_steps_by_hand():
    out = ops.generalised_advantage(
        row(1, 1),
        row(2, 3),
        row(3, 4),
        row(1, 1),
        row(0, 1),
        discount=0.5,
        lambda_=0.5,
    )
    second = 1 + 0.5 * 4 - 3
    first = 1 + 0.5 * 3 - 2 + 0.25 * second
    assert torch.allclose(out, row(first, second))


def test_a_truncated_step_bootstraps_but_does_not_leak_the_next_episode():
    out = ops.generalised_advantage(
        row(0, 9), row(0, 0), row(4, 0), row(1, 0), row(1, 1), discount=1.0, lambda_=1.0
    )
    assert out[0, 0] == 4

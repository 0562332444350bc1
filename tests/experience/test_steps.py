import numpy as np
import torch

from mindseye.experience.steps import steps_with_past


def episodes():
    """Two episodes of four and two rows; row t of episode i observes 10 i + t."""
    counts = torch.tensor([4, 2])
    time = torch.arange(4)
    mask = time < counts[:, None]
    return {
        "observation": (10 * torch.arange(2)[:, None] + time) * mask,
        "action": time.expand(2, -1) * mask,
        "mask": mask.float(),
    }


def test_every_arrival_is_drawn_and_no_first_row_and_no_padding():
    batch = steps_with_past(episodes(), np.random.default_rng(0), 200, 1)
    assert set(batch["observation"][:, -1].tolist()) == {1, 2, 3, 11}


def test_the_past_lies_before_each_step_and_repeats_the_first_row():
    batch = steps_with_past(episodes(), np.random.default_rng(0), 200, 2)
    rows = dict(
        zip(batch["observation"][:, -1].tolist(), batch["observation"].tolist(), strict=True)
    )
    assert rows == {1: [0, 0, 1], 2: [0, 1, 2], 3: [1, 2, 3], 11: [10, 10, 11]}
    firsts = dict(
        zip(batch["observation"][:, -1].tolist(), batch["is_first"].tolist(), strict=True)
    )
    assert firsts[1] == [True, True, False]
    assert firsts[3] == [False, False, False]


def test_only_the_step_itself_is_learned():
    batch = steps_with_past(episodes(), np.random.default_rng(0), 5, 2)
    assert batch["mask"].tolist() == [[0, 0, 1]] * 5


def test_rows_ahead_end_with_their_episode():
    batch = steps_with_past(episodes(), np.random.default_rng(0), 200, 1, ahead=2)
    rows = dict(zip(batch["observation"][:, 1].tolist(), batch["mask"].tolist(), strict=True))
    assert rows == {1: [0, 1, 1], 2: [0, 1, 1], 3: [0, 1, 0], 11: [0, 1, 0]}
    ahead = dict(
        zip(batch["observation"][:, 1].tolist(), batch["observation"].tolist(), strict=True)
    )
    assert ahead[2] == [1, 2, 3]

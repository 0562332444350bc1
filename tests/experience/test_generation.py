import pytest
import torch

from mindseye.core.episode import Origin
from mindseye.core.errors import DataError
from mindseye.experience import collate
from mindseye.experience.generation import drawn_episodes


def rows(continuation):
    lead = continuation.shape
    return {
        "observation": torch.arange(lead.numel() * 2.0).reshape(*lead, 2),
        "action": torch.arange(float(lead.numel())).reshape(*lead, 1),
        "reward": torch.arange(float(lead.numel())).reshape(lead),
        "continuation": continuation,
    }


def test_windows_become_episodes_cut_after_their_end():
    batch = rows(torch.tensor([[1.0, 1, 1, 1], [1.0, 1, 0, 0]]))
    whole, cut = drawn_episodes(batch, origin=Origin("imagined", "x"))
    assert (len(whole), whole.terminated, whole.truncated) == (3, False, True)
    assert (len(cut), cut.terminated, cut.truncated) == (2, True, False)
    assert cut.rewards.tolist() == [5.0, 6.0]
    assert cut.observations[:, 0].tolist() == [8.0, 10.0, 12.0]


def test_the_first_row_says_only_its_observation():
    batch = rows(torch.tensor([[0.0, 1, 1]]))
    (episode,) = drawn_episodes(batch, origin=Origin("imagined", "x"))
    assert len(episode) == 2
    again = collate([episode])
    assert torch.equal(again["observation"], batch["observation"])
    assert again["action"][0, :, 0].tolist() == [0.0, 1.0, 2.0]


def test_what_was_drawn_is_not_real():
    with pytest.raises(DataError, match="real"):
        drawn_episodes(rows(torch.ones(1, 3)), origin=Origin("real", "x"))

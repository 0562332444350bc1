import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.protocols import Prediction
from mindseye.evaluation.video.cameras import camera_scores, camera_sheet, shown_under


class Brightening:
    """Every step adds its action to the one camera's picture."""

    observation_space = spaces.Dict({"top": spaces.Box(0, 255, (4, 4, 3), np.uint8)})
    action_space = spaces.Box(0, 9, (1,), np.float32)

    def initial(self, batch_size):
        return torch.zeros(batch_size, 4, 4, 3)

    def observe(self, state, action, observation, is_first):
        return observation["top"].float()

    def imagine(self, state, action):
        return state + action.reshape(-1, 1, 1, 1)

    def predict(self, state):
        rows = torch.zeros(len(state))
        return Prediction({"top": state.to(torch.uint8)}, rows, rows)


def clip(levels):
    return {
        "top": torch.tensor(levels, dtype=torch.uint8)[..., None, None, None].expand(
            -1, -1, 4, 4, 3
        )
    }


def test_a_world_is_shown_the_first_frame_and_the_actions_only():
    shown = shown_under(Brightening(), clip([[10, 99, 99]]), torch.tensor([[[1.0], [2.0]]]))
    assert shown["top"][0, :, 0, 0, 0].tolist() == [10, 11, 13]


def test_scores_leave_out_the_frame_that_was_given():
    found = camera_scores("mine", clip([[0, 10, 10]]), clip([[255, 0, 0]]), ["top"])
    assert [m.name for m in found] == ["psnr/top/mine"]
    assert found[0].value == pytest.approx(20 * np.log10(255 / 10))


def test_a_sheet_has_a_real_and_a_shown_line_for_every_camera():
    sheet = camera_sheet(clip([[1, 2, 3]]), clip([[4, 5, 6]]), ["top"], every=2)
    assert sheet.shape == (32, 32, 3)
    assert sheet[::16, ::16, 0].tolist() == [[4, 6], [1, 3]]

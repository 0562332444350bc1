import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.models.world.keypoints import Eyes, Keypoints

PICTURE = spaces.Box(0, 255, (16, 16, 3), np.uint8)
VIEWS = spaces.Dict({"hand": PICTURE, "pose": spaces.Box(-1, 1, (2,), np.float32), "top": PICTURE})


class Peak(torch.nn.Module):
    """Each point lies where the red is greatest."""

    def forward(self, pictures):
        return 40 * pictures[:, :1].expand(-1, 2, -1, -1)


def spot(line, column):
    pictures = torch.zeros(1, 16, 16, 3, dtype=torch.uint8)
    pictures[0, line, column, 0] = 255
    return pictures


def test_a_point_lies_where_its_map_peaks():
    found = Keypoints(16, 2, 2)
    found.look, found.absent.data = Peak(), torch.tensor([0.0, 60.0])
    points = found.read(spot(15, 0))
    # the middles of the first column and of the last line
    assert points[0, 0].tolist() == pytest.approx([-0.9375, 0.9375, 1.0], abs=1e-3)
    assert points[0, 1, 2].item() == pytest.approx(-1.0, abs=1e-3)


def test_spots_are_painted_where_points_lie_and_as_far_as_they_are_seen():
    keypoints, told = Keypoints(16, 2, 2), []
    keypoints.paint.register_forward_pre_hook(lambda _, args: told.append(args[0]))
    points = torch.tensor([[[-0.9375, 0.9375, 1.0], [0.0, 0.0, -1.0]]])
    keypoints.show(points, torch.tensor([[0.3, -0.4]]))
    spots, pose = told[0][0, :2], told[0][0, 4:]
    assert spots[0, 15, 0].item() == pytest.approx(1.0)
    # one pixel beside: a quarter of the squared spread
    assert spots[0, 15, 1].item() == pytest.approx(np.exp(-0.25), abs=1e-5)
    assert (spots[1] == 0).all()
    assert pose[:, 3, 3].tolist() == pytest.approx([0.3, -0.4])


def test_a_moving_spot_is_learned():
    torch.manual_seed(0)
    keypoints = Keypoints(16, 2, 2, depth=6)
    rows = torch.arange(64)
    pictures = torch.zeros(64, 16, 16, 3, dtype=torch.uint8)
    for row, down, across in zip(rows, 1 + rows % 8, 1 + rows // 8, strict=True):
        pictures[row, down : down + 6, across : across + 6, 0] = 255
    batch = {"picture": pictures, "pose": torch.zeros(64, 2)}
    optimiser = torch.optim.Adam(keypoints.parameters(), lr=1e-2)
    for _ in range(100):
        optimiser.zero_grad()
        some = torch.randint(64, (24,))
        loss = keypoints.losses({name: leaf[some] for name, leaf in batch.items()})["picture"]
        loss.backward()
        optimiser.step()
    still = ((pictures.float() / 127.5).mean(0) - pictures / 127.5).square().mean() / 0.01
    assert loss.item() < 0.3 * still.item()


def test_eyes_read_every_camera_and_show_them_in_their_order():
    eyes = Eyes(VIEWS, points=3, depth=4)
    seen = {name: torch.zeros(2, 5, 16, 16, 3, dtype=torch.uint8) for name in ("hand", "top")}
    points = eyes.read({**seen, "pose": torch.zeros(2, 5, 2)})
    assert points.shape == (2, 5, 2 * 3 * 3)
    shown = eyes.show(points[0], torch.zeros(5, 2))
    assert list(shown) == list(VIEWS)
    assert shown["top"].shape == (5, 16, 16, 3)


def test_painting_begins_with_the_mean_picture():
    keypoints = Keypoints(16, 2, 2, depth=4)
    last = keypoints.paint[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    keypoints.set_usual(torch.cat((spot(1, 2), 0 * spot(1, 2))))
    shown = keypoints.show(torch.zeros(1, 2, 3), torch.zeros(1, 2))
    assert shown[0, 0, 1, 2].item() == pytest.approx(0.0, abs=1e-5)
    assert shown[0, 0, 5, 5].item() == pytest.approx(-1.0)

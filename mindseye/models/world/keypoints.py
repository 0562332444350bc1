"""Pictures as a few points and back: the space in which a world of several cameras dreams.

A small network says for every point how likely it is to lie on each pixel, or to be out of sight;
the point is where it lies on average. From soft spots at these places another network paints the
picture again. Nothing says what a point should follow: it follows what helps to paint.

Source: Minderer et al. (2019), "Unsupervised Learning of Object Structure and Dynamics from
Videos", arXiv 1906.07889, section 3.1, after Jakab et al. (2018), arXiv 1806.07823.
"""

from collections.abc import Mapping

import torch
from gymnasium import spaces
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.models.perception.leaves import is_image

POSE = "pose"
"""Name of the leaf that is no picture."""
EACH = 3
"""Numbers of a point: across, down, and how much it is in sight; all from -1 to 1."""
_SPREAD = 2.0
"""Pixels from the middle of a spot to where it has fallen to 1/e."""
_JITTER = 0.02
"""Deviation of the noise on points while fitting, so that painting forgives small errors."""
_TYPICAL = 0.01
"""Squared error that counts as 1."""
_CHUNK = 4_096


class Keypoints(nn.Module):
    """Points of one camera's pictures.

    Args:
        size: Pixels per side.
        points: Number of points.
        numbers: Of the pose, which is told when painting: what hangs at the hand sees the border
            where the hand is near it.
        depth: Channels.
    """

    at: Tensor

    def __init__(self, size: int, points: int, numbers: int, *, depth: int = 24):
        super().__init__()
        self.size, self.points = size, points
        self.look = nn.Sequential(
            nn.Conv2d(3, depth, 5, padding=2),
            nn.SiLU(),
            nn.Conv2d(depth, depth, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(depth, points, 1),
        )
        self.absent = nn.Parameter(torch.zeros(points))
        self.paint = nn.Sequential(
            nn.Conv2d(points + 2 + numbers, depth + 8, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(depth + 8, depth + 8, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(depth + 8, 3, 1),
        )
        self.usual = nn.Parameter(torch.zeros(3, size, size))
        self.register_buffer("at", (torch.arange(size) + 0.5) * 2 / size - 1)

    def read(
        self, pictures: UInt8[Tensor, "rows height width 3"]
    ) -> Float[Tensor, "rows points each"]:
        """Where the points are."""
        maps = self.look(_scaled(pictures)).float().flatten(2)
        absent = self.absent.expand(len(maps), -1).unsqueeze(-1)
        likely = torch.cat((maps, absent), -1).softmax(-1)[..., :-1]
        cells = likely.unflatten(-1, (self.size, self.size))
        seen = likely.sum(-1)
        across = (cells.sum(-2) * self.at).sum(-1) / (seen + 1e-4)
        down = (cells.sum(-1) * self.at).sum(-1) / (seen + 1e-4)
        return torch.stack((across, down, 2 * seen - 1), -1)

    def show(
        self, points: Float[Tensor, "rows points each"], pose: Float[Tensor, "rows numbers"]
    ) -> Float[Tensor, "rows 3 height width"]:
        """Pictures, about -1 to 1."""
        wide = _SPREAD * 2 / self.size
        across, down = (
            (-((self.at - points[..., axis, None]) / wide).square()).exp() for axis in (0, 1)
        )
        seen = (points[..., 2] + 1) / 2
        spots = across.unsqueeze(-2) * down.unsqueeze(-1) * seen[..., None, None]
        plane = (len(points), 1, self.size, self.size)
        where = (self.at.expand(plane), self.at.unsqueeze(-1).expand(plane))
        told = pose[..., None, None].expand(-1, -1, self.size, self.size)
        return self.paint(torch.cat((spots, *where, told), 1)).float() + self.usual

    @torch.no_grad()
    def set_usual(self, pictures: UInt8[Tensor, "rows height width 3"]) -> None:
        """Begin to paint from the mean of some pictures."""
        self.usual.copy_(_scaled(pictures).mean(0))

    def losses(self, batch: Mapping[str, Tensor]) -> dict[str, Float[Tensor, ""]]:
        """Squared error of pictures painted again.

        Args:
            batch: "picture", uint8 (rows, height, width, 3), and "pose".
        """
        points = self.read(batch["picture"])
        points = points + _JITTER * torch.randn_like(points)
        missed = self.show(points, batch[POSE].float()) - _scaled(batch["picture"])
        return {"picture": missed.square().mean() / _TYPICAL}


class Eyes(nn.Module):
    """Points of all cameras of a Dict of equally large uint8 pictures and a "pose".

    Args:
        observation_space: The Dict; "pose" is a Box of numbers in [-1, 1] which an agent feels of
            itself, such as the place of its hand.
        points: Number of points per camera.
        depth: Channels.

    Raises:
        SpecError: If the space is another one.
    """

    def __init__(self, observation_space: spaces.Space, *, points: int, depth: int = 24):
        super().__init__()
        self.cameras, size = _cameras(observation_space)
        self.observation_space = observation_space
        self.numbers = int(observation_space[POSE].shape[0])  # type: ignore[index]
        self.points = points
        self.size = EACH * points * len(self.cameras)
        """Numbers that all points are."""
        self.of = nn.ModuleDict(
            {name: Keypoints(size, points, self.numbers, depth=depth) for name in self.cameras}
        )

    @torch.no_grad()
    def read(self, observation: Tree) -> Float[Tensor, "*lead size"]:
        """Points of all cameras side by side."""
        lead, found = observation[POSE].shape[:-1], []
        for name in self.cameras:
            pictures = observation[name].flatten(0, len(lead) - 1).split(_CHUNK)
            parts = [self.of[name].read(part).flatten(1) for part in pictures]  # type: ignore[operator]
            found.append(torch.cat(parts))
        return torch.cat(found, 1).unflatten(0, lead)

    @torch.no_grad()
    def show(
        self, points: Float[Tensor, "rows size"], pose: Float[Tensor, "rows numbers"]
    ) -> dict[str, Tensor]:
        """The observation that points and pose stand for."""
        shown = {POSE: pose}
        for name, part in zip(self.cameras, points.chunk(len(self.cameras), 1), strict=True):
            painted = self.of[name].show(part.unflatten(1, (self.points, EACH)), pose)  # type: ignore[operator]
            levels = ((painted + 1) * 127.5).round().clamp(0, 255)
            shown[name] = levels.to(torch.uint8).movedim(1, -1)
        return {name: shown[name] for name in self.observation_space}  # type: ignore[attr-defined]


def _scaled(pictures: UInt8[Tensor, "rows height width 3"]) -> Float[Tensor, "rows 3 height width"]:
    return pictures.movedim(-1, 1).float() / 127.5 - 1


def _cameras(space: spaces.Space) -> tuple[list[str], int]:
    """Names of the cameras, and pixels per side."""
    if not isinstance(space, spaces.Dict) or POSE not in space.spaces:
        raise SpecError(f"views: expected a Dict of pictures and {POSE!r}, got {space}")
    cameras = [name for name in space if name != POSE]
    shapes = {space[name].shape for name in cameras}
    if len(shapes) != 1 or not all(is_image(space[name]) for name in cameras):
        raise SpecError(f"views: expected pictures of one size beside {POSE!r}, got {space}")
    height, width, channels = shapes.pop()  # type: ignore[misc]
    if height != width or channels != 3:
        raise SpecError(f"views: expected square pictures of three colours, got {space}")
    return cameras, height

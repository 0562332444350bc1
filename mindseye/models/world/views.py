"""A world model of several cameras at once, drawn by diffusion, that looks up what it saw before.

The pictures of all cameras lie on the channels of one and are denoised together, so that what one
camera shows tells what another will. The pose that an action leads to is predicted first; every
known frame is told with its pose, and the memory hands over those frames whose pose is nearest.

Source: Guo et al. (2025), "Ctrl-World", arXiv 2510.10125, section 3.
"""

from collections.abc import Sequence

import torch
from gymnasium import spaces
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mindseye import ops
from mindseye.core.batch import Batch
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Prediction, WorldModel
from mindseye.core.tree import Tree
from mindseye.models.diffusion.image import ImageDenoiser
from mindseye.models.layers import mlp
from mindseye.models.perception.leaves import is_image
from mindseye.models.policy import ActionEncoder
from mindseye.ops import diffusion

POSE = "pose"
"""Name of the leaf that is no picture."""
DEVIATION = 0.5
"""Of what is denoised: the change of a frame, scaled."""
NOISE_MEAN, NOISE_DEVIATION, NOISE_LOW, NOISE_HIGH = 0.7, 1.6, 2e-3, 20.0
"""Of ln σ while training, as the authors' code has it, and its limits. Much noise teaches the first
of few steps, which has to say nearly all."""
_RIDGE = 2.0
"""Pixels from the middle of a ridge to where it has fallen to 1/e."""


class MultiViewWorldModel(nn.Module, WorldModel):
    """A world model of a Dict of equally large uint8 pictures and a "pose".

        model = MultiViewWorldModel(space, actions, memory=12, recent=2, retrieved=1)
        model.set_scales(before, after)
        sum(model.losses(batch).values()).backward()
        dream = DreamWorld(model, 64, starts=starts, horizon=20)

    It knows no reward and no end: rewards are 0 and episodes go on. Noise comes from torch's global
    generator.

    Args:
        observation_space: Dict of pictures and of "pose", a Box of numbers in [-1, 1] which an
            agent feels of itself, such as the place of its hand.
        action_space: Of the same world.
        memory: Frames that the state remembers.
        recent: Of these, the last ones, always looked at.
        retrieved: Of the older ones, so many are looked up by their pose.
        steps: Of sampling.
        widths, blocks: Of the denoiser.
        units: Hidden units of the network that predicts poses.
        history_noise: Deviation of the deviation of the noise that known frames get while fitting,
            so that the model learns to live with its own mistakes.
        noise_range: Noise at which sampling begins, and its last before 0.
        doubt: Draw every step twice; how far the two lie apart is the uncertainty.

    Raises:
        SpecError: If the space is another one, or the memory is too small.
    """

    change: Tensor
    stride: Tensor

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        memory: int = 12,
        recent: int = 2,
        retrieved: int = 1,
        steps: int = 2,
        widths: Sequence[int] = (24, 48),
        blocks: int = 1,
        units: int = 64,
        history_noise: float = 0.05,
        noise_range: tuple[float, float] = (5.0, 0.1),
        doubt: bool = False,
    ):
        super().__init__()
        if recent < 1 or memory < recent + retrieved:
            raise SpecError(
                f"views: expected a memory of at least recent + retrieved frames, got {memory} for"
                f" {recent} + {retrieved}; make it larger"
            )
        self.cameras, self.size = _cameras(observation_space)
        self.observation_space, self.action_space = observation_space, action_space
        self.memory, self.recent, self.retrieved = memory, recent, retrieved
        self.steps, self.noise_range, self.doubt = steps, noise_range, doubt
        self.history_noise = history_noise
        self.numbers = int(observation_space[POSE].shape[0])  # type: ignore[index]
        self.action_encoder = ActionEncoder(action_space)
        frames, actions = recent + retrieved, self.action_encoder.size
        self.denoiser = ImageDenoiser(
            self.size[0],
            frames,
            (frames + 1) * self.numbers + actions,
            widths=widths,
            blocks=blocks,
            maps=2 * self.numbers,
        )
        self.reach = mlp(self.numbers + actions, units, 2, self.numbers, zero=True)
        self.register_buffer("change", torch.ones(self.size[0], 1, 1))
        self.register_buffer("stride", torch.ones(self.numbers))

    def set_scales(self, before: Tree, after: Tree) -> None:
        """Measure how much frames and poses change, on neighbours with one leading axis."""
        moved = self._frames(after) - self._frames(before)
        self.change.copy_(moved.square().mean((0, 2, 3)).sqrt().clamp(min=1e-3)[:, None, None])
        went = (after[POSE] - before[POSE]).float()
        self.stride.copy_(went.square().mean(0).sqrt().clamp(min=1e-3))

    # ---- the role of a world model -------------------------------------------------------------

    def initial(self, batch_size: int) -> Tree:
        """Nothing seen yet: zeros."""
        zeros = self.change.new_zeros
        return {
            "frames": zeros(batch_size, self.memory, *self.size),
            "poses": zeros(batch_size, self.memory, self.numbers),
            "uncertainty": zeros(batch_size),
        }

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """Remember what happened; the first observation of an episode fills the memory."""
        seen, pose = self._frames(observation), observation[POSE].float()
        first = is_first.reshape(-1, 1, 1)
        frames = torch.where(
            first[..., None, None], seen.unsqueeze(1), _pushed(state["frames"], seen)
        )
        poses = torch.where(first, pose.unsqueeze(1), _pushed(state["poses"], pose))
        return {"frames": frames, "poses": poses, "uncertainty": torch.zeros_like(pose[:, 0])}

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """Where the action leads, then what the cameras show there."""
        encoded = self.action_encoder(action)
        pose = self._reached(state["poses"][:, -1], encoded)
        chosen = self._chosen(state["poses"], pose)
        frames, poses = _picked(state["frames"], chosen), _picked(state["poses"], chosen)
        doubt = torch.zeros_like(state["uncertainty"])
        known = (frames, poses, pose, encoded)
        if self.doubt:
            drawn = self._drawn(*(torch.cat((part, part)) for part in known))
            reached, other = drawn.chunk(2)
            doubt = (reached - other).flatten(1).abs().mean(1)
        else:
            reached = self._drawn(*known)
        return {
            "frames": _pushed(state["frames"], reached),
            "poses": _pushed(state["poses"], pose),
            "uncertainty": doubt,
        }

    def predict(self, state: Tree) -> Prediction:
        """The last frames and pose of the state."""
        nothing = torch.zeros_like(state["uncertainty"])
        shown = _levels(state["frames"][:, -1]).to(torch.uint8).movedim(1, -1)
        parts = dict(zip(self.cameras, shown.split(3, -1), strict=True))
        observation = {**parts, POSE: state["poses"][:, -1]}
        ordered = {name: observation[name] for name in self.observation_space}  # type: ignore[attr-defined]
        doubt = state["uncertainty"] if self.doubt else None
        return Prediction(ordered, nothing, nothing + 1, doubt)

    # ---- fitting -------------------------------------------------------------------------------

    def losses(self, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """Denoising error (1 before anything is learned) and squared error of poses, as means.

        Memories that reach back before their episode repeat its first row; rows whose memory
        reaches back before their segment are left out.

        Args:
            batch: Segments of two rows or more, fields as in `core.batch`.
        """
        index, known = ops.histories(batch["is_first"], self.memory)
        row, time = (known & batch["mask"].bool()).nonzero(as_tuple=True)
        where, row_of = index[row, time], row.unsqueeze(1)
        all_poses = batch["observation"][POSE].float()
        pose, encoded = all_poses[row, time], self.action_encoder(batch["action"])[row, time]
        chosen = self._chosen(all_poses[row_of, where], pose)
        where = where.gather(1, chosen)
        views = {name: batch["observation"][name] for name in self.cameras}
        frames = self._frames({name: leaf[row_of, where] for name, leaf in views.items()})
        after = self._frames({name: leaf[row, time] for name, leaf in views.items()})
        poses = all_poses[row_of, where]
        clean = DEVIATION * (after - frames[:, -1]) / self.change
        told = (self._blurred(frames), poses, pose, encoded)
        sigma = diffusion.draw_sigmas(
            len(clean),
            mean=NOISE_MEAN,
            deviation=NOISE_DEVIATION,
            low=NOISE_LOW,
            high=NOISE_HIGH,
            device=clean.device,
        )
        error = diffusion.denoising_loss(
            lambda x, noise: self._network(x, noise, *told), clean, sigma, DEVIATION
        )
        reached = self._reached(poses[:, -1], encoded)
        missed = (reached - pose) / self.stride
        return {"frames": error.mean(), "pose": missed.square().mean()}

    def _blurred(self, frames: Tensor) -> Tensor:
        wide = (len(frames), *(1,) * (frames.ndim - 1))
        much = self.history_noise * torch.randn(wide, device=frames.device)
        return frames + much * torch.randn_like(frames)

    # ---- parts ---------------------------------------------------------------------------------

    def _frames(self, observation: Tree) -> Float[Tensor, "*lead channels height width"]:
        """All cameras as one picture, channels first, in [−1, 1]."""
        views = torch.cat([observation[name] for name in self.cameras], -1)
        return views.movedim(-1, -3).float() / 127.5 - 1

    def _reached(self, pose: Tensor, action: Tensor) -> Tensor:
        """The pose an action leads to."""
        went = self.reach(torch.cat((pose, action), -1)).float() * self.stride
        return (pose + went).clamp(-1, 1)

    def _chosen(
        self, poses: Float[Tensor, "batch memory numbers"], pose: Float[Tensor, "batch numbers"]
    ) -> Int[Tensor, "batch frames"]:
        """Which of the remembered frames are looked at: those looked up first, then recent ones."""
        old = self.memory - self.recent
        recent = torch.arange(old, self.memory, device=pose.device).expand(len(pose), -1)
        if not self.retrieved:
            return recent
        distance = (poses[:, :old] - pose.unsqueeze(1)).square().sum(-1)
        # of equally near ones the newest
        newest = distance.flip(1).topk(self.retrieved, largest=False).indices
        return torch.cat((old - 1 - newest, recent), 1)

    def _drawn(self, frames: Tensor, poses: Tensor, pose: Tensor, action: Tensor) -> Tensor:
        high, low = self.noise_range
        change = diffusion.sample(
            diffusion.preconditioned(
                lambda x, noise: self._network(x, noise, frames, poses, pose, action), DEVIATION
            ),
            high * torch.randn_like(frames[:, -1]),
            diffusion.sigma_schedule(self.steps, low=low, high=high),
        )
        # rounded to what a picture can show so that errors do not creep
        return _levels(frames[:, -1] + change * self.change / DEVIATION) / 127.5 - 1

    def _network(
        self,
        noisy: Tensor,
        noise: Tensor,
        frames: Float[Tensor, "batch frames channels height width"],
        poses: Float[Tensor, "batch frames numbers"],
        pose: Float[Tensor, "batch numbers"],
        action: Float[Tensor, "batch action"],
    ) -> Tensor:
        """F(x; ln(σ) / 4, known frames and their poses, the pose reached, the action)."""
        away = (poses - pose.unsqueeze(1)) * _NEARNESS
        told = torch.cat((pose, away.flatten(1), action), -1)
        known = torch.cat((frames.flatten(1, 2), self._ridges(pose)), 1)
        return self.denoiser(noisy, noise, known, told)

    def _ridges(self, pose: Float[Tensor, "batch numbers"]) -> Tensor:
        """Every number of a pose drawn as a line down and a line across, in maps of its own."""
        height, width = self.size[1:]
        across = _ridge(pose, width).unsqueeze(2).expand(-1, -1, height, -1)
        down = _ridge(-pose, height).unsqueeze(3).expand(-1, -1, -1, width)
        return torch.cat((across, down), 1)


_NEARNESS = 3.0
"""Factor on differences of poses, so that small ones count."""


def _cameras(space: spaces.Space) -> tuple[list[str], tuple[int, int, int]]:
    """Names of the cameras, and channels, height and width of their pictures side by side."""
    if not isinstance(space, spaces.Dict) or POSE not in space.spaces:
        raise SpecError(f"views: expected a Dict of pictures and {POSE!r}, got {space}")
    cameras = [name for name in space if name != POSE]
    shapes = {space[name].shape for name in cameras}
    if len(shapes) != 1 or not all(is_image(space[name]) for name in cameras):
        raise SpecError(f"views: expected pictures of one size beside {POSE!r}, got {space}")
    height, width, channels = shapes.pop()  # type: ignore[misc]
    if channels != 3:
        raise SpecError(f"views: expected pictures of three colours, got {channels}")
    return cameras, (3 * len(cameras), height, width)


def _ridge(at: Float[Tensor, "batch numbers"], pixels: int) -> Tensor:
    """(batch, numbers, pixels): a bump where −1 is the first edge and 1 the last."""
    middle = (torch.arange(pixels, device=at.device) + 0.5) * 2 / pixels - 1
    away = (middle - at.unsqueeze(-1)) * (pixels / 2 / _RIDGE)
    return (-away.square()).exp()


def _picked(rows: Float[Tensor, "batch memory *shape"], chosen: Int[Tensor, "batch frames"]):
    return rows[torch.arange(len(rows), device=rows.device).unsqueeze(1), chosen]


def _pushed(rows: Tensor, last: Tensor) -> Tensor:
    """Drop the oldest row, append the newest."""
    return torch.cat((rows[:, 1:], last.unsqueeze(1)), 1)


def _levels(x: Tensor) -> Tensor:
    """[−1, 1] to whole numbers from 0 to 255."""
    return ((x + 1) * 127.5).round().clamp(0, 255)

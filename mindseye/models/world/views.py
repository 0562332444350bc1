"""A world model of several cameras at once, drawn by diffusion, that looks up what it saw before.

What the cameras show is coded as points first; the points of all cameras are denoised together, so
that what one camera shows tells what another will. The pose that an action leads to is predicted
before; every known frame is told with its pose, and the memory hands over those frames whose pose
is nearest.

Source: Guo et al. (2025), "Ctrl-World", arXiv 2510.10125, section 3.
"""

import torch
from gymnasium import spaces
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mindseye import ops
from mindseye.core.batch import Batch
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Prediction, WorldModel
from mindseye.core.tree import Tree
from mindseye.models.diffusion import StateDenoiser
from mindseye.models.layers import mlp
from mindseye.models.policy import ActionEncoder
from mindseye.models.world.keypoints import POSE, Eyes
from mindseye.ops import diffusion

POINTS = "points"
"""Name, in what is learned from, of the leaf that the eyes read."""
DEVIATION = 0.5
"""Of what is denoised: the change of the points, scaled."""
NOISE_MEAN, NOISE_DEVIATION, NOISE_LOW, NOISE_HIGH = 1.6, 1.0, 2e-3, 20.0
"""Of ln σ while training, and its limits. Much noise teaches the first of few steps, which has to
say nearly all."""
_LEAST = 0.01
"""Change of a point that counts as one, however little it moves."""
_NEARNESS = 3.0
"""Factor on differences of poses, so that small ones count."""


class MultiViewWorldModel(nn.Module, WorldModel):
    """A world model of a Dict of pictures and a "pose".

        model = MultiViewWorldModel(eyes, actions, memory=12, recent=2, retrieved=1)
        model.set_scales(before, after)
        sum(model.losses(batch).values()).backward()
        dream = DreamWorld(model, 64, starts=starts, horizon=20)

    It knows no reward and no end: rewards are 0 and episodes go on. Noise comes from torch's global
    generator.

    Args:
        eyes: Fitted before; they are not trained here.
        action_space: Of the same world.
        memory: Frames that the state remembers.
        recent: Of these, the last ones, always looked at.
        retrieved: Of the older ones, so many are looked up by their pose.
        steps: Of sampling; one draws the mean.
        units, layers: Of the denoiser.
        noise_range: Noise at which sampling begins, and its last before 0.

    Raises:
        SpecError: If the memory is too small.
    """

    change: Tensor
    stride: Tensor

    def __init__(
        self,
        eyes: Eyes,
        action_space: spaces.Space,
        *,
        memory: int = 12,
        recent: int = 2,
        retrieved: int = 1,
        steps: int = 1,
        units: int = 384,
        layers: int = 3,
        noise_range: tuple[float, float] = (5.0, 0.1),
    ):
        super().__init__()
        if recent < 1 or memory < recent + retrieved:
            raise SpecError(
                f"views: expected a memory of at least recent + retrieved frames, got {memory} for"
                f" {recent} + {retrieved}; make it larger"
            )
        self.eyes, self.numbers = eyes, eyes.numbers
        self.observation_space, self.action_space = eyes.observation_space, action_space
        self.memory, self.recent, self.retrieved = memory, recent, retrieved
        self.steps, self.noise_range = steps, noise_range
        self.action_encoder = ActionEncoder(action_space)
        frames, actions = recent + retrieved, self.action_encoder.size
        known = frames * eyes.size + (frames + 1) * self.numbers + actions
        self.denoiser = StateDenoiser(eyes.size, known, units=units, layers=layers)
        self.reach = mlp(self.numbers + actions, 128, 2, self.numbers, zero=True)
        self.register_buffer("change", torch.ones(eyes.size))
        self.register_buffer("stride", torch.ones(self.numbers))

    def set_scales(self, before: Tree, after: Tree) -> None:
        """Measure how much "points" and "pose" change, on neighbours with one leading axis."""
        for scale, name, least in ((self.change, POINTS, _LEAST), (self.stride, POSE, 1e-3)):
            went = (after[name] - before[name]).float()
            scale.copy_(went.square().mean(0).sqrt().clamp(min=least))

    # ---- the role of a world model -------------------------------------------------------------

    def initial(self, batch_size: int) -> Tree:
        """Nothing seen yet: zeros."""
        zeros = self.change.new_zeros
        return {
            POINTS: zeros(batch_size, self.memory, self.eyes.size),
            POSE: zeros(batch_size, self.memory, self.numbers),
        }

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """Remember what happened; the first observation of an episode fills the memory."""
        seen = {POINTS: self.eyes.read(observation), POSE: observation[POSE].float()}
        first = is_first.reshape(-1, 1, 1)
        return {
            name: torch.where(first, leaf.unsqueeze(1), _pushed(state[name], leaf))
            for name, leaf in seen.items()
        }

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """Where the action leads, then what the cameras show there."""
        encoded = self.action_encoder(action)
        pose = self._reached(state[POSE][:, -1], encoded)
        told, last = self._told(state, pose, encoded)
        high, low = self.noise_range
        change = diffusion.sample(
            diffusion.preconditioned(lambda x, noise: self.denoiser(x, noise, told), DEVIATION),
            high * torch.randn_like(last),
            diffusion.sigma_schedule(self.steps, low=low, high=high),
        )
        points = last + change * self.change / DEVIATION
        return {POINTS: _pushed(state[POINTS], points), POSE: _pushed(state[POSE], pose)}

    def predict(self, state: Tree) -> Prediction:
        """The last points of the state, painted, and its last pose."""
        points, pose = state[POINTS][:, -1], state[POSE][:, -1]
        nothing = torch.zeros_like(pose[:, 0])
        return Prediction(self.eyes.show(points, pose), nothing, nothing + 1)

    # ---- fitting -------------------------------------------------------------------------------

    def losses(self, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """Denoising error (1 before anything is learned) and squared error of poses, as means.

        The first `memory` rows of a segment are known. Of the later ones each is told from what the
        model itself made of those before, so that it learns to live with its own mistakes.

        Args:
            batch: Segments of more rows than the memory, fields as in `core.batch`; observations
                are "points", as the eyes read them, and "pose".

        Source: Venkatraman et al. (2015), "Improving Multi-Step Prediction of Learned Time Series
        Models", AAAI, for the later rows.
        """
        points, poses = batch["observation"][POINTS], batch["observation"][POSE].float()
        mask, memory = batch["mask"].float(), self.memory
        state = {POINTS: points[:, :memory], POSE: poses[:, :memory]}
        frames, missed = [], []
        for time in range(memory, points.shape[1]):
            pose, encoded = poses[:, time], self.action_encoder(batch["action"][:, time])
            error, drawn = self._denoised(state, pose, encoded, points[:, time])
            frames.append(error)
            reached = self._reached(state[POSE][:, -1], encoded)
            missed.append(((reached - pose) / self.stride).square().mean(1))
            state = {POINTS: _pushed(state[POINTS], drawn), POSE: _pushed(state[POSE], pose)}
        counted = mask[:, memory:]
        return {
            "frames": ops.masked_mean(torch.stack(frames, 1), counted),
            "pose": ops.masked_mean(torch.stack(missed, 1), counted),
        }

    def _denoised(
        self, state: Tree, pose: Tensor, encoded: Tensor, after: Float[Tensor, "batch size"]
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch size"]]:
        """Error of the network at random noise, and the points it took for the clean ones."""
        told, last = self._told(state, pose, encoded)
        clean = DEVIATION * (after - last) / self.change
        sigma = diffusion.draw_sigmas(
            len(clean),
            mean=NOISE_MEAN,
            deviation=NOISE_DEVIATION,
            low=NOISE_LOW,
            high=NOISE_HIGH,
            device=clean.device,
        )
        by = diffusion.scales(sigma, DEVIATION, clean.ndim)
        noisy = clean + sigma.unsqueeze(1) * torch.randn_like(clean)
        said = self.denoiser(by.into * noisy, by.noise, told)
        error = (said - (clean - by.skip * noisy) / by.out).square().mean(1)
        drawn = last + (by.skip * noisy + by.out * said.detach()) * self.change / DEVIATION
        return error, drawn

    # ---- parts ---------------------------------------------------------------------------------

    def _told(self, state: Tree, pose: Tensor, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """What the denoiser is told: the frames looked at, poses, action; and the last points."""
        chosen = self._chosen(state[POSE], pose)
        rows = torch.arange(len(pose), device=pose.device).unsqueeze(1)
        away = (state[POSE][rows, chosen] - pose.unsqueeze(1)) * _NEARNESS
        known = state[POINTS][rows, chosen]
        return torch.cat((known.flatten(1), pose, away.flatten(1), encoded), 1), known[:, -1]

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


def _pushed(rows: Tensor, last: Tensor) -> Tensor:
    """Drop the oldest row, append the newest."""
    return torch.cat((rows[:, 1:], last.unsqueeze(1)), 1)

"""A causal video tokenizer: frames to a few bounded numbers and back.

A frame is cut into patches. Latent tokens read the patches of their own frame and latents of
earlier frames, and pass a bottleneck into (-1, 1). The decoder asks the latents what each patch
looked like. Every latent token has patches of its own, with whose mean it begins, and which ask it
first: without that, attention takes thousands of updates to find out who should tell whom what.
While fitting, a random share of each frame's patches is hidden from the encoder (masked
autoencoding, He et al. 2021, 2111.06377), which makes latents easier to predict.

Source: Hafner et al. (2025), Dreamer 4, arXiv 2509.24527, section 3.1. Here the decoder reads one
frame at a time, so that dreaming need not decode what nobody looks at.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.models.backbones.space_time import SpaceTimeTransformer


class VideoTokenizer(nn.Module):
    """Frames (height, width, channels) to `size` numbers in (-1, 1).

    Args:
        frame: Height, width and channels.
        patch: Side of a patch; divides height and width.
        latents: Latent tokens per frame; divides the number of patches.
        latent_width: Numbers per latent token.
        width, layers, heads: Of encoder and decoder each.
        time_every: Each such encoder layer attends over time; 0: every frame is encoded alone.
        window: Frames the encoder looks back.
        most_hidden: Largest share of patches hidden while fitting.
        soft_cap: Of attention logits.

    Raises:
        SpecError: If patches do not fill the frame, or latents do not share them evenly.
    """

    def __init__(
        self,
        frame: Sequence[int],
        *,
        patch: int = 8,
        latents: int = 4,
        latent_width: int = 16,
        width: int = 96,
        layers: int = 4,
        heads: int = 4,
        time_every: int = 4,
        window: int = 16,
        most_hidden: float = 0.9,
        soft_cap: float | None = 50.0,
    ):
        super().__init__()
        height, across, channels = frame
        if height % patch or across % patch:
            raise SpecError(
                f"tokenizer: patches of {patch} do not fill frames of {height} x {across};"
                " choose a patch that divides both"
            )
        self.rows, self.patch, self.most_hidden = height // patch, patch, most_hidden
        self.num_patches = self.rows * (across // patch)
        if self.num_patches % latents:
            raise SpecError(
                f"tokenizer: {latents} latents cannot share {self.num_patches} patches evenly;"
                " choose a number of latents that divides them"
            )
        self.latents, self.size = latents, latents * latent_width
        pixels = patch * patch * channels
        self.embed = nn.Linear(pixels, width)
        self.hidden = nn.Parameter(0.02 * torch.randn(width))
        self.slots = nn.Parameter(torch.randn(latents + self.num_patches, width))
        self.encoder = SpaceTimeTransformer(
            width,
            layers=layers,
            heads=heads,
            time_every=time_every,
            window=window,
            soft_cap=soft_cap,
        )
        self.squeeze = nn.Linear(width, latent_width)
        self.unsqueeze = nn.Linear(latent_width, width)
        self.questions = nn.Parameter(torch.randn(latents + self.num_patches, width))
        self.decoder = SpaceTimeTransformer(
            width, layers=layers, heads=heads, time_every=0, soft_cap=soft_cap
        )
        self.paint = nn.Linear(width, pixels)
        tokens = latents + self.num_patches
        is_latent = torch.arange(tokens, device="cpu") < latents
        reads = is_latent.unsqueeze(1) | ~is_latent.unsqueeze(0)
        self.register_buffer("encoder_reads", reads, persistent=False)
        answers = ~is_latent.unsqueeze(1) | is_latent.unsqueeze(0)
        self.register_buffer("decoder_reads", answers, persistent=False)

    def initial(self, batch_size: int) -> Tree:
        """The encoder's empty past."""
        return self.encoder.initial(batch_size, self.latents + self.num_patches)

    def encode(
        self,
        frames: UInt8[Tensor, "batch time height width channels"],
        is_first: Bool[Tensor, "batch time"],
        *,
        shown: Bool[Tensor, "batch time patches"] | None = None,
    ) -> Float[Tensor, "batch time size"]:
        """Whole clips; `shown` hides patches where it is False."""
        out = self.encoder(self._tokens(frames, shown), is_first, visible=self.encoder_reads)
        return self._latents(out)

    def encode_step(
        self, frame: UInt8[Tensor, "batch height width channels"], past: Tree
    ) -> tuple[Float[Tensor, "batch size"], Tree]:
        """One more frame, and the past that includes it."""
        out, past = self.encoder.step(self._tokens(frame, None), past, visible=self.encoder_reads)
        return self._latents(out), past

    def decode(
        self, latents: Float[Tensor, "*lead size"]
    ) -> Float[Tensor, "*lead height width channels"]:
        """Frames, in [0, 1] but for the error of the decoder."""
        lead = latents.shape[:-1]
        told = self.unsqueeze(latents.reshape(-1, 1, self.latents, self.size // self.latents))
        own = told.repeat_interleave(self.num_patches // self.latents, 2)
        tokens = torch.cat((told, own), 2) + self.questions
        alone = torch.ones(len(told), 1, dtype=torch.bool, device=latents.device)
        out = self.decoder(tokens, alone, visible=self.decoder_reads)
        patches = self.paint(out[:, 0, self.latents :]).float()
        return self._joined(patches).unflatten(0, lead)

    def loss(
        self,
        frames: UInt8[Tensor, "batch time height width channels"],
        is_first: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time"]:
        """Mean squared error per frame of repainting all patches from a random share of them."""
        draws = torch.rand(*is_first.shape, 1, device=frames.device) * self.most_hidden
        shown = torch.rand(*is_first.shape, self.num_patches, device=frames.device) >= draws
        painted = self.decode(self.encode(frames, is_first, shown=shown))
        return (painted - frames.float() / 255).square().mean((-3, -2, -1))

    def _tokens(self, frames: Tensor, shown: Tensor | None) -> Tensor:
        """Latent tokens, then patches."""
        patches = self.embed(self._cut(frames.float() / 255 - 0.5))
        if shown is not None:
            patches = torch.where(shown.unsqueeze(-1), patches, self.hidden.to(patches.dtype))
        own = patches.unflatten(-2, (self.latents, -1)).mean(-2)
        return torch.cat((own, patches), -2) + self.slots

    def _latents(self, out: Tensor) -> Tensor:
        return self.squeeze(out[..., : self.latents, :]).float().tanh().flatten(-2)

    def _cut(self, frames: Tensor) -> Tensor:
        """(..., height, width, channels) to (..., patches, pixels)."""
        high = frames.unflatten(-3, (self.rows, self.patch))
        wide = high.unflatten(-2, (-1, self.patch)).movedim(-3, -4)
        return wide.flatten(-3).flatten(-3, -2)

    def _joined(self, patches: Tensor) -> Tensor:
        """The inverse of `_cut`."""
        squares = patches.unflatten(-1, (self.patch, self.patch, -1))
        rows = squares.unflatten(-4, (self.rows, -1)).movedim(-3, -4)
        return rows.flatten(-3, -2).flatten(-4, -3)

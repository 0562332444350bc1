"""Steering a video model that knows no actions: a scale and a shift in every block."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.models.backbones import Modulation


class ActionAdapter(nn.Module):
    """From what is told of a frame's action, how to modulate each block of a transformer.

        x <- x + MLP(norm(x) · (1 + scale) + shift)

    Both are linear in the embedding and start at zero, so that adapting begins from the model as it
    was. One embedding per frame: the action that led to it.

    Args:
        embedding: Width of what is told.
        width: Of the transformer.
        layers: Of the transformer.

    Source: He et al. (2025), arXiv 2502.07825, section 3.2.
    """

    def __init__(self, embedding: int, *, width: int, layers: int):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(embedding, 2 * width) for _ in range(layers))
        for layer in self.layers:
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, told: Float[Tensor, "*lead embedding"]) -> Modulation:
        """Per layer (scale, shift), each (..., width)."""
        return [tuple(layer(told).chunk(2, -1)) for layer in self.layers]  # type: ignore[misc]


def motion_weight(
    latents: Float[Tensor, "batch time size"], strength: float
) -> Float[Tensor, "batch time size"]:
    """How much each number of a frame counts in the loss: more, the more it has just changed.

        weight = strength · size · softmax(|z_t − z_{t−1}|) + 1 − strength

    The softmax runs over the numbers of one frame; the mean weight is 1, so the size of the loss
    stays. The first frame weighs 1 everywhere.

    Args:
        strength: 0 is the plain loss, 1 the motion-reinforced one.

    Source: He et al. (2025), arXiv 2502.07825, section 3.3; `strength` and the scale are ours.
    """
    change = (latents[:, 1:] - latents[:, :-1]).abs().detach()
    moved = latents.shape[-1] * change.softmax(-1)
    weight = torch.cat((torch.ones_like(latents[:, :1]), moved), 1)
    return strength * weight + 1 - strength

"""LPIPS, where its package is installed and its weights are at hand."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from mindseye.core.errors import DataError, MissingExtra
from mindseye.evaluation.video.clips import CHUNK, check_clips


@torch.inference_mode()
def lpips(
    first: np.ndarray, second: np.ndarray, weights: Path | str, *, net: str = "alex"
) -> np.ndarray:
    """Learned perceptual distance (Zhang et al. 2018, 1801.03924), shape (clips, frames).

    Args:
        weights: A safetensors file of the whole network's state; nothing is downloaded.
        net: The network's backbone: "alex", "vgg" or "squeeze".

    Raises:
        MissingExtra: If the package `lpips` is not installed.
        DataError: If there is no such file.
    """
    try:
        import lpips as package
    except ImportError as error:
        raise MissingExtra("lpips", "video") from error
    check_clips(first, second)
    if not Path(weights).is_file():
        raise DataError(f"lpips: no file {weights}; save the network's state as safetensors")
    # this file has the package's name, which confuses type checkers
    build: Any = package.LPIPS  # type: ignore[attr-defined]
    network = build(net=net, pretrained=False, pnet_rand=True, verbose=False).eval()
    network.load_state_dict(load_file(str(weights)))
    pairs = zip(_scaled(first).split(CHUNK), _scaled(second).split(CHUNK), strict=True)
    distances = [network(a, b).flatten() for a, b in pairs]
    return torch.cat(distances).double().numpy().reshape(first.shape[:2])


def _scaled(clips: np.ndarray) -> Tensor:
    frames = torch.from_numpy(np.ascontiguousarray(clips)).flatten(0, 1)
    return frames.permute(0, 3, 1, 2).float() / 127.5 - 1

"""Episodes of pictures to episodes of latents, once, so that dynamics are fitted without pictures."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from gymnasium.spaces import Box

from mindseye.core.episode import Episode
from mindseye.core.run import Run
from mindseye.experience import Replay
from mindseye.experience.replay import FIELDS
from mindseye.models.video import VideoTokenizer

LABELLED = "labelled"
"""Extra of episodes: 0 where actions are not to be known to the one who learns."""


def encode(run: Run, tokenizer: VideoTokenizer, replay: Replay, folder: Path) -> Replay:
    """A store like `replay` whose observations are the tokenizer's latents; goes on if stopped."""
    space = Box(-1.0, 1.0, (tokenizer.size,), np.float32)
    extras = [*FIELDS, LABELLED]
    latents = Replay(folder, space, replay.action_space, extras=extras)
    for number in run.steps("encode", replay.num_episodes, keep={"latents": latents}):
        latents.add(encoded(tokenizer, [replay.episode(number)]))
    return latents


@torch.inference_mode()
def encoded(tokenizer: VideoTokenizer, episodes: Iterable[Episode]) -> list[Episode]:
    """The same episodes, pictures replaced by latents (time + 1, size)."""
    device = tokenizer.slots.device
    found = []
    for episode in episodes:
        frames = torch.from_numpy(episode.observations).to(device).unsqueeze(0)
        is_first = torch.zeros(frames.shape[:2], dtype=torch.bool, device=device)
        is_first[:, 0] = True
        latents = tokenizer.encode(frames, is_first)[0].float().cpu().numpy()
        found.append(replace(episode, observations=latents))
    return found

import numpy as np
import torch
from gymnasium import spaces

from mindseye.core.run import Run
from mindseye.models.world.keypoints import Eyes
from mindseye.models.world.views import MultiViewWorldModel
from mindseye.stages.views import fit_eyes, fit_views

VIEWS = spaces.Dict(
    {
        "top": spaces.Box(0, 255, (16, 16, 3), np.uint8),
        "pose": spaces.Box(-1, 1, (2,), np.float32),
    }
)
PUSH = spaces.Box(-1, 1, (2,), np.float32)


def episodes():
    """Two episodes of six and four rows, padded."""
    draw = torch.Generator().manual_seed(0)
    mask = (torch.arange(6) < torch.tensor([[6], [4]])).float()
    return {
        "observation": {
            "top": torch.randint(0, 256, (2, 6, 16, 16, 3), dtype=torch.uint8, generator=draw),
            "pose": torch.rand(2, 6, 2, generator=draw),
        },
        "action": torch.rand(2, 6, 2, generator=draw),
        "mask": mask,
    }


def test_fitted_eyes_are_frozen_and_read_all_episodes(tmp_path):
    eyes = Eyes(VIEWS, points=2, depth=4)
    with Run(tmp_path, name="see", config={}, seed=100) as record:
        seen = fit_eyes(record, eyes, episodes(), updates=2)
    assert seen["observation"]["points"].shape == (2, 6, 6)
    assert not any(p.requires_grad for p in eyes.parameters())


def test_a_world_learns_from_single_steps_first_and_then_from_several(tmp_path, monkeypatch):
    eyes, lengths = Eyes(VIEWS, points=2, depth=4), []
    model = MultiViewWorldModel(eyes, PUSH, memory=3, units=8, layers=1)
    losses = MultiViewWorldModel.losses

    def watched(self, batch):
        lengths.append(tuple(batch["mask"].shape))
        return losses(self, batch)

    monkeypatch.setattr(MultiViewWorldModel, "losses", watched)
    options = {"updates": 4, "batch": 8, "learning_rate": 1e-3, "ahead": 2}
    with Run(tmp_path, name="dream", config={}, seed=100) as record:
        seen = fit_eyes(record, eyes, episodes(), updates=1)
        fit_views(record, "mine", model, seen, **options)
    assert lengths == [(8, 4), (8, 4), (4, 5), (4, 5)]

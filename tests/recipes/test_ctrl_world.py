from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from mindseye.core.run import Run
from mindseye.learners.diffusion_fitting import DiffusionFitting
from mindseye.recipes import ctrl_world as recipe

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, config=SMOKE, **options):
    options = {"name": "ctrl_world", "config": asdict(config), "seed": config.seed} | options
    with Run(folder, **options) as record:
        return recipe.run(config, record)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return report(folder), folder


def test_every_claim_names_measures_of_the_report(smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke[0].measure(name)


def test_both_cameras_are_drawn_beside_reality(smoke):
    assert [p.name for p in (smoke[1] / "media").iterdir()] == ["views.png"]


def test_a_killed_run_goes_on_bit_for_bit(smoke, tmp_path, monkeypatch):
    calls, update = [], DiffusionFitting.update

    def die_late(fitting, batch):
        calls.append(fitting)
        if len(calls) == 2 * SMOKE.eye_updates + SMOKE.updates + 2:
            raise KeyboardInterrupt
        return update(fitting, batch)

    with monkeypatch.context() as patch:
        patch.setattr(DiffusionFitting, "update", die_late)
        with pytest.raises(KeyboardInterrupt):
            report(tmp_path, checkpoint_seconds=0.0)
    np.testing.assert_equal(asdict(report(tmp_path))["measures"], asdict(smoke[0])["measures"])


@pytest.mark.parametrize("preset", ["cpu", "full"])
def test_worlds_can_be_laid_out_without_memory(preset):
    with torch.device("meta"):
        worlds = recipe.build(recipe.PRESETS[preset])
    assert set(worlds) == {"joint", "forgetful"}


def test_the_full_world_is_as_large_as_the_papers():
    with torch.device("meta"):
        world = recipe.build(recipe.PRESETS["full"])["joint"]
    assert 1.3e9 < sum(p.numel() for p in world.parameters()) < 1.7e9


def test_the_forgetful_world_sees_the_present_frame_alone():
    worlds = recipe.build(SMOKE)
    forgetful, joint = worlds["forgetful"], worlds["joint"]
    assert forgetful.initial(2)["points"].shape[1] == 1
    assert joint.initial(2)["points"].shape[1] == SMOKE.memory
    assert forgetful.eyes is joint.eyes


def test_ranked_pushers_are_not_those_the_worlds_learned_from():
    new = set(recipe.RANKED) - set(recipe.TEACHERS)
    assert len(recipe.RANKED) >= 5
    assert len(new) >= 4

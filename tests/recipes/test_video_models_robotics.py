from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from mindseye.core.run import Run
from mindseye.recipes import video_models_robotics as recipe
from mindseye.worlds.scenes import FAULTS

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, config=SMOKE, **options):
    options = {"name": "video_models_robotics", "config": asdict(config), "seed": 100} | options
    with Run(folder, **options) as record:
        return recipe.run(config, record)


def timeless(found):
    return {m.name: m.value for m in found.measures if not m.name.startswith("seconds")}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return report(folder), folder


def test_every_claim_names_measures_of_the_report(smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke[0].measure(name)


def test_worlds_are_drawn_beside_reality(smoke):
    assert {p.name for p in (smoke[1] / "media").iterdir()} == {"latent.png", "video.png"}


def test_a_killed_run_goes_on_bit_for_bit(smoke, tmp_path, monkeypatch):
    calls, update = [], recipe.VideoFitting.update

    def die_late(fitting, batch):
        calls.append(fitting)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return update(fitting, batch)

    with monkeypatch.context() as patch:
        patch.setattr(recipe.VideoFitting, "update", die_late)
        with pytest.raises(KeyboardInterrupt):
            report(tmp_path, checkpoint_seconds=0.0)
    np.testing.assert_equal(timeless(report(tmp_path)), timeless(smoke[0]))


@pytest.mark.parametrize("preset", ["cpu", "full"])
def test_worlds_can_be_laid_out_without_memory(preset):
    with torch.device("meta"):
        models = recipe.build(recipe.PRESETS[preset])
    assert set(models) == set(recipe.TAXONOMY)


def test_every_fault_but_harmless_noise_has_a_check_of_its_own():
    assert set(recipe.NAMED) == set(FAULTS) - {"noise"}
    assert {p for probes in recipe.NAMED.values() for p in probes} <= set(recipe.video.PROBES)

"""Dreamer 4 and DWS: two walks around the same loop, held to the same contract."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image

from mindseye.core.run import Run
from mindseye.recipes import dreamer4, dws

PACKAGES = {dreamer4: "crafter", dws: "Box2D"}
"""What the world of the full preset needs."""


@pytest.fixture(scope="module", params=PACKAGES, ids=lambda recipe: recipe.CARD.slug)
def recipe(request):
    return request.param


def report(recipe, folder, **options):
    smoke = replace(recipe.PRESETS["smoke"], seed=100)
    options = {"name": recipe.CARD.slug, "config": asdict(smoke), "seed": smoke.seed} | options
    with Run(folder, **options) as record:
        return recipe.run(smoke, record)


@pytest.fixture(scope="module")
def folder(recipe, tmp_path_factory):
    return tmp_path_factory.mktemp(recipe.CARD.slug)


@pytest.fixture(scope="module")
def smoke(recipe, folder):
    return report(recipe, folder)


def values(found):
    return {measure.name: measure.value for measure in found.measures}


def test_every_claim_names_measures_of_the_report(recipe, smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke.measure(name)


def test_the_dream_is_drawn_beside_reality(smoke, folder):
    sheet = np.asarray(Image.open(folder / "media" / "dream.png"))
    assert sheet.ndim == 3
    assert sheet.std() > 1


def test_a_killed_run_goes_on_bit_for_bit(recipe, smoke, tmp_path, monkeypatch):
    calls, update = [], recipe.VideoFitting.update

    def die_late(fitting, batch):
        calls.append(fitting)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return update(fitting, batch)

    with monkeypatch.context() as patch:
        patch.setattr(recipe.VideoFitting, "update", die_late)
        with pytest.raises(KeyboardInterrupt):
            report(recipe, tmp_path, checkpoint_seconds=0.0)
    assert values(report(recipe, tmp_path)) == values(smoke)


def test_the_small_study_builds(recipe):
    for model in recipe.build(recipe.PRESETS["cpu"]).values():
        assert sum(p.numel() for p in model.parameters()) > 100_000


def test_the_papers_size_builds_without_memory(recipe):
    pytest.importorskip(PACKAGES[recipe])
    with torch.device("meta"):
        models = recipe.build(recipe.PRESETS["full"])
    size = sum(p.numel() for p in next(iter(models.values())).parameters())
    assert 1.5e9 < size < 3e9

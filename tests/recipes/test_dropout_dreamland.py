import pytest
import torch

from mindseye.core.run import Run
from mindseye.recipes import dropout_dreamland as recipe

pytest.importorskip("cma")


def run(folder):
    config = recipe.PRESETS["smoke"]
    with Run(folder, name="dropout_dreamland", config={}, seed=config.seed) as record:
        return recipe.run(config, record)


def test_the_same_seed_gives_the_same_measures_and_every_claim_has_its_own(tmp_path):
    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    assert first.measures == second.measures
    names = {measure.name for measure in first.measures}
    for claim in recipe.CARD.claims:
        assert {claim.method, claim.baseline, claim.ablation} <= names


def test_the_full_preset_builds_without_memory():
    with torch.device("meta"):
        networks = recipe.build(recipe.PRESETS["full"])
    assert sum(p.numel() for n in networks.values() for p in n.parameters()) > 1_000_000

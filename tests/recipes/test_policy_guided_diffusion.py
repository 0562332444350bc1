import json
from dataclasses import asdict, replace

import pytest
import torch

from mindseye.core.run import Run
from mindseye.recipes import policy_guided_diffusion as recipe
from mindseye.stages import offline_agents

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, **options):
    config = json.loads(json.dumps(asdict(SMOKE)))
    with Run(folder, name="pgd", config=config, seed=SMOKE.seed, **options) as record:
        return recipe.run(SMOKE, record)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return report(tmp_path_factory.mktemp("run"))


def test_every_claim_names_measures_of_the_report(smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke.measure(name)


def test_a_killed_run_goes_on_bit_for_bit(smoke, tmp_path, monkeypatch):
    """Killed while the guided agent learns from what it drew itself."""
    calls, mixed = [], offline_agents._mixed

    def die_late(*inputs):
        calls.append(inputs)
        if len(calls) == 3 * SMOKE.agent_updates + 6:
            raise KeyboardInterrupt
        return mixed(*inputs)

    with monkeypatch.context() as patch:
        patch.setattr(offline_agents, "_mixed", die_late)
        with pytest.raises(KeyboardInterrupt):
            report(tmp_path, checkpoint_seconds=0.0)
    assert report(tmp_path).measures == smoke.measures


@pytest.mark.parametrize("preset", recipe.PRESETS)
def test_every_preset_can_be_laid_out(preset):
    with torch.device("meta"):
        models = recipe.build(recipe.PRESETS[preset])
    assert next(models["windows"].parameters()).is_meta

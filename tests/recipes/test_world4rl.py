import json
from dataclasses import asdict, replace

import pytest
import torch

from mindseye.core.run import Run
from mindseye.recipes import world4rl as recipe

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, **options):
    config = json.loads(json.dumps(asdict(SMOKE)))
    with Run(folder, name="world4rl", config=config, seed=SMOKE.seed, **options) as record:
        return recipe.run(SMOKE, record)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return report(tmp_path_factory.mktemp("run"))


def test_every_claim_names_measures_of_the_report(smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke.measure(name)


def test_refining_takes_no_step_of_reality(smoke):
    limit = recipe.make(SMOKE.world).rules.max_steps
    episodes = SMOKE.experts + SMOKE.attempts + SMOKE.chance
    assert smoke.details["real_steps"] <= episodes * limit


def test_a_killed_run_goes_on_bit_for_bit(smoke, tmp_path, monkeypatch):
    """Killed in the second round of refinement."""
    calls, update = [], recipe.PPO.update

    def die_late(learner, batch):
        calls.append(learner)
        if len(calls) == SMOKE.iterations + 1:
            raise KeyboardInterrupt
        return update(learner, batch)

    with monkeypatch.context() as patch:
        patch.setattr(recipe.PPO, "update", die_late)
        with pytest.raises(KeyboardInterrupt):
            report(tmp_path, checkpoint_seconds=0.0)
    again = report(tmp_path)
    assert again.measures == smoke.measures
    assert again.details["curves"] == smoke.details["curves"]


@pytest.mark.parametrize("preset", recipe.PRESETS)
def test_every_preset_can_be_laid_out(preset):
    with torch.device("meta"):
        models = recipe.build(recipe.PRESETS[preset])
    assert next(models["diffusion"].parameters()).is_meta

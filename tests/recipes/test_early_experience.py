from dataclasses import asdict, replace

import numpy as np
import pytest

from mindseye.core.errors import ConfigError
from mindseye.core.run import Run
from mindseye.models.language.small import SmallLanguageModel, load_small, save_small
from mindseye.recipes import early_experience as recipe

SMOKE = replace(recipe.PRESETS["smoke"], seed=100, updates=4, shares=(0.5,))


def report(folder, config):
    with Run(folder, name="early_experience", config=asdict(config), seed=config.seed) as record:
        return recipe.run(config, record)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """One run with a model so small that it learns nothing."""
    folder = tmp_path_factory.mktemp("early_experience")
    tiny = SmallLanguageModel(load_small().vocabulary, units=16, layers=1, heads=2)
    save_small(folder / "tiny", tiny, {})
    config = replace(SMOKE, language=f"small:{folder / 'tiny'}")
    return folder / "run", config, report(folder / "run", config)


def test_every_claim_names_measures_of_the_report(smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke[2].measure(name)


def test_a_finished_run_is_read_back(smoke):
    folder, config, first = smoke
    assert report(folder, config).measures == first.measures


def test_all_arms_take_as_many_updates(smoke):
    folder, config, _ = smoke
    with Run(folder, name="early_experience", config=asdict(config), seed=config.seed) as record:
        rows = [row["stage"].rsplit("/", 1)[0] for row in record.metrics()]
    counts = {name: rows.count(name) for name in dict.fromkeys(rows)}
    assert len(counts) == 7
    assert set(counts.values()) == {config.updates}


def test_parts_of_the_demonstrations_are_compared_on_request(smoke):
    for name in ("foretold/0.5", "imitation/0.5"):
        assert np.isfinite(smoke[2].measure(f"success/{name}").value)


def test_no_technology_is_both_shown_and_tested(tmp_path):
    config = replace(SMOKE, technologies=3, tests=3)
    with Run(tmp_path, name="early_experience", config=asdict(config), seed=100) as record:
        tasks = {
            purpose: {
                bench(1).rules.commands[0]
                for bench in recipe.benches(config, record, purpose, 3, sizes)
            }
            for purpose, sizes in (
                ("shown", recipe.NEAR),
                ("test ", recipe.NEAR),
                ("test far/", recipe.FAR),
            )
        }
    seen = [command for commands in tasks.values() for command in commands]
    assert len(seen) == len(set(seen)) == 9


def test_only_models_that_can_be_fitted_are_taken():
    with pytest.raises(ConfigError, match="cannot be fitted"):
        recipe.build(replace(SMOKE, language="remote:any@http://localhost:1/v1"))

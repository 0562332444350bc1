from dataclasses import replace

from mindseye.core.run import Run
from mindseye.recipes import cel as recipe

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder):
    with Run(folder, name="cel", config={}, seed=SMOKE.seed) as record:
        return recipe.run(SMOKE, record)


def test_the_smoke_preset_reports_every_claim_and_goes_on_to_the_same_numbers(tmp_path):
    first = report(tmp_path)
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            first.measure(name)
    assert report(tmp_path).measures == first.measures
    assert first.details["lives"][0]["trace"]


def test_the_full_preset_builds():
    assert recipe.build(recipe.PRESETS["full"])["language"] is not None

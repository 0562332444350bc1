import json
from dataclasses import asdict, replace

import pytest

from mindseye.core.run import Run
from mindseye.recipes import dreamgym as recipe

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, config=SMOKE, **options):
    options = {"name": "dreamgym", "config": asdict(config), "seed": config.seed} | options
    with Run(folder, **options) as record:
        return recipe.run(config, record)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def smoke(folder):
    return report(folder)


def values(report):
    return {m.name: (m.value, m.n) for m in report.measures if m.n}


def test_every_claim_names_measures_of_the_report(smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke.measure(name)


def test_the_dream_costs_no_real_steps(smoke):
    assert smoke.measure("real_steps/dream").value == 0
    tenth = smoke.measure("real_steps/real_tenth").value
    assert 0 < tenth < smoke.measure("real_steps/real").value


def test_a_finished_run_is_read_back(smoke, folder):
    assert values(report(folder)) == values(smoke)
    assert "Task: buy" in (folder / "media" / "dream.txt").read_text()


def test_a_killed_run_goes_on_bit_for_bit(smoke, tmp_path, monkeypatch):
    calls, decisions = [], recipe.decisions

    def die_late(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return decisions(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(recipe, "decisions", die_late)
        with pytest.raises(KeyboardInterrupt):
            report(tmp_path, checkpoint_seconds=0.0)
    assert values(report(tmp_path)) == values(smoke)


def test_ablations_come_last_and_change_nothing_else(smoke, folder, tmp_path):
    more = values(report(tmp_path, replace(SMOKE, ablations=True)))
    fresh = {name.rsplit("/", 1)[1] for name in more.keys() - values(smoke).keys()}
    assert fresh == {"dream_no_retrieval", "dream_uniform"}
    assert {name: more[name] for name in values(smoke)} == values(smoke)
    assert "success/dream_uniform" in more
    assert values(report(tmp_path, replace(SMOKE, ablations=True))) == more
    # runs from before there were ablations go on
    told = json.loads((folder / "config.json").read_text())
    del told["ablations"]
    (folder / "config.json").write_text(json.dumps(told))
    assert values(report(folder)) == values(smoke)


def test_the_full_preset_can_be_laid_out():
    networks = recipe.build(recipe.PRESETS["full"], ["a", "hat"])
    assert sum(p.numel() for p in networks["language"].parameters()) > 300_000

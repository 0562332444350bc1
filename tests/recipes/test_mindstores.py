import importlib.util
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from mindseye.core.run import Run
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.recipes import mindstores as recipe

_spec = importlib.util.spec_from_file_location(
    "perfect_reader", Path(__file__).parents[1] / "agents" / "language" / "perfect_reader.py"
)
perfect_reader = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(perfect_reader)

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, config=SMOKE, **options):
    options = {"name": "mindstores", "config": asdict(config), "seed": config.seed} | options
    with Run(folder, **options) as record:
        return recipe.run(config, record)


@pytest.fixture(autouse=True)
def read_perfectly(monkeypatch):
    """The loop is tested with a reader that makes no mistakes; claims are never judged with it."""

    def build(config):
        return ScriptedLanguageModel(perfect_reader.answer)

    monkeypatch.setattr(recipe, "build", build)


def test_every_claim_names_measures_of_the_report(tmp_path):
    smoke = report(tmp_path)
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke.measure(name)
    assert smoke.measure("language/calls").value > 0


def test_the_same_seed_gives_the_same_measures_and_a_finished_run_is_read_back(tmp_path):
    first = report(tmp_path / "a")
    assert report(tmp_path / "b").measures == first.measures
    assert report(tmp_path / "a").measures == first.measures


def test_whoever_reads_and_remembers_learns_and_others_do_not(tmp_path):
    found = report(tmp_path, replace(recipe.PRESETS["cpu"], seed=100, episodes=24))
    assert found.measure("late/full").value > 0.8
    for other in ("none", "foreign", "random", "confused", "successes", "latest"):
        assert found.measure(f"late/{other}").value < 0.7, other
    assert found.measure("foresight/full").value > 0.75
    assert "plan_from_memory: question" in found.details["trace"]


def test_all_planners_get_the_same_tasks(tmp_path):
    with Run(tmp_path, name="mindstores", config=asdict(SMOKE), seed=SMOKE.seed) as record:
        episodes = recipe.live(SMOKE, record, recipe.build(SMOKE))["episodes"]
    tasks = {name: [] for name in recipe.PLANNERS}
    for row in episodes:
        tasks[row["planner"]].append((row["technology"], row["episode"], row["length"]))
    assert len({tuple(same) for same in tasks.values()}) == 1


def test_the_area_under_the_curve_counts_ties_half():
    assert recipe.area_under([0.9, 0.5, 0.5], [True, True, False]) == pytest.approx(0.75)
    assert recipe.area_under([0.9], [True]) == 0.5

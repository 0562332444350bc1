from dataclasses import asdict, replace

import numpy as np
import pytest

from mindseye.core.run import Run
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.recipes import onelife as recipe

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, config=SMOKE):
    with Run(folder, name="onelife", config=asdict(config), seed=config.seed) as record:
        return recipe.run(config, record)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return report(tmp_path_factory.mktemp("onelife"))


def test_every_claim_names_measures_of_the_report(smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke.measure(name)


def test_the_same_seed_gives_the_same_measures(smoke, tmp_path):
    again = {m.name: m.value for m in report(tmp_path).measures}
    first = {m.name: m.value for m in smoke.measures}
    assert again.keys() == first.keys()
    for name in first:
        np.testing.assert_equal(again[name], first[name])


def test_one_life_already_tells_something(smoke):
    value = {m.name: m.value for m in smoke.measures}
    assert value["nll/fitted"] < value["nll/equal"] < value["nll/hard"]
    assert value["mrr/fitted"] > value["mrr/unmoved"] > value["mrr/clueless"]
    assert value["edits/fitted"] < value["edits/ungated"] < value["edits/clueless"]
    assert any("one walks into grass" in law for _, law in smoke.details["laws"])


def test_a_life_ends_with_death_and_steps_follow_each_other():
    facts = recipe.land(SMOKE)
    before, actions, after = recipe.live(SMOKE, facts, 1, 100)
    assert len(before) == len(actions) <= SMOKE.life
    assert (before[1:] == after[:-1]).all()


def test_a_language_model_may_propose_laws_too(tmp_path, monkeypatch):
    law = (
        "```python\n"
        "def precondition(state, action):\n"
        "    return cell_ahead(state, action) == 'water'\n"
        "def effect(state, action):\n"
        "    return {'vitals.drink': [[state['vitals']['drink'] + 1, 1.0]]}\n"
        "```"
    )
    asked = []

    def opened(spec):
        asked.append(spec)
        return ScriptedLanguageModel(lambda messages: law)

    monkeypatch.setattr(recipe, "open_language", opened)
    monkeypatch.setenv("MINDSEYE_LANGUAGE", "remote:some@http://localhost:1/v1")
    config = replace(SMOKE, life=60, most_questions=2, situations=1, plan_worlds=2, plan_steps=8)
    told = report(tmp_path, config)
    assert asked == ["remote:some@http://localhost:1/v1"]
    assert told.measure("laws/written").value == 2
    assert told.measure("language/calls").value == 2

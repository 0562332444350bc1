from dataclasses import asdict, replace

import pytest
import torch

from mindseye.core.run import Run
from mindseye.recipes import s4wm as recipe

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, config=SMOKE, **options):
    options = {"name": "s4wm", "config": asdict(config), "seed": config.seed} | options
    with Run(folder, **options) as record:
        return recipe.run(config, record)


def recalled(found):
    return [measure for measure in found.measures if measure.name.startswith("recall/")]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return report(tmp_path_factory.mktemp("run"))


def test_every_claim_names_measures_of_the_report(smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke.measure(name)


def test_the_same_seed_recalls_the_same(smoke, tmp_path):
    assert recalled(report(tmp_path)) == recalled(smoke)


def test_a_killed_run_goes_on_bit_for_bit(smoke, tmp_path, monkeypatch):
    calls, update = [], recipe.ModelFitting.update

    def die_late(fitting, batch):
        calls.append(fitting)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return update(fitting, batch)

    with monkeypatch.context() as patch:
        patch.setattr(recipe.ModelFitting, "update", die_late)
        with pytest.raises(KeyboardInterrupt):
            report(tmp_path, checkpoint_seconds=0.0)
    assert recalled(report(tmp_path)) == recalled(smoke)


@pytest.mark.parametrize("preset", ["cpu", "full"])
def test_models_have_nearly_as_many_parameters(preset):
    with torch.device("meta"):
        models = recipe.build(recipe.PRESETS[preset])
    sizes = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}
    assert all(abs(size / sizes["s4"] - 1) < 0.1 for size in sizes.values()), sizes


def test_episodes_walk_around_the_ring():
    batch = recipe.walk(SMOKE, 5, seed=0)
    seen = batch["observation"]
    assert seen.shape == (5, SMOKE.length)
    assert torch.equal(seen[:, : -SMOKE.num_cells], seen[:, SMOKE.num_cells :])
    assert batch["action"][0].tolist() == [0] + [1] * (SMOKE.length - 1)


def test_colours_differ_between_episodes():
    seen = recipe.walk(SMOKE, 50, seed=0)["observation"][:, : SMOKE.num_cells]
    assert len(seen.unique(dim=0)) > 40


def test_an_oracle_recalls_everything():
    test = recipe.walk(SMOKE, 5, seed=0)

    class Oracle:
        """Knows the answers by the step it is at."""

        def posteriors(self, context):
            return self

        def state_at(self, row, time):
            return {"time": time}

        def imagine(self, state, action):
            return {"time": state["time"] + 1}

        def predict(self, state):
            seen = test["observation"][torch.arange(5), state["time"]]
            return type("Said", (), {"observation": seen})

    right = recipe.recall(SMOKE, Oracle(), test)
    assert torch.tensor(right).shape == (5, SMOKE.length - SMOKE.context)
    assert torch.tensor(right).min() == 1.0

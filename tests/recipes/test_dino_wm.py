from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image

from mindseye.core.errors import WorldError
from mindseye.core.run import Run
from mindseye.recipes import dino_wm as recipe
from mindseye.stages import features as stage

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, config=SMOKE, **options):
    options = {"name": "dino_wm", "config": asdict(config), "seed": 100} | options
    with Run(folder, **options) as record:
        return recipe.run(config, record)


def wander(episodes):
    return stage.wander(recipe._world(SMOKE, episodes), SMOKE.steps, seed=0)


def untimed(found):
    return [measure for measure in found.measures if not measure.name.startswith("time/")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def smoke(folder):
    return report(folder)


def test_every_claim_names_measures_of_the_report(smoke):
    for claim in recipe.CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            smoke.measure(name)


def test_the_same_seed_gives_the_same_measures(smoke, tmp_path):
    assert untimed(report(tmp_path)) == untimed(smoke)


@pytest.mark.parametrize("learner", ["HiddenPatchFitting", "FeatureFitting", "BehaviourCloning"])
def test_a_killed_run_goes_on_bit_for_bit(learner, smoke, tmp_path, monkeypatch):
    kind, calls = getattr(stage, learner), []
    update = kind.update

    def die_at_the_second(self, batch):
        calls.append(batch)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return update(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "update", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            report(tmp_path, checkpoint_seconds=0.0)
    assert untimed(report(tmp_path)) == untimed(smoke)


def test_a_run_draws_what_it_imagined(smoke, folder):
    picture = np.asarray(Image.open(folder / "media" / "imagined.png"))
    assert picture.std() > 0


def test_predictors_are_alike_but_for_what_they_read():
    with torch.device("meta"):
        worlds = recipe.build(recipe.PRESETS["cpu"])
    sizes = {name: sum(p.numel() for p in w.net.parameters()) for name, w in worlds.items()}
    assert len(set(sizes.values())) == 1
    assert worlds["features"].num_tokens == worlds["pixels"].num_tokens == 16
    assert worlds["pooled"].num_tokens == 1


def test_the_full_preset_can_be_laid_out():
    with torch.device("meta"):
        worlds = recipe.build(recipe.PRESETS["full"])
    model = worlds["features"]
    assert model.num_tokens == 14 * 14
    assert model.num_features == 384
    # the paper's predictor has about 19 million
    assert 17e6 < sum(p.numel() for p in model.net.parameters()) < 21e6
    assert model.net.window == 3


def test_goals_are_pictures_of_mujoco_too(tmp_path):
    pytest.importorskip("dm_control")
    medium = {"world": recipe.PRESETS["medium"].world, "repeat": 40, "window": 2, "layers": 2}
    config = replace(SMOKE, **medium, goals=2)
    try:
        found = report(tmp_path, config)
    except WorldError as error:
        if "MUJOCO_GL" not in str(error):
            raise
        pytest.skip(f"MUJOCO_GL: {error}")
    # metres, on a table whose diagonal is 0.82
    assert all(0 < apart < 0.82 for apart in found.details["distance_by_step"]["random"])
    assert found.measure("reached/simulator").n == 2


def test_nobody_sees_a_reward():
    data = wander(5)
    assert not data["reward"].any()
    assert data["continuation"].all()
    assert data["is_first"].sum(1).tolist() == [1] * 5


def test_wandering_moves_by_the_recorded_actions():
    data = wander(3)
    assert data["action"][:, 0].abs().sum() == 0
    assert (data["observation"][:, 1:] != data["observation"][:, :-1]).flatten(2).any(2).all()


def test_shuffled_actions_leave_the_others_alone(tmp_path, monkeypatch):
    seen, update = [], stage.FeatureFitting.update

    def watched(self, batch):
        seen.append(batch)
        return update(self, batch)

    monkeypatch.setattr(stage.FeatureFitting, "update", watched)
    data = wander(SMOKE.episodes)
    for name in ("features", "shuffled"):
        with Run(tmp_path / name, name="x", config={}, seed=100) as record:
            model = recipe.build(SMOKE)[name]
            stage.fit_features(
                record, "world", model, data, updates=1, batch_size=8, learning_rate=1e-3,
                is_shuffled=name == "shuffled",
            )  # fmt: skip
    straight, shuffled = seen
    assert torch.equal(straight["observation"], shuffled["observation"])
    assert (straight["action"] != shuffled["action"]).flatten(1).any(1).all()
    order = shuffled["action"].flatten().sort().values
    assert torch.equal(order, straight["action"].flatten().sort().values)


def test_what_is_reached_is_counted_by_distance(tmp_path):
    config = replace(SMOKE, goals=4)
    apart = [[0.5, 0.1, 0.5, 0.2], [0.1, 0.5, 0.5, 0.13]]
    with Run(tmp_path, name="x", config={}, seed=100) as record:
        found = recipe.report(config, record, {"a": {"apart": apart, "seconds": []}}, {})
    assert found.measure("reached/a").value == 0.75
    assert found.measure("stayed/a").value == 0.5
    assert found.details["reached_across"] == {"a": 0.5}

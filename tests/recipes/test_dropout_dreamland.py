from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from mindseye.core.run import Run
from mindseye.recipes import dropout_dreamland as recipe
from mindseye.stages import evolve as stage

pytest.importorskip("cma")

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, config=SMOKE, **options):
    options = {"name": "dropout_dreamland", "config": asdict(config), "seed": 100} | options
    with Run(folder, **options) as record:
        return recipe.run(config, record)


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
    assert report(tmp_path).measures == smoke.measures


def test_a_finished_run_is_read_back(smoke, folder):
    assert report(folder).measures == smoke.measures


def test_a_killed_run_goes_on_bit_for_bit(smoke, tmp_path, monkeypatch):
    calls, returns = [], stage.returns

    def die_in_the_second_search(*arguments, **options):
        calls.append(arguments)
        if len(calls) == SMOKE.generations * 3:
            raise KeyboardInterrupt
        return returns(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "returns", die_in_the_second_search)
        with pytest.raises(KeyboardInterrupt):
            report(tmp_path, checkpoint_seconds=0.0)
    assert report(tmp_path).measures == smoke.measures


def test_inflation_is_dream_minus_reality(smoke):
    value = {measure.name: measure.value for measure in smoke.measures}
    expected = value["dream/p10"] - value["real/p10"]
    assert value["gap/inflation_p10"] == pytest.approx(expected)


def test_the_full_preset_can_be_laid_out():
    with torch.device("meta"):
        networks = recipe.build(recipe.PRESETS["full"])
    sizes = {name: sum(p.numel() for p in net.parameters()) for name, net in networks.items()}
    # code of 64, memory and cell of 512, and a bias
    assert sizes["controller"] == 64 + 2 * 512 + 1 == 1_089
    memory = sum(p.numel() for p in networks["model"].memory.parameters())
    assert memory == 4 * 512 * (64 + 3 + 512 + 2)


def test_pictures_are_dreamt_as_well(tmp_path):
    config = replace(
        SMOKE, observation="pixels", world_options={}, rates=(0.1,), code_updates=2, updates=2,
        code_size=4, generations=1,
    )  # fmt: skip
    found = report(tmp_path, config)
    assert np.isfinite([measure.value for measure in found.measures]).all()


def test_dreams_begin_from_real_first_observations_inside_the_model(tmp_path):
    with Run(tmp_path, name="x", config={}, seed=100) as record:
        world = recipe._world(SMOKE, recipe.NUM_WORLDS)
        replay = recipe.collect(SMOKE, record, world)
        model = recipe._model(SMOKE, 0.1)
        starts = recipe.starts_from(replay, first_only=True)
        dream = stage.dream_inside(model, 8, starts=starts, horizon=5)
        first, _ = dream.reset(seed=0)
    places = {round(5 * float(episode.observations[0, 0]), 4) for episode in replay}
    assert {round(float(place), 4) for place in first[:, 0]} <= places
    assert (first[:, 4:] == 0).all()

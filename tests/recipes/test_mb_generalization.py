from dataclasses import asdict, replace

import pytest
import torch

from mindseye.core.run import Run
from mindseye.models.world.bits import BitsModel
from mindseye.recipes import mb_generalization as recipe

SMOKE = replace(recipe.PRESETS["smoke"], seed=100)


def report(folder, config=SMOKE, **options):
    options = {"name": "mb_generalization", "config": asdict(config), "seed": config.seed} | options
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
    calls, evaluate = [], recipe.evaluate

    def die_late(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(recipe, "evaluate", die_late)
        with pytest.raises(KeyboardInterrupt):
            report(tmp_path, checkpoint_seconds=0.0)
    assert report(tmp_path).measures == smoke.measures


def test_every_learner_uses_equally_many_transitions_per_update(monkeypatch, tmp_path):
    sizes = set()
    update = recipe.QLearning.update

    def counting(learner, batch):
        sizes.add(batch["reward"][:, 1:].numel())
        return update(learner, batch)

    monkeypatch.setattr(recipe.QLearning, "update", counting)
    report(tmp_path, replace(SMOKE, steps=105))
    assert sizes == {SMOKE.starts * SMOKE.horizon}


def test_the_full_preset_can_be_laid_out():
    with torch.device("meta"):
        networks = recipe.build(recipe.PRESETS["full"])
    sizes = {name: sum(p.numel() for p in net.parameters()) for name, net in networks.items()}
    # three layers of 200 on 15 bits, and three such networks on 15 bits and 5 actions
    hidden = 2 * (200 * 200 + 200)
    assert sizes["values"] == 15 * 200 + 200 + hidden + 3 * 400 + 200 * 5 + 5
    assert sizes["model"] == 3 * (20 * 200 + 200 + hidden) + 200 * 17 + 17


def test_a_step_is_weighted_by_the_chance_to_reach_it():
    ones = torch.ones(1)
    states = [{"observation": torch.zeros(1, 2)}] + [
        {"observation": torch.zeros(1, 2), "reward": ones, "continuation": ones * chance}
        for chance in (0.5, 0.2, 0.1)
    ]
    batch = recipe.segments(states, [torch.zeros(1, dtype=torch.long)] * 3)
    assert batch["weight"][0, 1:].tolist() == pytest.approx([1.0, 0.5, 0.1])


def test_the_perfect_model_knows_the_rules(tmp_path):
    rules = recipe._true_rules(SMOKE, recipe.np.random.default_rng(0))
    # notes at the end of all five pipes: the next step pays
    bits = torch.ones(1, BitsModel(*_spaces(), units=4).num_bits)
    state = rules({"observation": bits}, torch.tensor([0]))
    assert state["reward"].item() == 1.0


def _spaces():
    flute = recipe.PanFlute(SMOKE.num_pipes)
    return flute.observation_space, flute.action_space

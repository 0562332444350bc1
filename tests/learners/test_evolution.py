import sys

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import ConfigError, LearnerError, MissingExtra
from mindseye.learners.evolution import Evolution
from mindseye.learners.recurrent_fitting import CodeFitting, RecurrentFitting
from mindseye.models.world.dropout import DropoutWorldModel

pytest.importorskip("cma")

TARGET = np.linspace(-1, 1, 6)


def score(candidates):
    return -((candidates - TARGET) ** 2).sum(1)


def search(generations, evolution=None, **options):
    evolution = evolution or Evolution(6, population=8, sigma=0.5, **options)
    for _ in range(generations):
        evolution.update({"score": score(evolution.candidates)})
    return evolution


@pytest.mark.parametrize("diagonal", [False, True])
def test_the_search_finds_the_top_of_a_hill(diagonal):
    assert search(80, diagonal=diagonal).mean == pytest.approx(TARGET, abs=0.02)


def test_the_same_seed_searches_the_same():
    assert (search(5, seed=3).candidates == search(5, seed=3).candidates).all()


def test_other_seeds_search_elsewhere():
    assert (search(5, seed=3).candidates != search(5, seed=4).candidates).any()


def test_a_search_goes_on_exactly_where_it_was():
    half = search(7)
    again = Evolution(6, population=8, sigma=0.5)
    again.load_state_dict(half.state_dict())
    assert (search(5, again).candidates == search(12).candidates).all()


def test_numpys_global_generator_is_left_alone():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    search(3)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize("bad", [np.zeros(7), np.full(8, np.nan)])
def test_scores_that_are_missing_or_not_finite_are_refused(bad):
    with pytest.raises(LearnerError):
        Evolution(6, population=8).update({"score": bad})


def test_a_population_too_small_is_refused():
    with pytest.raises(ConfigError):
        Evolution(6, population=2)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cma", None)
    with pytest.raises(MissingExtra, match="evolution"):
        Evolution(6, population=8)


def counting_batch(rows=16, steps=8):
    """A vector that an action pushes up or leaves: z' = z + a / 10, paid 1 per push."""
    rng = torch.Generator().manual_seed(0)
    action = torch.randint(2, (rows, steps), generator=rng)
    action[:, 0] = 0
    is_first = torch.zeros(rows, steps, dtype=torch.bool)
    is_first[:, 0] = True
    return {
        "observation": (action.cumsum(1) / 10).unsqueeze(-1).expand(-1, -1, 2).contiguous(),
        "action": action,
        "reward": action.float(),
        "continuation": torch.ones(rows, steps),
        "is_first": is_first,
        "mask": torch.ones(rows, steps),
    }


def world_model(**options):
    torch.manual_seed(0)
    space = spaces.Box(-1, 1, (2,), np.float32)
    return DropoutWorldModel(space, spaces.Discrete(2), width=16, scale=5.0, **options)


def test_fitting_learns_what_actions_do():
    fitting = RecurrentFitting(world_model(), learning_rate=1e-2)
    losses = [fitting.update(counting_batch()) for _ in range(150)]
    assert losses[-1]["loss/reward"] < 0.02
    assert losses[-1]["loss/code"] < losses[0]["loss/code"] - 1


def test_rows_after_the_end_of_an_episode_do_not_count():
    batch = counting_batch()
    batch["mask"][:, 5:] = 0
    spoiled = {name: leaf.clone() for name, leaf in batch.items()}
    spoiled["observation"][:, 5:], spoiled["reward"][:, 5:] = 9.0, 9.0
    found = []
    for each in (batch, spoiled):
        fitting = RecurrentFitting(world_model())
        torch.manual_seed(1)
        found.append(fitting.update(each))
    assert found[0] == pytest.approx(found[1])


def test_an_episode_begins_from_an_empty_memory():
    model = world_model(dropout=0.0, noise=0.0)
    batch = counting_batch(rows=1)
    batch["is_first"][0, 4] = True
    fitting = RecurrentFitting(model)
    code, action = model.code.encode(batch["observation"]), batch["action"][:, 1:]
    encoded = model.action_encoder(action)
    whole = fitting._memory(code, encoded, batch["is_first"])
    later = fitting._memory(code[:, 4:], encoded[:, 4:], batch["is_first"][:, 4:])
    assert torch.allclose(whole[:, 4:], later)


def test_a_fitting_goes_on_exactly_where_it_was():
    def losses(restart):
        fitting = RecurrentFitting(world_model())
        for step in range(4):
            torch.manual_seed(step)
            last = fitting.update(counting_batch())
            if step == 1 and restart:
                state = fitting.state_dict()
                fitting = RecurrentFitting(world_model())
                fitting.load_state_dict(state)
        return last

    assert losses(True) == losses(False)


def test_the_code_of_pictures_is_learned():
    torch.manual_seed(0)
    space = spaces.Box(0, 255, (16, 16, 3), np.uint8)
    model = DropoutWorldModel(space, spaces.Discrete(2), width=8, code_size=4, depth=4)
    pictures = torch.zeros(8, 2, 16, 16, 3, dtype=torch.uint8)
    pictures[:4, :, :8] = 255
    fitting = CodeFitting(model.code, learning_rate=1e-2)
    batch = {"observation": pictures, "mask": torch.ones(8, 2)}
    errors = [fitting.update(batch)["loss/picture"] for _ in range(40)]
    assert errors[-1] < errors[0] / 4

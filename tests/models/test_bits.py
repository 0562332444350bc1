import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import SpecError
from mindseye.core.protocols import WorldModel
from mindseye.models.world.bits import BitsModel
from mindseye.worlds import DreamWorld
from mindseye.worlds.check import check_world

BITS, ACTIONS = spaces.MultiBinary(4), spaces.Discrete(3)


@pytest.fixture(params=[None, 7], ids=["plain", "mixed"])
def model(request):
    torch.manual_seed(0)
    return BitsModel(BITS, ACTIONS, units=16, layers=2, mixing=request.param)


def pairs(rows=8, steps=3):
    generator = torch.Generator().manual_seed(0)
    return {
        "observation": torch.randint(2, (rows, steps, 4), generator=generator, dtype=torch.int8),
        "action": torch.randint(3, (rows, steps), generator=generator),
        "reward": torch.rand(rows, steps, generator=generator),
        "continuation": torch.ones(rows, steps),
        "is_first": torch.zeros(rows, steps, dtype=torch.bool),
        "mask": torch.ones(rows, steps),
    }


def no_start(rows):
    return torch.zeros(rows, dtype=torch.bool)


def certain(model, bits, reward=0.0, ending=0.0):
    """Let the heads say the same whatever they read."""
    with torch.no_grad():
        for head, value in ((model.bits, bits), (model.reward, reward)):
            head.weight.zero_()
            head.bias.copy_(torch.as_tensor(value))
        model.continuation.weight.zero_()
        model.continuation.bias.fill_(ending)


def test_it_is_a_world_model(model):
    assert isinstance(model, WorldModel)


def test_it_dreams_by_the_house_rules(model):
    def starts(n, rng):
        return {
            "observation": rng.integers(2, size=(n, 1, 4)).astype(np.int8),
            "action": np.zeros((n, 1), np.int64),
            "is_first": np.ones((n, 1), bool),
        }

    check_world(DreamWorld(model, 3, starts=starts, horizon=5))


def test_observations_of_other_kinds_are_refused():
    with pytest.raises(SpecError, match="MultiBinary"):
        BitsModel(spaces.Discrete(4), ACTIONS)


def test_what_was_observed_is_predicted_back(model):
    seen = pairs()["observation"][:, 0]
    state = model.observe(model.initial(8), torch.zeros(8, dtype=torch.long), seen, no_start(8))
    assert torch.equal(model.predict(state).observation, seen)


def test_a_first_observation_pays_nothing_and_goes_on(model):
    certain(model, [0.0] * 4, reward=3.0, ending=-5.0)
    seen, first = pairs()["observation"][:2, 0], torch.tensor([True, False])
    state = model.observe(model.initial(2), torch.zeros(2, dtype=torch.long), seen, first)
    prediction = model.predict(state)
    assert prediction.reward.tolist() == [0.0, 3.0]
    assert prediction.continuation.tolist() == pytest.approx([1.0, 1 / (1 + np.exp(5))])


def test_imagined_bits_come_as_often_as_predicted():
    torch.manual_seed(0)
    model = BitsModel(BITS, ACTIONS, units=8)
    certain(model, torch.logit(torch.tensor([0.9, 0.5, 0.2, 0.001])))
    state = model.imagine(model.initial(20_000), torch.zeros(20_000, dtype=torch.long))
    often = state["observation"].mean(0)
    torch.testing.assert_close(often, torch.tensor([0.9, 0.5, 0.2, 0.001]), rtol=0, atol=0.02)


def test_losses_are_those_of_coins_when_nothing_is_known(model):
    certain(model, [0.0] * 4, reward=0.0, ending=0.0)
    batch = {**pairs(), "reward": torch.full((8, 3), 2.0)}
    losses = {name: loss.item() for name, loss in model.losses(batch).items()}
    expected = {"observation": 4 * np.log(2), "reward": 2.0, "continuation": np.log(2)}
    assert losses == pytest.approx(expected, rel=1e-5)


def test_bits_after_the_end_are_not_learned(model):
    batch = {**pairs(), "continuation": torch.zeros(8, 3)}
    assert model.losses(batch)["observation"] == 0


def test_pairs_across_a_start_are_not_learned(model):
    batch = pairs(rows=2)
    batch["is_first"][:, 2] = True
    alone = {name: leaf[:, :2] for name, leaf in batch.items()}
    for name, loss in model.losses(batch).items():
        torch.testing.assert_close(loss, model.losses(alone)[name])


def test_padding_is_not_learned(model):
    batch = pairs(rows=2)
    batch["mask"][:, 2] = 0.0
    alone = {name: leaf[:, :2] for name, leaf in batch.items()}
    for name, loss in model.losses(batch).items():
        torch.testing.assert_close(loss, model.losses(alone)[name])


def test_a_mixing_is_undone_by_its_inverse():
    model = BitsModel(BITS, ACTIONS, units=8, mixing=3)
    bits = torch.tensor(list(np.ndindex(2, 2, 2, 2)), dtype=torch.float32)
    mixed = bits @ model.there % 2
    assert torch.equal(mixed @ model.back % 2, bits)
    assert len(mixed.unique(dim=0)) == 16


def test_mixings_mix():
    assert not torch.equal(BitsModel(BITS, ACTIONS, mixing=3).there, torch.eye(4))


def test_grids_of_bits_keep_their_shape():
    model = BitsModel(spaces.MultiBinary((2, 3)), ACTIONS, units=8)
    batch = pairs(rows=2)
    batch["observation"] = torch.ones(2, 3, 2, 3, dtype=torch.int8)
    assert model.losses(batch)["observation"] > 0
    assert model.predict(model.initial(5)).observation.shape == (5, 2, 3)


def test_a_deterministic_world_is_learned(model):
    """Every action sets its own bit and clears the others; action 0 pays 1 and ends."""
    rows = torch.arange(48)
    action = rows % 3
    before = torch.tensor(list(np.ndindex(2, 2, 2, 2)))[rows % 16].to(torch.int8)
    after = torch.nn.functional.one_hot(action, 4).to(torch.int8)
    batch = pairs(rows=48, steps=2)
    batch["observation"] = torch.stack((before, after), 1)
    batch["action"] = action.unsqueeze(1).expand(-1, 2)
    batch["reward"] = (action == 0).float().unsqueeze(1).expand(-1, 2)
    batch["continuation"] = (action != 2).float().unsqueeze(1).expand(-1, 2)
    adam = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(200):
        adam.zero_grad()
        sum(model.losses(batch).values()).backward()
        adam.step()
    state = {**model.initial(48), "observation": before.float()}
    said = model.predict(model.imagine(state, action))
    going_on = action != 2
    assert torch.equal(said.observation[going_on], after[going_on])
    torch.testing.assert_close(said.reward, (action == 0).float(), rtol=0, atol=0.1)
    torch.testing.assert_close(said.continuation, going_on.float(), rtol=0, atol=0.1)

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import CheckpointError, ConfigError, SpecError
from mindseye.core.spaces import Words
from mindseye.core.tree import map_tree, stack, to_numpy, to_tensor
from mindseye.models.files import load_model, load_policy, save_model, save_policy
from mindseye.models.policy import PolicyHead
from mindseye.models.world.latent import BACKBONES, LatentWorldModel
from mindseye.models.world.sizes import SIZES

TINY = SIZES["tiny"].arguments()
OBSERVATIONS = {
    "vector": spaces.Box(-1, 1, (3,), np.float32),
    "number": spaces.Discrete(5, start=2),
    "symbols": spaces.MultiDiscrete(np.full((2, 2, 3), (4, 3, 2))),
    "bits": spaces.MultiBinary(6),
    "picture": spaces.Box(0, 255, (32, 40, 3), np.uint8),
    "dict": spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Box(-1, 1, (2, 2), np.float32)}),
    "tuple": spaces.Tuple((spaces.Discrete(2), spaces.Box(0, 1, (1,), np.float32))),
}
ACTIONS = {
    "discrete": spaces.Discrete(4, start=-1),
    "box": spaces.Box(-2, 2, (2,), np.float32),
    "unbounded": spaces.Box(-np.inf, np.inf, (2,), np.float32),
    "choices": spaces.MultiDiscrete([2, 3]),
    "bits": spaces.MultiBinary(3),
    "dict": spaces.Dict({"move": spaces.Discrete(3), "force": spaces.Box(0, 1, (1,), np.float32)}),
}


def draw(space, *lead):
    """Samples with leading axes, as tensors."""
    count = int(np.prod(lead))
    tree = stack([map_tree(np.asarray, space.sample()) for _ in range(count)])
    return to_tensor(map_tree(lambda x: x.reshape(*lead, *x.shape[1:]), tree))


def segments(observation_space, action_space, rows=3, steps=7, first=()):
    is_first = torch.zeros(rows, steps, dtype=torch.bool)
    for row, step in first:
        is_first[row, step] = True
    return {
        "observation": draw(observation_space, rows, steps),
        "action": draw(action_space, rows, steps),
        "reward": torch.rand(rows, steps),
        "continuation": torch.ones(rows, steps),
        "is_first": is_first,
        "mask": torch.ones(rows, steps),
    }


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_any_space_goes_through_every_method(observation, action):
    observation_space, action_space = OBSERVATIONS[observation], ACTIONS[action]
    model = LatentWorldModel(observation_space, action_space, **TINY)
    policy = PolicyHead(action_space, features=model.num_features, units=16, layers=1)
    seen = model.posteriors(segments(observation_space, action_space))
    state = seen.state_at(torch.tensor([0, 2]), torch.tensor([1, 6]))
    said = policy(model.features(state))
    state = model.imagine(state, said.sample())
    prediction = model.predict(state)
    assert prediction.reward.shape == prediction.continuation.shape == (2,)
    rows = to_numpy(prediction.observation)
    for index in range(2):
        one = map_tree(lambda x, i=index: x[i], rows)
        if observation not in ("vector", "dict", "tuple"):
            assert one in observation_space, one
    assert torch.isfinite(said.log_prob(said.mode())).all()
    assert torch.isfinite(said.entropy()).all()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_observing_step_by_step_reads_memories_equal_to_the_whole_sequence(backbone):
    """The parallel path and the recurrent path are the same function of the same samples."""
    space, actions = OBSERVATIONS["vector"], ACTIONS["discrete"]
    model = LatentWorldModel(space, actions, backbone=backbone, **TINY).eval()
    batch = segments(space, actions, first=[(1, 3)])
    torch.manual_seed(0)
    seen = model.posteriors(batch)
    state = model.initial(3)
    for t in range(7):
        state = model.observe(
            state,
            batch["action"][:, t],
            batch["observation"][:, t],
            batch["is_first"][:, t] | (t == 0),
        )
        assert torch.allclose(state["deterministic"], seen.deterministic[:, t], atol=1e-4)
        # carry the parallel path's sample, so that both paths read the same past
        state["stochastic"] = seen.stochastic[:, t].detach()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_state_taken_from_the_sequence_goes_on_like_the_stepped_one(backbone):
    space, actions = OBSERVATIONS["vector"], ACTIONS["box"]
    model = LatentWorldModel(space, actions, backbone=backbone, **TINY).eval()
    batch = segments(space, actions, steps=9, first=[(2, 4)])
    seen = model.posteriors(batch)
    row, time = torch.tensor([0, 1, 2, 2]), torch.tensor([8, 3, 3, 8])
    state = seen.state_at(row, time)
    action = draw(actions, 4)
    after = model.imagine(state, action)["deterministic"]
    for index in range(4):
        stepped = model.initial(3)
        for t in range(int(time[index]) + 1):
            is_first = batch["is_first"][:, t] | (t == 0)
            stepped = model.observe(
                stepped, batch["action"][:, t], batch["observation"][:, t], is_first
            )
            stepped["stochastic"] = seen.stochastic[:, t].detach()
        one = map_tree(lambda x, i=index: x[row[i] : row[i] + 1], stepped)
        expected = model.imagine(one, action[index : index + 1])["deterministic"]
        assert torch.allclose(after[index : index + 1], expected, atol=1e-4)


def test_permuting_a_batch_permutes_the_memories():
    space, actions = OBSERVATIONS["bits"], ACTIONS["discrete"]
    model = LatentWorldModel(space, actions, **TINY).eval()
    batch = segments(space, actions, rows=4)
    order = torch.tensor([2, 0, 3, 1])
    posterior = model.posteriors(batch).posterior
    permuted = model.posteriors(map_tree(lambda x: x[order], batch)).posterior
    assert torch.allclose(posterior[order], permuted, atol=1e-5)


def test_gradients_pass_from_the_reward_to_a_one_hot_action():
    model = LatentWorldModel(OBSERVATIONS["vector"], ACTIONS["discrete"], **TINY)
    torch.nn.init.normal_(model.reward.net[-1].weight)
    action = torch.tensor([[0.0, 1.0, 0.0, 0.0]], requires_grad=True)
    state = model.imagine(model.initial(1), action)
    model.outcome(state)[0].sum().backward()
    assert action.grad is not None
    assert action.grad.abs().sum() > 0


def test_doubters_that_agree_do_not_doubt():
    model = LatentWorldModel(OBSERVATIONS["vector"], ACTIONS["discrete"], **TINY)
    hidden = torch.randn(5, TINY["width"])
    assert (model.doubt(hidden) > 0).all()
    for doubter in model.doubters:
        doubter.load_state_dict(model.doubters[0].state_dict())
    assert torch.allclose(model.doubt(hidden), torch.zeros(5), atol=1e-6)


def test_text_cannot_be_modelled_and_the_error_says_what_can():
    with pytest.raises(SpecError, match=r"mission.*use Box, Discrete"):
        LatentWorldModel(spaces.Dict({"mission": Words()}), ACTIONS["discrete"], **TINY)


def test_an_unknown_backbone_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="transformer"):
        LatentWorldModel(OBSERVATIONS["vector"], ACTIONS["box"], backbone="lstm")  # type: ignore[arg-type]


def test_a_model_and_a_policy_survive_their_folders(tmp_path):
    space, actions = OBSERVATIONS["dict"], ACTIONS["dict"]
    model = LatentWorldModel(space, actions, backbone="s4", reward_limits=(0, 3), **TINY).eval()
    policy = PolicyHead(actions, features=model.num_features, units=16, layers=1)
    save_model(tmp_path / "model", model)
    save_policy(tmp_path / "policy", policy)
    back = load_model(tmp_path / "model")
    assert back.observation_space == space
    state = model.initial(2)
    assert torch.equal(back.predict(state).reward, model.predict(state).reward)
    again = load_policy(tmp_path / "policy", actions)
    assert torch.equal(
        again(torch.ones(1, model.num_features)).entropy(),
        policy(torch.ones(1, model.num_features)).entropy(),
    )


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="no world model here"):
        load_model(tmp_path)


def test_a_policy_is_not_taken_for_a_model(tmp_path):
    save_policy(tmp_path, PolicyHead(ACTIONS["box"], features=4, units=4, layers=1))
    with pytest.raises(CheckpointError, match="holds a policy, expected a world model"):
        load_model(tmp_path)


def test_weights_of_another_size_are_refused(tmp_path):
    model = LatentWorldModel(OBSERVATIONS["vector"], ACTIONS["box"], **TINY)
    save_model(tmp_path, model)
    card = (tmp_path / "card.json").read_text()
    (tmp_path / "card.json").write_text(card.replace('"width": 64', '"width": 72'))
    with pytest.raises(CheckpointError, match="another architecture"):
        load_model(tmp_path)

"""A world model in feature space: a world model like any other, and goals to plan for."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.agents.goals import GoalPolicyAgent, GoalReaching
from mindseye.agents.planners import GradientPlanner, Scorer, cem
from mindseye.agents.planning import PlanningAgent
from mindseye.core.errors import SpecError
from mindseye.core.protocols import WorldModel
from mindseye.core.tree import map_tree
from mindseye.evaluation.reaching import journeys, next_token_errors
from mindseye.learners.feature_fitting import FeatureFitting
from mindseye.models.perception.encoders import RandomPatches
from mindseye.models.world.features import FeatureWorldModel
from mindseye.worlds import DreamWorld, SimulatorModel, check_world, make
from mindseye.worlds.starts import first_observations
from mindseye.worlds.tabletop import show, state_of

ACTIONS = spaces.Box(-1, 1, (2,), np.float32)
PICTURES = spaces.Box(0, 255, (16, 16, 3), np.uint8)
VIEWS = spaces.Dict(
    {"left": PICTURES, "right": PICTURES, "pose": spaces.Box(-1, 1, (3,), np.float32)}
)


def built(space=PICTURES, **options):
    torch.manual_seed(0)
    encoder = RandomPatches((16, 16, 3), patch=8, features=6, blurs=(0.0, 2.0, 4.0))
    return FeatureWorldModel(space, ACTIONS, encoder, width=16, layers=2, heads=2, **options)


def wake(model):
    """Networks begin as the identity; let every weight count."""
    for weights in (*model.net.parameters(), model.leave.weight):
        torch.nn.init.normal_(weights, std=0.3)


def seen(*lead, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (*lead, 16, 16, 3), dtype=np.uint8))


def views(*lead):
    pose = torch.rand(*lead, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return {"left": seen(*lead), "right": seen(*lead, seed=1), "pose": pose}


def segments(rows=4, steps=5, first=()):
    is_first = torch.zeros(rows, steps, dtype=torch.bool)
    for row, step in first:
        is_first[row, step] = True
    return {
        "observation": seen(rows, steps),
        "action": torch.rand(rows, steps, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1,
        "reward": torch.zeros(rows, steps),
        "continuation": torch.ones(rows, steps),
        "is_first": is_first,
        "mask": torch.ones(rows, steps),
    }


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("kind", ["pictures", "views"])
def test_a_feature_model_dreams_a_world_like_any_other(kind, window):
    space, shown = (PICTURES, seen(8)) if kind == "pictures" else (VIEWS, views(8))
    model = built(space, window=window).eval()
    model.calibrate(shown)
    assert isinstance(model, WorldModel)

    def starts(n, rng):
        index = rng.integers(8, size=n)
        return first_observations(map_tree(lambda x: x.numpy()[index], shown), ACTIONS)

    check_world(DreamWorld(model, 3, starts=starts, horizon=6), steps=15)


@pytest.mark.parametrize("window", [1, 2, 4])
def test_stepping_reads_the_same_past_as_the_whole_sequence(window):
    model, batch = built(window=window).eval(), segments(first=[(1, 2)])
    wake(model)
    tokens = model.encode(batch["observation"])
    whole = model.following(tokens[:, :-1], batch["action"][:, 1:], batch["is_first"][:, :-1])
    state = model.initial(4)
    for t in range(4):
        is_first = batch["is_first"][:, t] | (t == 0)
        state = model.observe(state, batch["action"][:, t], batch["observation"][:, t], is_first)
        after = model.imagine(state, batch["action"][:, t + 1])["tokens"]
        torch.testing.assert_close(after, whole[:, t], atol=1e-4, rtol=1e-4)


def test_no_frame_reads_a_later_one():
    model, batch = built(window=4).eval(), segments()
    wake(model)
    tokens, action, first = (
        model.encode(batch["observation"]),
        batch["action"],
        batch["is_first"],
    )
    before = model.following(tokens, action, first)
    tokens[:, 3] += 1.0
    changed = (model.following(tokens, action, first) - before).abs().amax((0, 2, 3)) > 1e-5
    assert changed.tolist() == [False, False, False, True, True]


def test_every_patch_reads_all_patches_of_the_past():
    model, batch = built(window=2).eval(), segments(steps=2)
    wake(model)
    tokens = model.encode(batch["observation"])
    before = model.following(tokens, batch["action"], batch["is_first"])
    tokens[:, 0, 0] += 1.0
    changed = (model.following(tokens, batch["action"], batch["is_first"]) - before)[:, 1]
    assert (changed.abs().amax((0, 2)) > 1e-6).all()


def test_calibrated_features_have_no_mean_and_unit_spread():
    model = built()
    model.calibrate(seen(200))
    tokens = model.encode(seen(200))
    assert tokens.mean(0).abs().max() < 1e-4
    torch.testing.assert_close(tokens.square().mean((0, 1)), torch.ones(6), atol=1e-3, rtol=1e-3)


def test_what_never_changes_is_shown_whatever_the_tokens():
    model, still = built(), seen(1).expand(6, -1, -1, -1)
    model.calibrate(still)
    torch.nn.init.zeros_(model.decoder[-1].weight)
    torch.nn.init.zeros_(model.decoder[-1].bias)
    assert torch.equal(model.decode(torch.randn(6, 4, 6)), still)


def test_pictures_that_no_square_patches_fill_are_shown_whole():
    class Halves(torch.nn.Module):
        grid, num_features = (1, 2), 3

        def forward(self, frames):
            return frames.float().unflatten(2, (2, -1)).mean((1, 3)).flatten(1).unflatten(1, (2, 3))

    model = FeatureWorldModel(PICTURES, ACTIONS, Halves(), width=16, layers=2, heads=2)
    model.calibrate(seen(6))
    assert model.decode(model.encode(seen(6))).shape == (6, 16, 16, 3)


def test_what_is_felt_joins_every_token():
    model = built(VIEWS)
    tokens = model.encode(views(5))
    assert tokens.shape == (5, 8, 9)
    assert torch.equal(tokens[:, 0, 6:], views(5)["pose"])
    assert torch.equal(tokens[:, 7, 6:], views(5)["pose"])


def test_the_encoder_is_frozen():
    model = built()
    learner = FeatureFitting(model)
    before = model.encoder.projection.clone()
    learner.update(segments())
    assert torch.equal(model.encoder.projection, before)


def test_decoder_and_heads_do_not_move_the_prediction():
    model = built()
    losses = FeatureFitting(model)._losses(segments())
    (losses["pixels"] + losses["reward"] + losses["continuation"]).backward()
    assert model.enter.weight.grad is None
    assert model.decoder[-1].weight.grad is not None


def test_given_tokens_are_the_encoding():
    first, second = FeatureFitting(built()), FeatureFitting(built())
    batch = segments()
    given = {**batch, "tokens": second.model.encode(batch["observation"])}
    assert first.update(batch) == pytest.approx(second.update(given), rel=0.01)


def test_a_feature_learner_goes_on_exactly():
    first, second = FeatureFitting(built(), decay=0.9), FeatureFitting(built(), decay=0.9)
    first.update(segments())
    second.load_state_dict(first.state_dict())
    assert second.update(segments()) == first.update(segments())


def test_pictures_of_different_sizes_are_refused():
    small = spaces.Box(0, 255, (24, 24, 3), np.uint8)
    with pytest.raises(SpecError, match="pictures of one size"):
        built(spaces.Dict({"a": PICTURES, "b": small}))


def test_symbols_beside_pictures_are_refused():
    with pytest.raises(SpecError, match="n is Discrete"):
        built(spaces.Dict({"a": PICTURES, "n": spaces.Discrete(3)}))


class Sliding(WorldModel):
    """A place on a line that moves by the action; its features are itself."""

    observation_space = spaces.Box(-9, 9, (1,), np.float32)
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def initial(self, batch_size):
        return {"place": torch.zeros(batch_size, 1)}

    def observe(self, state, action, observation, is_first):
        return {"place": observation}

    def imagine(self, state, action):
        return {"place": state["place"] + action}

    def predict(self, state):
        raise NotImplementedError


@pytest.mark.parametrize("kind", ["cem", "gradient"])
def test_planners_go_to_the_goal_of_their_own_row(kind):
    torch.manual_seed(0)
    goals = torch.tensor([[1.5], [-1.5], [0.4]])
    reaching = GoalReaching(Sliding(), lambda state: state["place"], goals, on_the_way=1.0)
    scorer = Scorer(discount=1.0, value=reaching.nearness)
    planner = cem(3, samples=60, iterations=6, scorer=scorer)
    if kind == "gradient":
        planner = GradientPlanner(3, restarts=4, iterations=60, scorer=scorer)
    agent, place = PlanningAgent(reaching, planner), torch.zeros(3, 1)
    memory = agent.initial(3)
    for _ in range(3):
        action, memory, _ = agent.act(place.numpy(), memory)
        place = place + torch.from_numpy(np.asarray(action))
    torch.testing.assert_close(place, goals, atol=0.15, rtol=0)


def test_nearness_is_the_mean_squared_difference():
    reaching = GoalReaching(Sliding(), lambda state: state["place"], torch.tensor([[3.0], [1.0]]))
    state = reaching.initial(2)
    assert reaching.nearness(state).tolist() == [-9, -1]
    assert reaching.outcome(state)[0].tolist() == [0, 0]


def test_as_many_rows_as_goals_are_asked_for():
    reaching = GoalReaching(Sliding(), lambda state: state["place"], torch.zeros(2, 1))
    with pytest.raises(SpecError, match="expected 2 rows, one per goal, got 3"):
        reaching.initial(3)


def test_the_true_simulator_reaches_goals_by_their_features():
    torch.manual_seed(0)

    def world(rows):
        return make("tabletop/wall", rows, observation="pixels", size=16, repeat=5, max_steps=99)

    live = world(4)
    live.reset(seed=0)
    starts = np.tile([[-0.7, 0.3, 0, 0, 0]], (4, 1))
    goals = starts + np.array([[0.2, 0.2], [0.3, -0.4], [0.0, -0.5], [0.1, 0.3]]) @ np.eye(2, 5)
    see = RandomPatches((16, 16, 3), patch=8, features=24, blurs=(1.0, 3.0))
    reaching = GoalReaching(
        SimulatorModel(live, world),
        lambda state: see(state["observation"]),
        see(torch.from_numpy(show(live, goals))),
        on_the_way=1.0,
    )
    scorer = Scorer(discount=1.0, value=reaching.nearness)
    agent = PlanningAgent(reaching, cem(2, samples=40, iterations=4, scorer=scorer))
    apart, seconds = journeys(agent, live, starts, goals, steps=4)
    assert apart.shape == (4, 4)
    assert len(seconds) == 4
    assert apart[-1].mean() < 0.15
    np.testing.assert_allclose(
        apart[-1], np.linalg.norm(state_of(live)[:, :2] - goals[:, :2], axis=1)
    )


def test_copying_is_the_error_of_a_model_that_predicts_no_change():
    model, batch = built(), segments()
    model.calibrate(batch["observation"].flatten(0, 1))
    torch.nn.init.zeros_(model.leave.bias)
    assert next_token_errors(model, batch) == next_token_errors(model, batch, is_copied=True)


def test_a_policy_sees_where_it_is_and_where_it_shall_be():
    heard = []

    class Policy:
        def __call__(self, both):
            heard.append(both)
            return type("Said", (), {"mode": lambda self: both[:, :2]})()

    goals = torch.tensor([[[5.0, 6.0]], [[7.0, 8.0]]])
    agent = GoalPolicyAgent(lambda x: x.unsqueeze(1), Policy(), goals)
    action, _, _ = agent.act(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), None)
    assert heard[0].tolist() == [[1, 2, 5, 6], [3, 4, 7, 8]]
    assert action.tolist() == [[1, 2], [3, 4]]

"""Planners on a point on a line, whose best actions are known."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.agents.planners import BeamPlanner, GradientPlanner, Scorer, cem, icem, mppi, shift
from mindseye.agents.planning import PlanningAgent
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Prediction, WorldModel


class Line(WorldModel):
    """x moves by the action; the reward is −|x − goal|. State: x and goal, exactly observed."""

    observation_space = spaces.Box(-99, 99, (2,), np.float32)

    def __init__(self, action_space):
        self.action_space = action_space
        self.steps = 0

    def initial(self, batch_size):
        return torch.zeros(batch_size, 2)

    def observe(self, state, action, observation, is_first):
        return observation.float()

    def imagine(self, state, action):
        self.steps += len(state)
        if isinstance(self.action_space, spaces.Discrete):
            hot = action if action.is_floating_point() else torch.eye(3)[action.long()]
            move = hot @ torch.tensor([-1.0, 0.0, 1.0])
        else:
            move = action[:, 0]
        return torch.stack((state[:, 0] + move, state[:, 1]), 1)

    def predict(self, state):
        reward = -(state[:, 0] - state[:, 1]).abs()
        return Prediction(state, reward, torch.ones(len(state)))


DISCRETE, BOX = spaces.Discrete(3), spaces.Box(-1, 1, (1,), np.float32)
STARTS = torch.tensor([[0.0, 3.0], [0.0, -3.0]])
SAMPLING = {"cem": cem, "icem": icem, "mppi": mppi}


@pytest.mark.parametrize("name", SAMPLING)
@pytest.mark.parametrize("space", [DISCRETE, BOX], ids=["discrete", "box"])
def test_sampling_planners_walk_to_the_goal(name, space):
    torch.manual_seed(0)
    plan = SAMPLING[name](5, samples=200).plan(Line(space), STARTS)
    direction = plan.action - 1 if space is DISCRETE else plan.action[:, 0]
    assert direction[0] > 0.5
    assert direction[1] < -0.5


@pytest.mark.parametrize("space", [DISCRETE, BOX], ids=["discrete", "box"])
def test_the_gradient_planner_walks_to_the_goal(space):
    torch.manual_seed(0)
    plan = GradientPlanner(horizon=5).plan(Line(space), STARTS)
    direction = plan.action - 1 if space is DISCRETE else plan.action[:, 0]
    assert direction[0] > 0.5
    assert direction[1] < -0.5


def test_an_exhaustive_beam_finds_the_best_plan_there_is():
    planner = BeamPlanner(horizon=4, width=81, scorer=Scorer(discount=1.0))
    plan = planner.plan(Line(DISCRETE), STARTS)
    assert plan.sequence[0].tolist()[:3] == [2, 2, 2]
    assert plan.sequence[1].tolist()[:3] == [0, 0, 0]
    # distances 2, 1, 0, 0 after each of the four steps
    assert plan.value.tolist() == [-3.0, -3.0]


def test_a_narrow_beam_keeps_the_most_promising_lines():
    plan = BeamPlanner(horizon=6, width=2).plan(Line(DISCRETE), STARTS)
    assert plan.action.tolist() == [2, 0]


def test_the_value_counts_what_lies_beyond_the_horizon():
    scorer = Scorer(discount=0.5, value=lambda state: state[:, 0])
    value = scorer(Line(BOX), torch.tensor([[0.0, 0.0]]), torch.ones(1, 2, 1), 2)
    assert float(value) == -1 + 0.5 * -2 + 0.25 * 2


def test_planning_cost_counts_every_model_step():
    model = Line(BOX)
    plan = cem(4, samples=50, iterations=3).plan(model, STARTS)
    assert plan.cost.model_steps == model.steps == 2 * 50 * 3 * 4


def test_a_warm_start_begins_where_the_last_plan_ended():
    torch.manual_seed(0)
    cold = cem(8, samples=60, iterations=1).plan(Line(BOX), STARTS)
    good = GradientPlanner(horizon=8).plan(Line(BOX), STARTS)
    warm = cem(8, samples=60, iterations=1).plan(Line(BOX), STARTS, warm=good.sequence)
    assert (warm.value > cold.value).all()


def test_shift_drops_the_first_action_and_repeats_the_last():
    assert shift(torch.tensor([[1, 2, 3]])).tolist() == [[2, 3, 3]]


def test_the_beam_refuses_numbers():
    with pytest.raises(SpecError, match="Discrete"):
        BeamPlanner().plan(Line(BOX), STARTS)


def test_an_unbounded_box_is_refused():
    space = spaces.Box(-np.inf, np.inf, (1,), np.float32)
    with pytest.raises(SpecError, match="bounded"):
        cem().plan(Line(space), STARTS)


def test_an_agent_that_plans_reaches_the_goal_and_says_what_it_cost():
    torch.manual_seed(0)
    agent = PlanningAgent(Line(DISCRETE), icem(5, samples=60))
    memory, where = agent.initial(2), STARTS.numpy().copy()
    for _ in range(4):
        action, memory, extras = agent.act(where, memory)
        where[:, 0] += action - 1
    assert where[:, 0].tolist() == [3.0, -3.0]
    assert (extras["plan_seconds"] > 0).all()
    assert (extras["plan_model_steps"] > 0).all()

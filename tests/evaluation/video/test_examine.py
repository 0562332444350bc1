import numpy as np
import torch
from gymnasium.spaces import Box, Discrete

from mindseye.core.protocols import Prediction, WorldModel
from mindseye.evaluation.video import (
    InverseDynamics,
    Scene,
    Tracker,
    Tracks,
    doubt_quality,
    film_strip,
    fit_inverse_dynamics,
    fit_suite,
    fit_tracker,
    follow_actions,
    judge_dreams,
)
from mindseye.worlds.scenes import LAWS, DiscState, draw, film, held_actions, pushes
from mindseye.worlds.scenes.law import move

LAW, SIZE, CONTEXT = LAWS["toss"], 24, 2
ACTIONS = held_actions(np.random.default_rng(0), 32, 12)
REAL, OTHER = (film(LAW, ACTIONS, seed=3, take=take, size=SIZE) for take in (0, 1))


class TrueWorld(WorldModel):
    """The scene's own law; it reads its start off a list. Rows of odd numbers are kicked about."""

    observation_space, action_space = Box(0, 255, (SIZE, SIZE, 3), np.uint8), Discrete(5)

    def __init__(self, kick=0.0):
        self.kick = kick

    def initial(self, batch_size):
        zeros = torch.zeros(batch_size, 1, 2, dtype=torch.float64)
        return {"position": zeros, "velocity": zeros, "row": torch.zeros(batch_size)}

    def observe(self, state, action, observation, is_first):
        copies = len(observation) // len(REAL.frames)
        position = np.repeat(REAL.positions, copies, 0)
        row = torch.arange(len(observation)) // copies
        velocity = position[:, 1] - position[:, 0]
        return {
            "position": torch.from_numpy(position[:, 1]),
            "velocity": torch.from_numpy(velocity),
            "row": row.float(),
        }

    def imagine(self, state, action):
        before = DiscState(state["position"].numpy(), state["velocity"].numpy())
        after = move(LAW, before, action.numpy(), np.zeros_like(before.position))
        odd = (state["row"].double() % 2)[:, None, None]
        luck = self.kick * odd * torch.randn(after.position.shape, dtype=torch.float64)
        position = torch.from_numpy(after.position) + luck
        return {**state, "position": position, "velocity": torch.from_numpy(after.velocity)}

    def predict(self, state):
        frames = torch.from_numpy(draw(LAW, state["position"].numpy(), SIZE))
        zeros = torch.zeros(len(frames))
        return Prediction(frames, zeros, zeros + 1)


def fitted_tracker():
    torch.manual_seed(0)
    tracker = Tracker(1, depth=8)
    rng = np.random.default_rng(1)
    truth = Tracks(OTHER.positions, OTHER.visible)
    fit_tracker(tracker, OTHER.frames, truth, updates=120, rng=rng)
    return tracker


def test_doubt_points_at_the_rows_that_are_kicked_about():
    torch.manual_seed(0)
    found = doubt_quality(
        TrueWorld(kick=0.1), fitted_tracker(), REAL.frames, ACTIONS, context=CONTEXT, copies=4
    )
    assert found["disagreement"] > 0.8
    assert found["constant"] == 0.5
    assert found["of_another"] < 0.5


def test_true_dreams_follow_their_actions_more_than_those_of_others():
    torch.manual_seed(0)
    reader = InverseDynamics(Discrete(5), (SIZE, SIZE), depth=8)
    actions = held_actions(np.random.default_rng(7), 64, 12)
    clips = film(LAW, actions, seed=9, size=SIZE).frames
    fit_inverse_dynamics(reader, clips, actions, updates=200, rng=np.random.default_rng(1))
    found = follow_actions(TrueWorld(), reader, REAL.frames, ACTIONS, context=CONTEXT)
    assert found["own"] > found["shuffled"] + 0.1
    assert found["own"] > found["idle"] + 0.1


def test_true_dreams_are_judged_far_above_a_frozen_film():
    tracker = fitted_tracker()
    scene = Scene(np.array(LAW.radii), LAW.gravity, nearness=0.02)
    given = pushes(LAW, ACTIONS)
    suite = fit_suite(tracker, scene, OTHER.frames, given, context=CONTEXT, side=3)
    found, dream = judge_dreams(suite, TrueWorld(), REAL.frames, OTHER.frames, ACTIONS, given)
    assert found["motion"] > found["motion_of_copy"] + 30
    assert found["psnr"] > found["psnr_of_copy"]
    assert dream.shape == REAL.frames.shape


def test_a_strip_shows_four_rows():
    assert film_strip(REAL.frames[0], OTHER.frames[0], first=1, frames=5).shape == (
        4 * SIZE,
        5 * SIZE,
        3,
    )

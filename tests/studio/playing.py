import json
import os

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete

from mindseye.core.protocols import Prediction, WorldModel
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.sizes import SIZES
from mindseye.studio import Knob, Stage
from mindseye.studio.engine import Engine
from mindseye.studio.pictures import drawing
from mindseye.studio.protocol import text_frame
from mindseye.studio.stage import Limits
from mindseye.worlds import DreamWorld, branchable, make

os.environ.setdefault("OMP_NUM_THREADS", "1")
WORLD = "grid/door-key-5x5"


class Counting(WorldModel):
    """Counts steps; the action is added, 9 breaks it, and it ends at 100."""

    observation_space = Box(-1e6, 1e6, (1,), np.float32)
    action_space = Discrete(10)
    pace = 1.0

    def __init__(self):
        self.batches = []

    def initial(self, batch_size):
        return {"count": torch.zeros(batch_size, 1)}

    def observe(self, state, action, observation, is_first):
        return {"count": observation.float()}

    def imagine(self, state, action):
        self.batches.append(len(action))
        count = state["count"] + self.pace * action[:, None]
        return {"count": torch.where(action[:, None] == 9, torch.nan, count)}

    def predict(self, state):
        count = state["count"][:, 0]
        return Prediction(state["count"], count / 10, (count < 100).float())


def counting_stage(model, **options):
    return Stage(
        "counting",
        model.observation_space,
        model.action_space,
        dream=lambda rows: DreamWorld(
            model, rows, starts=begin, horizon=10_000, stochastic_end=False
        ),
        real=None,
        draw=drawing(model.observation_space)[0],
        knobs=[Knob("pace", 0, 5, 1, 1, "of counting", lambda v: setattr(model, "pace", v))],
        **options,
    )


def begin(n, rng):
    return {
        "observation": np.zeros((n, 1, 1), np.float32),
        "action": np.zeros((n, 1), np.int64),
        "is_first": np.ones((n, 1), np.bool_),
    }


def latent_stage(**options):
    real = make(WORLD, 1, observation="pixels")
    spaces = real.single_observation_space, real.single_action_space
    torch.manual_seed(0)
    model = LatentWorldModel(*spaces, **SIZES["tiny"].arguments()).eval()
    with torch.no_grad():
        # an untrained dream would end at once
        list(model.continuation.parameters())[-1].fill_(5.0)
    return Stage(
        "empty",
        *spaces,
        dream=lambda rows: DreamWorld(
            model, rows, starts=begin, horizon=10_000, stochastic_end=False
        ),
        real=lambda rows: branchable(make(WORLD, rows, observation="pixels")),
        draw=drawing(spaces[0])[0],
        world=WORLD,
        **options,
    )


class Page:
    """A seat that keeps what it is told."""

    def __init__(self):
        self.told, self.is_over = [], False

    def tell(self, what, entry=None):
        self.told.append(parsed(what))

    def end(self):
        self.is_over = True

    def last(self, kind):
        found = [m for m in self.told if m["is"] == kind]
        return found[-1] if found else None

    def all(self, kind):
        return [m for m in self.told if m["is"] == kind]


def parsed(frame):
    if isinstance(frame, str):
        return json.loads(frame)
    size = int.from_bytes(frame[:4], "big")
    return {**json.loads(frame[4 : 4 + size]), "pictures": frame[4 + size :]}


class Driven:
    """An engine without its thread: what is heard is done before `say` returns."""

    def __init__(self, stage, limits=None):
        self.engine = Engine({stage.title: stage}, limits or Limits())

    def say(self, page, **message):
        parsed(text_frame(message))
        self.engine.hear(page, message)
        self.settle()

    def together(self, *pairs):
        for page, message in pairs:
            self.engine.hear(page, message)
        self.settle()

    def settle(self):
        self.engine.turn()
        while any(v.inputs for v in self.engine.reception.visits.values()):
            self.engine.turn()

    def open(self, **options):
        page = Page()
        self.say(page, do="open", **options)
        return page

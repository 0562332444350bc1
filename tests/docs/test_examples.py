"""The examples run, on the smallest sizes."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from mindseye.agents.random import RandomAgent
from mindseye.core.episode import Origin
from mindseye.experience import Replay, rollout
from mindseye.models.files import save_model
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.sizes import SIZES
from mindseye.worlds import make

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by name
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_a_single_file_ppo_trains_in_a_dream_and_in_reality(tmp_path):
    world = make("CartPole-v1", 2)
    replay = Replay(
        tmp_path / "episodes", world.single_observation_space, world.single_action_space
    )
    agent = RandomAgent(world.single_action_space, seed=0)
    replay.add(rollout(agent, world, origin=Origin("real", "CartPole-v1"), episodes=4, seed=0))
    model = LatentWorldModel(
        replay.observation_space, replay.action_space, **SIZES["tiny"].arguments()
    )
    save_model(tmp_path / "model", model)
    example = load("ppo_in_dream")
    sizes = {"steps": 64, "worlds": 4, "rollout": 8, "horizon": 5}
    for where in ({"run": str(tmp_path)}, {"world": "CartPole-v1"}):
        network = example.train(example.Args(**where, **sizes))
        assert np.isfinite(example.judge(network, "CartPole-v1", episodes=1))


def test_stable_baselines_trains_in_a_learned_dream(tmp_path, monkeypatch, capsys):
    pytest.importorskip("stable_baselines3")
    example = load("sb3_in_dream")
    args = example.Args(
        out=tmp_path,
        save=tmp_path / "report.json",
        steps=100,
        fit_updates=2,
        dream_steps=256,
        dreams=4,
        horizon=5,
        episodes=2,
    )
    example.main(args)
    assert (tmp_path / "report.json").exists()
    assert "real return" in capsys.readouterr().out

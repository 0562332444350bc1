"""Standard worlds go through the whole loop without special code."""

import numpy as np
import pytest

from mindseye.core.errors import ConfigError, SpecError, WorldError
from mindseye.core.run import Run
from mindseye.stages.loop import LoopConfig, run_loop

QUICK = {
    "steps": 60,
    "size": "tiny",
    "fit_updates": 2,
    "dream_updates": 2,
    "clone_updates": 2,
    "batch": 4,
    "length": 8,
    "starts": 8,
    "horizon": 3,
    "episodes": 4,
}
MEASURES = {
    *("real/return", "dream/return", "gap/return", "real/success", "dream/success"),
    *("agreement/dream_only", "ranking/kendall_tau", "horizon/trust_steps"),
    *("calibration/spearman", "baseline/random", "baseline/imitation", "baseline/model_free"),
    *("cost/real_steps", "cost/dream_steps", "cost/seconds"),
}
WORLDS = {
    "CartPole-v1": {},
    "Taxi-v4": {},
    "FrozenLake-v1": {},
    "Pendulum-v1": {},
    "Acrobot-v1": {},
    "grid/dodge": {},
    "MiniGrid-Empty-5x5-v0": {"observation": "pixels"},
    "Hopper-v5": {},
}


@pytest.mark.filterwarnings("ignore:.*no successful episode.*")
@pytest.mark.parametrize("world", WORLDS)
def test_a_standard_world_goes_through_the_loop(world, tmp_path):
    if world == "Hopper-v5":
        pytest.importorskip("mujoco")
        pytest.importorskip("imageio")
    config = LoopConfig(world=world, **{**QUICK, **WORLDS[world]})
    with Run(tmp_path, name="train", config={"world": world}) as run:
        report = run_loop(config, run)
    names = {measure.name for measure in report.measures}
    assert names >= MEASURES
    assert np.isfinite(report.measure("real/return").value)
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "model/card.json").exists()


def test_an_impossible_option_is_named(tmp_path):
    with (
        Run(tmp_path, name="train", config={}) as run,
        pytest.raises(ConfigError, match="--fit-updates"),
    ):
        run_loop(LoopConfig(world="CartPole-v1", **{**QUICK, "fit_updates": 0}), run)


def test_an_unknown_world_is_named(tmp_path):
    with (
        Run(tmp_path, name="train", config={}) as run,
        pytest.raises(WorldError, match="CartPoole"),
    ):
        run_loop(LoopConfig(world="CartPoole-v1", **QUICK), run)


def test_text_is_refused_before_anything_is_collected(tmp_path):
    config = LoopConfig(world="MiniGrid-Empty-5x5-v0", observation="text", **QUICK)
    with Run(tmp_path, name="train", config={}) as run, pytest.raises(SpecError, match="Words"):
        run_loop(config, run)
    assert not (tmp_path / "checkpoints").exists()

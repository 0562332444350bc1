"""`mindseye compare`: the truth report of any model, any agents and the real world."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gymnasium

from mindseye.cli.agents import named_agent, open_model
from mindseye.cli.folders import open_run, slug
from mindseye.cli.options import chosen, parse
from mindseye.cli.progress import ShownProgress
from mindseye.cli.summary import print_report
from mindseye.core.errors import ConfigError, DataError
from mindseye.evaluation.success import Success, success_from
from mindseye.experience import Replay
from mindseye.stages.fit import longest
from mindseye.stages.judge import judge, reward_threshold
from mindseye.worlds import make

_EXAMPLES = (
    "compare --model runs/train/cartpole-v1-seed0 --world CartPole-v1",
    "compare --model runs/train/mine --world CartPole-v1 --agents dream random cem other/run",
)
_LONGEST = 100
"""Steps of a dreamed episode where neither the data nor the world's registry says more."""


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Measure agents in reality and in a model, and how far the model can be trusted."""

    model: Path
    """Folder that train or fit wrote."""
    world: str
    """The real world: a Gymnasium id, or one of our own grid/... worlds."""
    agents: tuple[str, ...] = ()
    """The first is judged. Each is random, dream (the policy beside the model), cem, icem, mppi,
    gradient, beam, or a folder that train wrote; unless given, dream where there is one, and
    random."""
    episodes: int = 50
    """Per agent, in reality and in the dream each."""
    horizon: int | None = None
    """Longest dreamed episode; as long as the longest real one known unless given."""
    observation: Literal["default", "pixels", "symbols", "text"] = "default"
    """What the agents see, where the world offers a choice."""
    seed: int = 0
    """Real episode i begins from a number that depends on it."""
    out: Path | None = None
    """Folder of the report; runs/compare/WORLD-seedS unless given."""
    device: str = "cpu"
    """Torch device."""


def main(arguments: Sequence[str]) -> int:
    """Measure and report."""
    options = parse("compare", CompareOptions, arguments, _EXAMPLES)
    if options.episodes < 2:
        raise ConfigError(f"--episodes: expected at least 2, got {options.episodes}")
    observation = chosen(options.observation)
    world = make(options.world, 1, observation=observation)
    model = open_model(options.model, world, options.device)
    names = options.agents or _found(options.model)
    success, horizon = _known(options)
    config = {
        "model": str(options.model),
        "world": options.world,
        "agents": list(names),
        "episodes": options.episodes,
        "horizon": horizon,
        "observation": options.observation,
    }
    folder = options.out or Path("runs/compare") / f"{slug(options.world)}-seed{options.seed}"
    with ShownProgress() as progress:
        run = open_run(
            folder,
            name="compare",
            config=config,
            seed=options.seed,
            device=options.device,
            progress=progress,
        )
        with run:
            agents = {
                _shown(name): named_agent(
                    name,
                    model=model,
                    folder=options.model,
                    world=world,
                    seed=run.seed_for("random"),
                    device=options.device,
                )
                for name in names
            }
            world.close()
            report = judge(
                run,
                agents,
                main=_shown(names[0]),
                world=options.world,
                world_options={} if observation is None else {"observation": observation},
                model=model,
                success=success,
                episodes=options.episodes,
                horizon=horizon,
                steps_ahead=max(1, min(30, horizon - 5)),
                costs={"parameters": sum(p.numel() for p in model.parameters())},
                preset="compare",
            )
    print_report(report, folder)
    return 0


def _shown(name: str) -> str:
    return Path(name).name


def _found(folder: Path) -> tuple[str, ...]:
    return ("dream", "random") if (folder / "policy").is_dir() else ("random",)


def _known(options: CompareOptions) -> tuple[Success, int]:
    """What success is and how long episodes last, from the model's own data where it is there."""
    threshold = reward_threshold(options.world)
    try:
        replay = Replay.open(options.model / "episodes", read_only=True)
    except DataError:
        known = options.world in gymnasium.registry
        limit = gymnasium.spec(options.world).max_episode_steps if known else None
        return success_from(threshold, ()), options.horizon or limit or _LONGEST
    return success_from(threshold, replay), options.horizon or longest(replay)

"""`mindseye collect`: a folder of real episodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mindseye.agents.random import RandomAgent
from mindseye.cli.agents import agent_of, open_model
from mindseye.cli.folders import open_run
from mindseye.cli.options import chosen, parse
from mindseye.cli.progress import ShownProgress
from mindseye.cli.thinking import is_thinking, thinking_agent
from mindseye.core.checkpoint import write_atomic
from mindseye.core.errors import ConfigError
from mindseye.evaluation.transcripts import narrate
from mindseye.experience import Replay
from mindseye.models.language import open_language
from mindseye.stages.collect import collect
from mindseye.stages.loop import NUM_WORLDS
from mindseye.worlds import make

_EXAMPLES = (
    "collect --world CartPole-v1 --steps 5000 --out episodes",
    "collect --world MiniGrid-DoorKey-6x6-v0 --agent runs/train/mine --out more",
    "collect --world text/household --agent plan,react --steps 200 --out thoughts",
)


@dataclass(frozen=True, kw_only=True)
class CollectOptions:
    """Let an agent act in a world and keep its episodes.

    The same command again goes on where it was stopped.
    """

    world: str
    """Gymnasium id, or one of our own grid/... worlds."""
    out: Path
    """Folder for the episodes."""
    steps: int = 10_000
    """At least this many; episodes are played to their end."""
    observation: Literal["default", "pixels", "symbols", "text"] = "default"
    """What is recorded, where the world offers a choice."""
    agent: str = "random"
    """"random", a folder that train wrote, or in worlds of words its thoughts in order, of plan,
    look_ahead and react, such as plan,react."""
    language: str = ""
    """Who is asked by an agent that thinks: small, remote:MODEL@URL or transformers:PATH; empty:
    MINDSEYE_LANGUAGE, or else small."""
    seed: int = 0
    """Of the world and the agent."""
    device: str = "cpu"
    """Torch device."""


def main(arguments: Sequence[str]) -> int:
    """Collect and say how much."""
    options = parse("collect", CollectOptions, arguments, _EXAMPLES)
    if options.steps < 1:
        raise ConfigError(f"--steps: expected at least 1, got {options.steps}")
    world = make(options.world, NUM_WORLDS, observation=chosen(options.observation))
    language = None
    names = ("world", "agent", "steps", "observation")
    config = {name: getattr(options, name) for name in names}
    with ShownProgress() as progress:
        run = open_run(
            options.out / "run",
            name="collect",
            config=config,
            seed=options.seed,
            device=options.device,
            progress=progress,
        )
        with run:
            if options.agent == "random":
                agent = RandomAgent(world.single_action_space, run.seed_for("explorer"))
            elif is_thinking(options.agent):
                language = open_language(options.language)
                agent = thinking_agent(options.agent, language, world)
            else:
                folder = Path(options.agent)
                model = open_model(folder, world, options.device)
                agent = agent_of(folder, model, options.device)
            spaces = world.single_observation_space, world.single_action_space
            replay = Replay(options.out, *spaces)
            name = Path(options.agent).name
            collect(
                run,
                world,
                agent,
                replay,
                steps=options.steps,
                name=options.world,
                agent_name=name,
            )
    world.close()
    if language is not None:
        path = options.out / "thoughts.txt"
        write_atomic(path, narrate(replay.episode(0)))
        told = language.ledger
        print(f"{told.calls} questions in {told.seconds:.0f} s; an episode to read: {path}")
    print(f"{len(replay)} steps in {replay.num_episodes} episodes: {options.out}")
    return 0

"""What `play` is told, made into a stage: a dream, its real world, agents and knobs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

from mindseye.agents.random import RandomAgent
from mindseye.cli.agents import model_folder, named_agent
from mindseye.cli.folders import slug
from mindseye.cli.options import chosen
from mindseye.core import tree
from mindseye.core.errors import ConfigError, DataError, MindseyeError, SpecError
from mindseye.core.protocols import Agent, WorldModel
from mindseye.core.spaces import Words
from mindseye.evaluation.distance import unrelated
from mindseye.experience import Replay, load
from mindseye.models.files import load_model
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.video import VideoWorldModel
from mindseye.studio import Knob, Stage
from mindseye.studio.pictures import drawing
from mindseye.studio.protocol import playable
from mindseye.worlds import DreamWorld, SimulatorModel, branchable, make, starts_from
from mindseye.worlds.starts import Starts

_HORIZON = 1_000_000
"""Steps of a dream: as long as somebody plays."""
_MEASURED = 64
"""Real steps from which the distance of unrelated observations is taken."""
_MINIGRID = ("turn left", "turn right", "forward", "pick up", "drop", "toggle", "done")
_OBSERVATIONS = ("default", "symbols", "pixels", "text")


@dataclass(frozen=True)
class Wanted:
    """The rest of the command line."""

    world: str | None = None
    observation: str = "default"
    agents: Sequence[str] = ()
    language: str = ""
    saved: Path | None = None
    seed: int = 0
    device: str = "cpu"


def staged(what: str, wanted: Wanted) -> Stage:
    """A stage from the words of a command line.

    Raises:
        ConfigError: If it cannot be played, with what to do about it.
        CheckpointError: If a folder holds no model.
    """
    kind, colon, rest = what.partition(":")
    if Path(what).is_dir():
        return _of_folder(Path(what), wanted)
    if colon and kind == "simulator":
        return _of_simulator(rest, wanted)
    try:
        return _of_simulator(what, wanted)
    except MindseyeError as error:
        raise ConfigError(
            f"play: there is no folder {what}, and no world of that name ({error}); make a dream"
            " with mindseye train, or try mindseye play grid/door-key-6x6"
        ) from error


def stage_of(
    model: WorldModel,
    *,
    title: str,
    world: str,
    real: Callable[[int], VectorEnv] | None,
    wanted: Wanted,
    agents: Mapping[str, Agent],
    name: str = "model",
    episodes: Replay | None = None,
    seed_of: Callable[[int], int | None] = lambda number: None,
    knobs: Sequence[Knob] = (),
    action_names: Sequence[str] = (),
    starts: Starts | None = None,
) -> Stage:
    """A stage of any world model.

    Args:
        starts: Of dreams where there is no real world.

    Raises:
        ConfigError: If its actions cannot be chosen on a page.
    """
    if not playable(model.action_space):
        raise ConfigError(f"play: actions in {model.action_space} cannot be chosen on a page")
    draw, numbers = drawing(model.observation_space)

    def dream(rows: int) -> DreamWorld:
        return DreamWorld(
            model, rows, starts=starts or _nowhere, horizon=_HORIZON, stochastic_end=False,
            seed=wanted.seed,
        )  # fmt: skip

    return Stage(
        title,
        model.observation_space,
        model.action_space,
        dream=dream,
        real=real,
        draw=draw,
        why_no_real="" if real else "The real world is not known here; name it with --world.",
        world=world,
        model=name,
        agents=agents,
        knobs=knobs,
        episodes=episodes,
        seed_of=seed_of,
        saved=wanted.saved or Path("runs/played") / slug(title),
        action_names=action_names or _action_names(world, model.action_space),
        number_names=numbers,
        unit=1.0 if real is None else _unit(real(1), wanted.seed),
    )


def _of_folder(folder: Path, wanted: Wanted) -> Stage:
    model: Any = load_model(model_folder(folder)).to(wanted.device)
    config = _config(folder)
    replay = _episodes(folder, config)
    world = wanted.world or config.get("world") or _world_of(replay)
    real = None
    if world:
        asked = wanted.observation
        asked = config.get("observation", asked) if asked == "default" else asked
        real = _fitting(world, str(asked), model)
    if real is None and replay is None:
        raise ConfigError(
            f"play {folder}: neither its world nor its episodes are known; name it with --world"
        )
    agents = {}
    if real is not None:
        for name in wanted.agents or _usual(folder, model):
            agents[Path(name).name] = named_agent(
                name, model=model, folder=folder, world=real(1), seed=wanted.seed,
                device=wanted.device,
            )  # fmt: skip
    else:
        agents["random"] = RandomAgent(model.action_space, wanted.seed)
    first = config.get("first_seed")
    return stage_of(
        model,
        title=folder.name,
        world=world or "",
        real=real,
        wanted=wanted,
        agents=agents,
        name=str(folder),
        episodes=replay,
        knobs=_knobs(model),
        seed_of=(lambda number: None) if first is None else (lambda number: first + number),
        starts=None if replay is None else starts_from(replay, first_only=True),
    )


def _of_simulator(world: str, wanted: Wanted) -> Stage:
    """The true simulator as the dream: they never part, and every page can be tried."""
    observation = chosen(wanted.observation)
    live = branchable(make(world, 1, observation=observation))

    def made(rows: int) -> VectorEnv:
        return make(world, rows, observation=observation)

    def real(rows: int) -> VectorEnv:
        return live if rows == 1 else branchable(made(rows))

    model = SimulatorModel(live, made)
    live.reset(seed=wanted.seed)
    return stage_of(
        model,
        title=world,
        world=world,
        real=real,
        wanted=wanted,
        agents={"random": RandomAgent(model.action_space, wanted.seed)},
        name="simulator",
    )


def _config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _episodes(folder: Path, config: Mapping[str, Any]) -> Replay | None:
    try:
        return Replay.open(folder / "episodes", read_only=True)
    except DataError:
        pass
    try:
        return load(config["data"]) if config.get("data") else None
    except MindseyeError:
        return None


def _world_of(replay: Replay | None) -> str | None:
    """The real world that recorded episodes name."""
    if replay is None:
        return None
    names = (e.origin.world for e in replay if e.origin.kind == "real")
    return next(names, None)


def _fitting(
    world: str, observation: str, model: LatentWorldModel | VideoWorldModel
) -> Callable[[int], VectorEnv]:
    """The real world, seen as the model sees it.

    Raises:
        ConfigError: If it cannot be seen so.
    """
    tried = dict.fromkeys([observation, *_OBSERVATIONS])
    for name in tried:
        try:
            made = make(world, 1, observation=chosen(name))
        except ConfigError:
            continue
        spaces = made.single_observation_space, made.single_action_space
        if spaces == (model.observation_space, model.action_space):
            return lambda rows, name=name: branchable(make(world, rows, observation=chosen(name)))
    raise ConfigError(
        f"play: the model sees {model.observation_space} and acts in {model.action_space}, which"
        f" {world} does not offer; name the world it was made for with --world"
    )


def _usual(folder: Path, model: Any) -> list[str]:
    names = ["dream"] if (folder / "policy").is_dir() else []
    planners = (
        ["cem"]
        if isinstance(model.action_space, gymnasium.spaces.Box | gymnasium.spaces.Discrete)
        else []
    )
    return [*names, "random", *planners]


def _knobs(model: Any) -> list[Knob]:
    if not isinstance(model, VideoWorldModel):
        return []

    def steps(value: float) -> None:
        model.steps = 1 << round(value)

    finest = model.finest.bit_length() - 1
    return [
        Knob(
            "fineness", 0, finest, 1, model.steps.bit_length() - 1,
            "a frame is denoised in 2 to the power of this many steps", steps,
        )
    ]  # fmt: skip


def _unit(world: Any, seed: int) -> float:
    """Distance of unrelated observations, from a short random life."""
    rng = np.random.default_rng(seed)
    agent = RandomAgent(world.single_action_space, seed)
    observation, _ = world.reset(seed=[seed])
    seen = [observation]
    for _ in range(_MEASURED):
        if isinstance(world.single_action_space, Words):
            return 1.0
        observation, _, terminated, truncated, _ = world.step(agent.act(observation, None)[0])
        seen.append(tree.map_tree(lambda x: x if isinstance(x, list) else np.array(x), observation))
        if (terminated | truncated).all():
            observation, _ = world.reset(seed=[int(rng.integers(1 << 31))])
    return unrelated(tree.concatenate(seen), rng)


def _action_names(world: str, space: gymnasium.Space) -> Sequence[str]:
    is_grid = world.startswith(("MiniGrid", "BabyAI", "grid/"))
    return _MINIGRID if is_grid and space == gymnasium.spaces.Discrete(7) else ()


def _nowhere(n: int, rng: np.random.Generator) -> Any:
    raise SpecError("play: this dream has nowhere to begin")

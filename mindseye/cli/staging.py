"""What `play` is told, made into a stage: a dream, its real world, agents and knobs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

from mindseye.agents.curious import CuriousWalker
from mindseye.agents.random import RandomAgent
from mindseye.cli.agents import model_folder, named_agent
from mindseye.cli.folders import slug
from mindseye.cli.imagining import imagined, language_agents, read_off
from mindseye.cli.options import chosen
from mindseye.core import tree
from mindseye.core.errors import ConfigError, DataError, MindseyeError, SpecError
from mindseye.core.protocols import Agent, WorldModel
from mindseye.core.spaces import Words
from mindseye.evaluation.distance import unrelated
from mindseye.experience import Replay, load
from mindseye.models.files import SavedModel, load_model, world_of
from mindseye.models.language import open_language
from mindseye.models.world.diffusion import DiffusionWorldModel
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.video import VideoWorldModel
from mindseye.stages.collect import first_seed
from mindseye.studio import Knob, Stage
from mindseye.studio.naming import action_names as known_names
from mindseye.studio.pictures import drawing
from mindseye.studio.protocol import playable
from mindseye.worlds import DreamWorld, SimulatorModel, branchable, make, starts_from
from mindseye.worlds.starts import Starts

_HORIZON = 1_000_000
"""Steps of a dream: as long as somebody plays."""
_LIVES, _STEPS = 8, 12
"""Real ones, from which the distance of unrelated observations is taken."""
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
    if colon and kind in _OF_WORLDS:
        return _OF_WORLDS[kind](rest, wanted)
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
        knobs=knobs_of(model),
        episodes=episodes,
        seed_of=seed_of,
        saved=wanted.saved or Path("runs/played") / slug(title),
        action_names=action_names or known_names(world, model.action_space),
        number_names=numbers,
        unit=1.0 if real is None else _unit(real(1), wanted.seed),
    )


def _of_folder(folder: Path, wanted: Wanted) -> Stage:
    model: Any = load_model(model_folder(folder)).to(wanted.device)
    config = _config(folder)
    replay = _episodes(folder, config)
    made_for, options = world_of(model_folder(folder))
    world = wanted.world or made_for or config.get("world") or _world_of(replay)
    real = None
    if made_for and world == made_for:
        real = partial(_made, made_for, options)
    elif world:
        asked = wanted.observation
        asked = config.get("observation", asked) if asked == "default" else asked
        real = _fitting(world, str(asked), model)
    if real is None and replay is None:
        raise ConfigError(
            f"play {folder}: neither its world nor its episodes are known; name it with --world"
        )
    agents = {}
    if real is not None:
        judged = real(1)
        for name in wanted.agents or _usual(folder, model):
            agents[Path(name).name] = named_agent(
                name, model=model, folder=folder, world=judged, seed=wanted.seed,
                device=wanted.device,
            )  # fmt: skip
        judged.close()
    else:
        agents["random"] = RandomAgent(model.action_space, wanted.seed)
    return stage_of(
        model,
        title=folder.name,
        world=world or "",
        real=real,
        wanted=wanted,
        agents=agents,
        name=str(folder),
        episodes=replay,
        seed_of=_seeds(config),
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


def _of_language(world: str, wanted: Wanted) -> Stage:
    language = open_language(wanted.language)
    model, real = imagined(world, language, wanted.seed)
    return stage_of(
        model,
        title=f"{world} in words",
        world=world,
        real=real,
        wanted=wanted,
        agents=language_agents(language, real(1), wanted.seed),
        name=f"language model of {world}",
    )


def _of_program(world: str, wanted: Wanted) -> Stage:
    model, facts, real = read_off(world, wanted.seed)
    stage = stage_of(
        model,
        title=f"{world} by laws",
        world=world,
        real=real,
        wanted=wanted,
        agents={
            "curious": CuriousWalker(facts.layout, seed=wanted.seed),
            "random": RandomAgent(model.action_space, wanted.seed),
        },
        name=f"laws of {world}",
        action_names=facts.layout.actions,
    )

    def draw(observation: Any) -> np.ndarray:
        return facts.picture(facts.state(np.asarray(observation)[None]))[0]

    return replace(stage, draw=draw, number_names=())


_OF_WORLDS: Mapping[str, Callable[[str, Wanted], Stage]] = {
    "simulator": _of_simulator,
    "language": _of_language,
    "program": _of_program,
}
"""Dreams that need no folder, by what comes before the colon."""


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


def _seeds(config: Mapping[str, Any]) -> Callable[[int], int | None]:
    """From which seed an episode that `train` collected began."""
    seed = config.get("seed")
    if config.get("name") != "train" or not isinstance(seed, int) or "world" not in config:
        return lambda number: None
    return lambda number: first_seed(seed) + number


def _made(world: str, options: Mapping[str, Any], rows: int) -> VectorEnv:
    return branchable(make(world, rows, **options))


def _fitting(world: str, observation: str, model: SavedModel) -> Callable[[int], VectorEnv]:
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
        made.close()
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


def knobs_of(model: WorldModel) -> list[Knob]:
    """What may be turned in a model."""
    if isinstance(model, LatentWorldModel):
        told = "0 imagines only the likeliest, 1 as it was learned, more the unlikely, too"
        return [
            Knob("temperature", 0.0, 2.0, 0.1, 1.0, told, partial(setattr, model, "temperature"))
        ]
    if isinstance(model, DiffusionWorldModel):

        def steps(value: float) -> None:
            model.steps = round(value)

        return [Knob("steps", 1, 16, 1, model.steps, "denoising steps per moment", steps)]
    if isinstance(model, VideoWorldModel):

        def fineness(value: float) -> None:
            model.steps = 1 << round(value)

        finest, now = model.finest.bit_length() - 1, model.steps.bit_length() - 1
        told = "a frame is denoised in 2 to the power of this many steps"
        return [Knob("fineness", 0, finest, 1, now, told, fineness)]
    return []


def _unit(world: Any, seed: int) -> float:
    """Distance of unrelated observations, from the beginnings of random lives."""
    if isinstance(world.single_action_space, Words):
        return 1.0
    agent, seen = RandomAgent(world.single_action_space, seed), []
    for life in range(_LIVES):
        observation, _ = world.reset(seed=[seed + 1000 + life])
        for _ in range(_STEPS):
            seen.append(tree.map_tree(np.array, observation))
            observation, *_ = world.step(agent.act(observation, None)[0])
    return unrelated(tree.concatenate(seen), np.random.default_rng(seed))


def _nowhere(n: int, rng: np.random.Generator) -> Any:
    raise SpecError("play: this dream has nowhere to begin")

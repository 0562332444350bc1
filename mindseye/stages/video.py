"""The steps of learning a world that is video, and practising in it."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from gymnasium.spaces import Box
from gymnasium.vector import VectorEnv

from mindseye.agents.crafting import ScriptedCrafter
from mindseye.agents.policy import DreamAgent
from mindseye.agents.random import RandomAgent
from mindseye.core.batch import FIELDS
from mindseye.core.episode import Episode, Origin
from mindseye.core.protocols import Agent
from mindseye.core.run import Run
from mindseye.core.tree import to_tensor
from mindseye.evaluation.pictures import save_pair
from mindseye.evaluation.video import dream_clips
from mindseye.experience import Prioritised, Replay, Uniform, rollout
from mindseye.learners.preference import PreferenceImagination
from mindseye.learners.video_fitting import TokenizerFitting, VideoFitting
from mindseye.models.video import VideoTokenizer
from mindseye.models.world.video import VideoWorldModel
from mindseye.stages.evolve import returns
from mindseye.worlds.minicraft import Minicraft
from mindseye.worlds.rules import RulesWorld

LABELLED = "labelled"
"""Extra of episodes, uniform in [0, 1): those below a share have actions that may be known."""
CONTEXT = 4
"""Frames seen before pictures and outcomes are imagined."""
HISTORY = 20
"""Frames, of the same episode, remembered before practice begins: as many as there are, or what was
achieved long ago would be imagined to pay once more."""
_GROUP = 16


def record_play(run: Run, world: VectorEnv, *, episodes: int, noise: float, name: str) -> Replay:
    """Half of the episodes by a script with that share of random actions, half at random.

    Worlds without a script are played at random alone. Extras: `weight` is 1 for the better half of
    a round of episodes, those worth cloning; `LABELLED`.
    """
    replay = Replay(
        run.folder / "episodes", world.single_observation_space, world.single_action_space
    )
    rows, first = world.num_envs, run.seed_for("worlds") % 2**30
    chance = RandomAgent(world.single_action_space, run.seed_for("chance"))
    for index in run.steps("collect", -(-episodes // (2 * rows)), keep={"replay": replay}):
        played: list[Episode] = []
        world.reset(seed=first)
        for turn, agent in enumerate((_script(world, noise, run, index) or chance, chance)):
            seed = first + (2 * index + turn) * rows
            origin = Origin("real", name)
            played += rollout(agent, world, origin=origin, episodes=rows, seed=seed)
        replay.add(_marked(played, run.rng(f"labels/{index}")))
    return replay


def _script(world: VectorEnv, noise: float, run: Run, index: int) -> Agent | None:
    if not isinstance(world, RulesWorld) or not isinstance(world.rules, Minicraft):
        return None
    return ScriptedCrafter(world, noise=noise, seed=run.seed_for(f"script/{index}"))


def _marked(episodes: list[Episode], rng: np.random.Generator) -> Iterable[Episode]:
    middle = np.median([episode.total_reward for episode in episodes])
    places = rng.permutation(len(episodes)) / len(episodes)
    for episode, place in zip(episodes, places, strict=True):
        marks = {"weight": episode.total_reward > middle, LABELLED: place}
        extras = {name: np.full(len(episode), mark, np.float32) for name, mark in marks.items()}
        yield replace(episode, extras=extras)


def fit_tokenizer(run: Run, tokenizer: VideoTokenizer, replay: Replay, *, updates: int) -> None:
    """Masked autoencoding of pairs of frames."""
    decay = 0.05 ** (1 / updates)
    fitting = TokenizerFitting(tokenizer, learning_rate=6e-3, decay=decay)
    rng = run.rng("frames")
    for _ in run.steps("tokenizer", updates, keep={"fitting": fitting, "rng": rng}):
        run.log(fitting.update(to_tensor(replay.sample(16, 2, rng), run.device)))


def encode(run: Run, tokenizer: VideoTokenizer, replay: Replay) -> Replay:
    """A store like `replay` whose observations are the tokenizer's latents."""
    space = Box(-1.0, 1.0, (tokenizer.size,), np.float32)
    latents = Replay(run.folder / "latents", space, replay.action_space, extras=[*FIELDS, LABELLED])
    groups = -(-replay.num_episodes // _GROUP)
    for group in run.steps("encode", groups, keep={"latents": latents}):
        numbers = range(group * _GROUP, min((group + 1) * _GROUP, replay.num_episodes))
        latents.add(_encoded(tokenizer, replay.episode(number)) for number in numbers)
    return latents


def labelled(run: Run, latents: Replay, share: float) -> Replay:
    """A store of the episodes below that share of labels alone."""
    part = Replay(
        run.folder / "labelled",
        latents.observation_space,
        latents.action_space,
        extras=[*FIELDS, LABELLED],
    )
    for _ in run.steps("labelled", 1, keep={"part": part}):
        part.add(episode for episode in latents if episode.extras[LABELLED][0] < share)
    return part


def learn_video(
    run: Run,
    stage: str,
    fitting: VideoFitting,
    latents: Replay,
    rng: np.random.Generator,
    *,
    updates: int,
    batch: int,
    length: int,
    share: float,
) -> None:
    """Fit on clips of `length` frames; actions are known of episodes below the share of labels."""
    for step in run.steps(stage, updates, keep={"fitting": fitting, "rng": rng}):
        clips = latents.sample(batch, length, rng)
        clips = {**clips, LABELLED: (clips[LABELLED] < share).float()}
        metrics = fitting.update(to_tensor(clips, run.device))
        if step % 20 == 0:
            run.log(metrics)


@torch.inference_mode()
def _encoded(tokenizer: VideoTokenizer, episode: Episode) -> Episode:
    frames = torch.from_numpy(episode.observations).to(tokenizer.slots.device).unsqueeze(0)
    is_first = torch.zeros(frames.shape[:2], dtype=torch.bool, device=frames.device)
    is_first[:, 0] = True
    latents = tokenizer.encode(frames, is_first)[0]
    return replace(episode, observations=latents.float().cpu().numpy())


def practise(
    run: Run,
    model: VideoWorldModel,
    latents: Replay,
    *,
    updates: int,
    dreams: int,
    horizon: int,
    prior_weight: float,
    is_prioritised: bool = False,
    stage: str = "practise",
) -> DreamAgent:
    """Improve the cloned policy inside the dream, from recorded starts.

    Args:
        prior_weight: The less the dream can be trusted, the greater.
        is_prioritised: Whether starts are drawn in proportion to how wrong the value was there.
    """
    run.seed_torch(stage)
    # achievements pay 1 each, and a plot has five
    limits = (-2.0, 8.0)
    learner = PreferenceImagination(
        model,
        model.policies[0],  # type: ignore[arg-type]
        horizon=horizon,
        discount=0.9,
        prior_weight=prior_weight,
        passes=4,
        patience=updates // 4,
        value_limits=limits,
    )
    latents.strategy = strategy = Prioritised() if is_prioritised else Uniform()
    rng = run.rng(stage)
    keep = {"learner": learner, "rng": rng, "strategy": strategy}
    for _ in run.steps(stage, updates, keep=keep):
        drawn = latents.sample(dreams, HISTORY, rng)
        batch = to_tensor(drawn, run.device)
        with torch.no_grad():
            state = model.initial(dreams)
            for t in range(HISTORY):
                first = batch["is_first"][:, t] | (t == 0)
                action, seen = batch["action"][:, t], batch["observation"][:, t]
                state = model.remember(state, action, seen, first)
        run.log(learner.update(state))
        if isinstance(strategy, Prioritised):
            surprise = learner.surprise.cpu().numpy()
            strategy.update_priorities(drawn["index"].numpy(), surprise)
    latents.strategy = Uniform()
    return DreamAgent(model, learner.policy)


def earned(run: Run, agent: Agent, world: VectorEnv, *, episodes: int) -> list[float]:
    """Returns in the same episodes for every agent."""
    run.seed_torch("test")
    return returns(agent, world, episodes=episodes, seed=run.seed_for("test") % 2**30, explore=True)


def draw_dream(run: Run, model: VideoWorldModel, episode: Episode, *, frames: int = 14) -> None:
    """A recorded episode above, and below it what is dreamed after its first frames: media/."""
    actions = np.asarray(episode.actions)[None, : frames - 1]
    real = np.asarray(episode.observations)[None, : actions.shape[1] + 1]
    run.seed_torch("picture")
    dream, _ = dream_clips(model, real, actions, context=CONTEXT, device=run.device)
    save_pair(real[0], dream[0], run.folder / "media" / "dream.png", frames=frames)

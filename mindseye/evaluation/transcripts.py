"""How true a world of words is, and what it looks like to a reader."""

from collections.abc import Sequence

import numpy as np

from mindseye.core.episode import Episode
from mindseye.core.protocols import Agent
from mindseye.models.world.language import LanguageWorldModel
from mindseye.models.world.transcript import Transition
from mindseye.worlds.dream import DreamWorld
from mindseye.worlds.starts import first_observations


def judge_steps(model: LanguageWorldModel, steps: Sequence[Transition]) -> dict[str, list[float]]:
    """What a model says of real steps it has not seen.

    Returns:
        `slots`: share of the next state's parts that were said; `unusable`: whether nothing was;
        of last steps, `false_rewards` among those that paid nothing and `missed_rewards` among
        those that paid.
    """
    found = [outcome for outcome, _ in model.foresee([(s.task, s.past) for s in steps])]
    pairs = [(s.outcome, f) for s, f in zip(steps, found, strict=True)]
    ends = [(true, said) for true, said in pairs if true.done]
    return {
        "slots": [shared_parts(t.state, f.state if f else "") for t, f in pairs],
        "unusable": [float(f is None) for _, f in pairs],
        "false_rewards": [float(bool(f and f.reward)) for t, f in ends if not t.reward],
        "missed_rewards": [float(not (f and f.reward)) for t, f in ends if t.reward],
    }


def shared_parts(true: str, said: str) -> float:
    """Share of a state's clauses that were said, word for word."""
    parts = [part.strip() for part in true.replace(";", ".").replace("\n", ".").split(".")]
    return float(np.mean([part in said for part in parts if part]))


def tell(model: LanguageWorldModel, agent: Agent, observations: Sequence[str], horizon: int) -> str:
    """Dreamed episodes for people: commands after ">", reasons in brackets, rewards."""
    begun = first_observations(list(observations), model.action_space)
    world = DreamWorld(model, len(observations), starts=lambda n, _: begun, horizon=horizon)
    texts, _ = world.reset()
    memory, lines = agent.initial(len(texts)), [[text] for text in texts]
    done = np.zeros(len(texts), bool)
    while not done.all():
        said, memory, _ = agent.act(texts, memory)
        texts, rewards, terminated, truncated, _ = world.step(said)
        reasons = world.save()["state"]["reason"]
        for i in np.flatnonzero(~done):
            lines[i] += [f"> {said[i]}", f"({reasons[i]})", texts[i].split("\n", 1)[1]]
            lines[i] += [f"reward {rewards[i]:.0f}"]
        done |= terminated | truncated
    return "\n\n".join("\n".join(row) for row in lines) + "\n"


def narrate(episode: Episode) -> str:
    """An episode of words for people: what was thought, indented, commands after ">", rewards."""
    thoughts = episode.extras.get("thought", [""] * len(episode))
    lines = [episode.observations[0]]
    for said, thought, reward, text in zip(
        episode.actions, thoughts, episode.rewards, episode.observations[1:], strict=True
    ):
        lines += [f"    {line}" for line in thought.splitlines() if not line.startswith("command:")]
        lines += [f"> {said}", text, f"reward {reward:g}", ""]
    return "\n".join(lines)

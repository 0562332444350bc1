"""SPRING: a language model reads a world's manual, asks itself a graph of questions, and plays.

Paper: Wu, Min, Prabhumoye, Bisk, Salakhutdinov, Azaria, Mitchell and Li (2023), "SPRING: GPT-4
    Out-performs RL Algorithms by Studying Papers and Reasoning", arXiv 2305.15486.
Claims: 1) Having read the manual of a world it has never seen, an agent that learns nothing earns
    more than PPO after a stated number of steps there; with the manual's words shuffled it does
    not. 2) The manual must be this world's: another's, under the same names, does not do. 3) A
    graph of questions plays better than asking for the command at once.
Differs: 1) Countries of invented technology (`minicraft/country`) instead of Crafter: laws, costs
    and names are drawn anew for every world, so that nothing can be known beforehand. Crafter
    itself, told in words, is the preset `medium-crafter`, for a capable endpoint. 2) Our own
    small language model unless an endpoint is configured; it was trained on the manuals of other
    invented worlds, GPT-4 was not trained at all. 3) The graph has three kinds of node (what is
    lacking, which task, which command), asked for every task at once; the paper's has nine.
    Sub-tasks are followed by the program. 4) The manual is a list of sentences, a third of them
    idle, not a paper's source. 5) PPO sees symbols (Crafter's pictures), not text.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

from gymnasium.vector import VectorEnv

from mindseye.agents.language.agent import Asking
from mindseye.agents.language.reader import reader, study
from mindseye.agents.random import RandomAgent
from mindseye.core.card import Card, Claim
from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import ConfigError
from mindseye.core.ledger import Ledger
from mindseye.core.protocols import Agent, LanguageModel
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.evaluation.statistics import mean_measure
from mindseye.experience import rollout
from mindseye.models.language import open_language
from mindseye.models.language.cache import Remembered
from mindseye.stages.rivals import model_free
from mindseye.worlds import crafter_manual, make
from mindseye.worlds.crafter import tables
from mindseye.worlds.minicraft import invented, manual

CARD = Card(
    slug="spring",
    number=37,
    title="SPRING",
    paper="arXiv 2305.15486",
    claims=[
        Claim(
            "Reading an unseen world's manual earns more there than PPO trained for thousands of"
            " steps; with its words shuffled it does not.",
            method="achievements/read",
            baseline="achievements/ppo",
            ablation="achievements/shuffled",
        ),
        Claim(
            "The manual must be this world's: another's, under the same names, does not do.",
            method="achievements/read",
            baseline="achievements/random",
            ablation="achievements/foreign",
        ),
        Claim(
            "A graph of questions plays better than asking for the command at once.",
            method="achievements/read",
            baseline="achievements/direct",
            ablation="achievements/unread",
        ),
    ],
    differs=[
        "countries of invented technology instead of Crafter, which is the preset medium-crafter",
        "our own small model, trained on manuals of other worlds, unless one is configured",
        "three kinds of question for every task at once; the paper's graph has nine questions",
        "the manual is a list of sentences, not a paper's source",
        "PPO sees symbols, or Crafter's pictures, not text",
    ],
    numbers={
        "cpu": "a language model of 1.8 million numbers, one world a seed, 40,000 steps of PPO",
        "paper": "GPT-4, Crafter: 12.3 reward after reading, PPO 4.2 after 1,000,000 steps",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options."""

    seed: int = 0
    """Of the worlds and everything random."""
    language: str = ""
    """Language model: small, small:FOLDER, remote:MODEL@URL, transformers:PATH; empty: that of
    MINDSEYE_LANGUAGE, or else small."""
    worlds: int = 1
    """Unseen worlds."""
    rows: int = 8
    """Episodes in each."""
    steps: int = 120
    """Of an episode."""
    idle: int = 5
    """Sentences in an invented country's manual that tell nothing of use."""
    budget: int = 40
    """Questions per step."""
    ppo_steps: int = 40_000
    """Real steps that PPO is given in each world."""
    world: str | None = None
    """Another world than invented countries: crafter (extra `crafter`)."""


PRESETS = {
    "smoke": Config(worlds=1, rows=2, steps=8, ppo_steps=64),
    "cpu": Config(),
    "medium": Config(worlds=10, rows=16, ppo_steps=300_000),
    "medium-crafter": Config(world="crafter", rows=5, steps=500, ppo_steps=1_000_000),
    "full": Config(worlds=20, rows=20, steps=500, ppo_steps=1_000_000),
}

CRAFTER = "crafter"
TOKENS = 128
"""Of an answer about Crafter, where five things may be missing at once."""

READERS = ("read", "direct", "shuffled", "foreign", "unread")
"""The manual as it is; without the graph; words shuffled; another world's laws; no manual."""


def build(config: Config) -> dict[str, LanguageModel]:
    """Who reads and answers."""
    return {"language": open_language(config.language)}


def run(config: Config, record: Run) -> Report:
    """Every reader and both rivals, in every world.

    Raises:
        ConfigError: If there is no manual of the world asked for.
        MissingExtra: If its package is not installed.
    """
    if config.world not in (None, CRAFTER):
        raise ConfigError(f"spring: no manual of {config.world!r}; choose {CRAFTER}, or none")
    language = build(config)["language"]
    found: dict[str, list[float]] = {name: [] for name in (*READERS, "ppo", "random")}
    notes, spent = [], Ledger()
    for index in range(config.worlds):
        invention = record.seed_for(f"world {index}")
        seed = record.seed_for(f"episodes {index}")
        for name in READERS:
            told = manual_of(config, record, index, invention, name)
            played = record.once(
                f"{name}/{index}",
                partial(read_and_play, config, language, invention, seed, name, told),
            )
            found[name] += played["earned"]
            spent.add(**played["ledger"])
            if name == "read":
                notes.append({"notes": played["notes"], "trace": played["trace"]})
        world = country(config, invention, "symbols")
        ppo = model_free(
            record,
            world,
            steps=config.ppo_steps,
            name=config.world or "country",
            stage=f"ppo/{index}",
        )
        chance = RandomAgent(world.single_action_space, seed=seed)
        for name, agent in (("ppo", ppo), ("random", chance)):
            found[name] += record.once(
                f"{name}/test/{index}", partial(earnings, config, agent, world, seed)
            )
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=[*measured(config, found), *spent.measures()],
        config=asdict(config),
        manifest=record.manifest,
        details={"worlds": notes},
    )


def country(config: Config, invention: int, face: str) -> VectorEnv:
    """A world of words, or of symbols; Crafter has pictures instead."""
    if config.world:
        face = "text" if face == "text" else "pixels"
        return make(config.world, config.rows, observation=face, max_steps=config.steps)
    return make(
        "minicraft/country",
        config.rows,
        observation=face,
        invention=invention,
        max_steps=config.steps,
    )


def read_and_play(
    config: Config,
    language: LanguageModel,
    invention: int,
    seed: int,
    name: str,
    told: Sequence[str],
) -> dict:
    """Study what is told, act by it; what was earned, noted, thought at first, and spent."""
    language.ledger = Ledger()
    world, is_graph = country(config, invention, "text"), name != "direct"
    if config.world:
        ask = Asking(Remembered(language), budget=config.budget, max_tokens=TOKENS)
        known = study(ask, told, list(crafter_manual.laws(tables())))
        agent = reader(ask, known, is_graph=is_graph, prompt="do")
    else:
        ask = Asking(Remembered(language), budget=config.budget)
        listed = world.rules.commands  # type: ignore[attr-defined]
        known = study(ask, told, [c for c in listed if c.startswith(("build ", "craft "))])
        sure = {task: needs for task, needs in known.items() if needs != "unknown"}
        agent = reader(ask, sure, is_graph=is_graph)
    episodes = attempt(config, agent, world, seed)
    return {
        "earned": [e.total_reward for e in episodes],
        "notes": known,
        "trace": list(episodes[0].extras["thought"])[:12],
        "ledger": language.ledger.state_dict(),
    }


def manual_of(
    config: Config, record: Run, index: int, invention: int, reader_name: str
) -> Sequence[str]:
    """What a reader is given to read about a world."""
    rng = record.rng(f"manual {index}")
    if config.world:
        laws = crafter_manual.laws(tables())
        if reader_name == "foreign":
            laws = crafter_manual.exchanged(laws, rng)
        told = crafter_manual.manual(laws, rng)
    else:
        told = manual(invented(invention), rng, idle=config.idle)
    if reader_name == "unread":
        return ["Nothing is known."]
    if reader_name == "shuffled":
        # all words of the manual stay, in another order, in sentences of the old lengths
        words = " ".join(told).split()
        rng.shuffle(words)
        at, out = 0, []
        for sentence in told:
            count = len(sentence.split())
            out.append(" ".join(words[at : at + count]))
            at += count
        return out
    if reader_name == "foreign" and not config.world:
        here, other = invented(invention), invented(record.seed_for(f"foreign {index}"))
        names = {}
        for kind in ("materials", "items"):
            names |= dict(zip(getattr(other, kind), getattr(here, kind), strict=True))
        told = manual(other, rng, idle=config.idle)
        return [_translated(sentence, names) for sentence in told]
    return told


def _translated(sentence: str, names: dict[str, str]) -> str:
    words = [word.rstrip(".,") for word in sentence.split()]
    marks = [word[len(plain) :] for word, plain in zip(sentence.split(), words, strict=True)]
    return " ".join(names.get(w, w) + mark for w, mark in zip(words, marks, strict=True))


def attempt(config: Config, agent: Agent, world: VectorEnv, seed: int) -> list[Episode]:
    """One episode per row. First achievements pay 1 each, and nothing else does in a country."""
    origin = Origin("real", config.world or "minicraft/country")
    return rollout(agent, world, origin=origin, episodes=world.num_envs, seed=seed, explore=True)


def earnings(config: Config, agent: Agent, world: VectorEnv, seed: int) -> list[float]:
    """What one episode per row earns."""
    return [episode.total_reward for episode in attempt(config, agent, world, seed)]


def measured(config: Config, found: dict[str, list[float]]) -> list[Measure]:
    """Achievements by name of the agent; in Crafter, where health pays too, also what it earned."""
    if not config.world:
        return [mean_measure(f"achievements/{n}", v, "of 11") for n, v in found.items()]
    return [
        measure
        for name, earned in found.items()
        for measure in (
            mean_measure(f"achievements/{name}", [firsts(e) for e in earned], "of 22"),
            mean_measure(f"reward/{name}", earned),
        )
    ]


def firsts(earned: float) -> float:
    """First achievements in an episode of Crafter: what it earned, without the tenths of health.

    Health begins at its most and pays a tenth per point, so all of it takes away less than 1.
    """
    return float(math.ceil(earned - 1e-3))

"""CEL: an agent finds out a game's rules by playing, writes them down, and plays by what it wrote.

Paper: "Cogito, Ergo Ludo: An Agent that Learns to Play by Reasoning and Planning" (2025),
    arXiv 2509.25052.
Claims: 1) Rewriting its rules and playbook after every episode, an agent succeeds more often than
    one that stops after the first, and than one without rules. 2) The rules must be those of the
    game being played: the same rules under permuted signs do not do. 3) A false rule planted
    half-way is found out.
Differs: 1) Frozen lake only, with abstract signs and invented commands. 2) Our own small language
    model, trained on transcripts of invented games, induces, foresees and judges; its weights stay
    as they are here, the paper trains its model on outcomes. 3) What is foreseen is searched
    breadth first; the paper looks one step ahead. 4) The playbook is drawn from the rules by
    program. 5) A rule is induced from the last twelve lines that bear on it, not a whole episode.
"""

from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from gymnasium.vector import VectorEnv

from mindseye.agents.language.agent import Asking
from mindseye.agents.language.rules import Notes, player, reflect
from mindseye.core.card import Card, Claim
from mindseye.core.episode import Origin
from mindseye.core.ledger import Ledger
from mindseye.core.protocols import LanguageModel
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.evaluation.statistics import mean_measure
from mindseye.experience import rollout
from mindseye.models.language import open_language
from mindseye.models.language.cache import Remembered
from mindseye.worlds import make
from mindseye.worlds.puzzles.alphabet import DIRECTIONS
from mindseye.worlds.puzzles.boards import AGENT, BAD, FLOOR, GOAL

CARD = Card(
    slug="cel",
    number=21,
    title="Cogito, Ergo Ludo",
    paper="arXiv 2509.25052",
    claims=[
        Claim(
            "Rewriting its rules after every episode, the agent succeeds more often by 0.2 than"
            " without rules, and than with those of its first episode.",
            method="success/rewriting",
            baseline="success/no_rules",
            ablation="success/frozen",
            margin=0.2,
        ),
        Claim(
            "The rules must be this game's: permuted among its signs they do not do.",
            method="success/rewriting",
            baseline="success/no_rules",
            ablation="success/permuted",
            margin=0.2,
        ),
        Claim(
            "Most rules found are right, more than after the first episode, though one is planted"
            " wrong half-way.",
            method="rules/rewriting",
            baseline="rules/frozen",
            ablation="rules/permuted",
        ),
    ],
    differs=[
        "frozen lake only, with abstract signs and invented commands",
        "our own small language model; its weights are not trained on outcomes here",
        "what is foreseen is searched breadth first",
        "the playbook is drawn from the rules by program",
        "a rule is induced from the last twelve lines that bear on it",
    ],
    numbers={
        "cpu": "one life of 24 episodes per agent, a new map each",
        "paper": "Qwen3-4B; frozen lake 97 %, sokoban 84 %, minesweeper 54 %",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options."""

    seed: int = 0
    """Of the game and everything random."""
    language: str = ""
    """Language model: small, small:FOLDER, remote:MODEL@URL, transformers:PATH; empty: that of
    MINDSEYE_LANGUAGE, or else small."""
    episodes: int = 24
    """Of a life; every one on a new map."""
    judged: int = 8
    """The last so many count."""
    size: int = 5
    """Cells per side of the lake."""
    steps: int = 30
    """Of an episode."""
    lives: int = 1
    """Per agent, each in a game of its own."""


PRESETS = {
    "smoke": Config(episodes=3, judged=2, size=4, steps=6, lives=1),
    "cpu": Config(),
    "medium": Config(episodes=60, judged=20, lives=10),
    "full": Config(episodes=200, judged=50, size=6, lives=20),
}

PLAYERS = ("rewriting", "frozen", "no_rules", "permuted")
"""Rules rewritten after every episode; after the first only; never; and at every episode, but
handed on with their signs and commands permuted."""


def build(config: Config) -> dict[str, LanguageModel]:
    """Who reads and answers."""
    return {"language": open_language(config.language)}


def run(config: Config, record: Run) -> Report:
    """Every player's lives."""
    language = build(config)["language"]
    success: dict[str, list[float]] = {name: [] for name in PLAYERS}
    right: dict[str, list[float]] = {name: [] for name in PLAYERS}
    curves, notes, spent = {name: [] for name in PLAYERS}, [], Ledger()
    for life in range(config.lives):
        for name in PLAYERS:
            lived = record.once(
                f"{name}/{life}", partial(live, config, language, record, life, name)
            )
            curves[name].append(lived["successes"])
            success[name] += lived["successes"][-config.judged :]
            right[name].append(lived["right"])
            spent.add(**lived["ledger"])
            if name == "rewriting":
                notes.append({key: lived[key] for key in ("rules", "playbook", "trace")})
    measures: list[Measure] = []
    for name in PLAYERS:
        measures.append(mean_measure(f"success/{name}", success[name], "share"))
        measures.append(mean_measure(f"rules/{name}", right[name], "share right"))
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=[*measures, *spent.measures()],
        config=asdict(config),
        manifest=record.manifest,
        details={"curves": curves, "lives": notes},
    )


def live(config: Config, language: LanguageModel, record: Run, life: int, name: str) -> dict:
    """One life: play, reflect, play again."""
    language.ledger = Ledger()
    ask = Asking(Remembered(language), budget=1 << 20)
    seed, rng = record.seed_for(f"maps {life}"), record.rng(f"{name} {life}")
    alphabet = record.seed_for(f"game {life}")
    world = make(
        "puzzles/frozen-lake", 1, size=config.size, alphabet=alphabet, max_steps=config.steps
    )
    notes, successes, trace = Notes(), [], ""
    for index in range(config.episodes):
        shown = permuted(notes) if name == "permuted" else notes
        agent = player(ask, shown, rng)
        episodes = rollout(
            agent,
            world,
            origin=Origin("real", "puzzles/frozen-lake"),
            episodes=1,
            seed=seed + index,
            explore=True,
        )
        successes.append(float(episodes[0].total_reward > 0))
        trace = "\n".join(text.split("\n")[0] for text in episodes[0].observations[1:])
        may = {"no_rules": False, "frozen": index == 0}.get(name, True)
        reflect(ask, notes, episodes, rewrite=may)
        if index == config.episodes // 2 and notes.rules:
            plant(notes, rng)
    return {
        "successes": successes,
        "right": share_right(permuted(notes) if name == "permuted" else notes, world),
        "rules": notes.rules,
        "playbook": notes.playbook,
        "trace": trace,
        "ledger": language.ledger.state_dict(),
    }


def permuted(notes: Notes) -> Notes:
    """The same rules, each handed to the next question of its kind."""
    rules = {}
    for kind in ("what does", "what happens"):
        questions = [q for q in notes.rules if q.startswith(kind)]
        answers = [notes.rules[q] for q in questions]
        rules |= dict(zip(questions, answers[1:] + answers[:1], strict=True))
    signs = list(notes.playbook)
    verdicts = list(notes.playbook.values())
    playbook = dict(zip(signs, verdicts[1:] + verdicts[:1], strict=True))
    return Notes(notes.me, rules, playbook, notes.version, notes.lines)


def plant(notes: Notes, rng: np.random.Generator) -> None:
    """Make one rule about a command false."""
    commands = [q for q in notes.rules if q.startswith("what does")]
    if commands:
        question = commands[int(rng.integers(len(commands)))]
        others = [w for w in ("up", "down", "left", "right") if w not in notes.rules[question]]
        notes.rules[question] = f"moves {notes.me} {others[0]}"


def share_right(notes: Notes, world: VectorEnv) -> float:
    """Share of what there is to know that the notes say truly; what is unknown is not right."""
    truth = true_rules(world)
    return float(np.mean([notes.rules.get(q) == rule for q, rule in truth.items()]))


def true_rules(world: VectorEnv) -> dict[str, str]:
    """The rules of a lake in the notes' own words, from the world itself."""
    names = world.rules.boards.names  # type: ignore[attr-defined]
    ends = {
        GOAL: "the game ends, reward 1",
        BAD: "the game ends, reward 0",
        FLOOR: "the game goes on",
    }
    rules = {
        f"what does {verb} do?": f"moves {names.letters[AGENT]} {way}"
        for verb, way in zip(names.verbs, DIRECTIONS, strict=True)
    }
    return rules | {f"what happens on {names.letters[c]}?": end for c, end in ends.items()}

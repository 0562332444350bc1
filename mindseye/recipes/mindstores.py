"""MINDSTORES: a planner that remembers what it tried, and foresees what its plans will come to.

Paper: Chari, Reddy, Tiwari, Lian and Zhou (2025), "MINDSTORES: Memory-Informed Neural Decision
    Synthesis for Task-Oriented Reinforcement in Embodied Systems", arXiv 2501.19318.
Claims: 1) With a growing memory of attempts a planner learns to make what it could not; without
    one, or with another world's, it does not. 2) What is recalled by state and task serves better
    than what is recalled at random. 3) Memory tells beforehand which plans will fail. 4) Failures
    kept with their reasons serve better than a library of successes, and than the last attempts.
Differs: 1) Workshops of invented technology in words instead of MineDojo. 2) The small language
    model instead of GPT-4. 3) Attempts are kept per command, not per plan. 4) Plans are put
    together from the model's answers by code. 5) Hashed words instead of a sentence encoder.
    6) Ablations are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from mindseye.agents.language.agent import Asking, LanguageAgent, Mind
from mindseye.agents.language.mindful import mindful, settle
from mindseye.agents.language.recall import (
    Life,
    alike,
    confusing,
    latest,
    nothing,
    random_ones,
    successes,
)
from mindseye.core.card import Card, Claim
from mindseye.core.protocols import LanguageModel
from mindseye.core.report import Report
from mindseye.core.run import Run
from mindseye.evaluation.statistics import mean_measure
from mindseye.experience.memory import Memory
from mindseye.learners.language_fitting import LanguageFitting
from mindseye.models.language import open_language
from mindseye.models.language.cache import Remembered
from mindseye.models.language.small import SmallLanguageModel
from mindseye.stages.lessons.memory import plan_from_memory, predict_outcome
from mindseye.worlds.rules import RulesWorld
from mindseye.worlds.text.build import build as build_world
from mindseye.worlds.text.workshop import Workshop

CARD = Card(
    slug="mindstores",
    number=11,
    title="MINDSTORES: Memory-Informed Neural Decision Synthesis",
    paper="arXiv 2501.19318",
    claims=[
        Claim(
            "With memory, success at hard tasks rises from the first to the last third of a life.",
            method="gain/full",
            baseline="gain/none",
            ablation="gain/foreign",
            margin=0.1,
        ),
        Claim(
            "Recall by state and task serves late success better than recall at random, or none.",
            method="late/full",
            baseline="late/random",
            ablation="late/none",
            margin=0.05,
        ),
        Claim(
            "Read memories tell which plans succeed (area under the curve), unread ones less so.",
            method="foresight/full",
            baseline="foresight/vote",
            ablation="foresight/none",
            margin=0.1,
        ),
        Claim(
            "Failures kept with their reasons beat a library of successes and the last attempts.",
            method="late/full",
            baseline="late/successes",
            ablation="late/latest",
            margin=0.05,
        ),
    ],
    differs=[
        "workshops of invented technology, in words, instead of MineDojo",
        "the small language model of this package, practised on other technologies' attempts; any "
        "other through MINDSEYE_LANGUAGE",
        "attempts are read one by one, and what they tell is put together by code",
        "attempts are kept per command with what was held, not per plan",
        "plans are put together by code from the model's answers about what is needed",
        "hashed words and pairs of words instead of a sentence encoder",
        "memories shuffled, foreign, at random and others added as ablations",
    ],
    numbers={
        "cpu": "2 technologies of 13 laws, 36 episodes each, 6 recalled attempts",
        "paper": "MineDojo task groups with a GPT-4 class planner",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are a longer life than the paper's plots show."""

    seed: int = 0
    """Of everything random, the technologies included."""
    language: str = ""
    """As for `open_language`; empty: MINDSEYE_LANGUAGE, or the small model."""
    practice: int = 250
    """Gradient steps of the small model on single attempts before life begins; others take none."""
    lessons: int = 48
    """Attempts per gradient step."""
    learning_rate: float = 1e-3
    """Of practice."""
    technologies: int = 4
    """Worlds with laws and names of their own; every planner lives once in each."""
    episodes: int = 300
    """Of each life."""
    gathers: int = 5
    """Materials of a technology."""
    builds: int = 2
    """Stations."""
    crafts: int = 6
    """Items made of others."""
    hard: int = 7
    """Commands without which a task is not solved, from which on it counts as hard."""
    recalled: int = 6
    """Attempts read before each command."""
    rounds: int = 3
    """Times a plan foreseen to fail is mended."""
    patience: int = 3
    """Failed commands until an episode is given up."""
    max_steps: int = 40
    """Commands in an episode."""


PRESETS = {
    "smoke": Config(
        practice=2, technologies=2, episodes=3, gathers=3, builds=1, crafts=2, hard=3, max_steps=12
    ),
    "cpu": Config(technologies=2, episodes=36),
    "full": Config(),
}

_ROW = 128
"""Words per row of a batch; several lessons share one."""

PLANNERS = ("full", "none", "foreign", "random", "confused", "successes", "latest", "hasty")
"""Full: all of it. None: only the running episode is known. Foreign: recalls another technology's
memory. Random: recalls anything. Confused: outcomes of others. Successes: keeps only these, a skill
library. Latest: recalls the last attempts, a buffer of reflections. Hasty: foresees nothing."""


def build(config: Config) -> LanguageModel:
    """Who reads and answers."""
    return open_language(config.language)


def run(config: Config, record: Run) -> Report:
    """All planners through the same episodes, for one seed."""
    # the same question is thought about once
    model = Remembered(practised(config, record, build(config)))
    lived = record.once("lives", lambda: live(config, record, model))
    measures = []
    for name in PLANNERS:
        rows = [row for row in lived["episodes"] if row["planner"] == name]
        measures += _measures(name, rows, config.episodes)
    mine = [row for row in lived["episodes"] if row["planner"] == "full"]
    area = area_under([row["voted"] for row in mine], [row["at_once"] for row in mine])
    measures.append(mean_measure("foresight/vote", [area], "area under the curve"))
    ledger = lived["ledger"]
    measures += [mean_measure(f"language/{n}", [float(v)], "") for n, v in ledger.items()]
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=measures,
        config=asdict(config),
        manifest=record.manifest,
        details={"curves": _curves(lived["episodes"], config.episodes), "trace": lived["trace"]},
    )


def practised(config: Config, record: Run, model: LanguageModel) -> LanguageModel:
    """The small model learns to read single attempts, of other technologies; others can."""
    if not isinstance(model, SmallLanguageModel):
        return model
    fitting = LanguageFitting(model, learning_rate=config.learning_rate, total=config.practice)
    for step in record.steps("practice", config.practice, keep={"fitting": fitting}):
        rng = record.rng(f"practice {step}")
        lessons = [
            (plan_from_memory if rng.random() < 0.4 else predict_outcome)(rng)
            for _ in range(config.lessons)
        ]
        record.log(fitting.update(model.batch(lessons, rng, row=_ROW)))
    return model


def live(config: Config, record: Run, model: LanguageModel) -> dict:
    """Episodes of all planners in all technologies, side by side."""
    workshops = [_Workshops(config, record, t) for t in range(config.technologies)]
    lives = lives_of(config, record)
    agent = mindful(Asking(model, budget=40 * config.max_steps), lives)
    episodes, trace = [], ""
    for number in range(config.episodes):
        tasks = [workshop.next() for workshop in workshops]
        minds = attempt_all(agent, [world for _, world in tasks], len(PLANNERS))
        for row, (mind, success) in enumerate(minds):
            goal = tasks[row // len(PLANNERS)][0]
            now = mind.facts["now"]
            episodes.append({
                "planner": PLANNERS[row % len(PLANNERS)],
                "technology": row // len(PLANNERS),
                "episode": number,
                "length": workshops[row // len(PLANNERS)].length[goal],
                "success": success,
                "at_once": success and now.failures == 0,
                "failures": now.failures,
                "foreseen": now.foreseen[0],
                "voted": now.voted[0],
            })  # fmt: skip
            if row == 0 and success and episodes[-1]["length"] >= config.hard:
                trace = "\n".join(mind.facts["told"])
        rate = np.mean([e["success"] for e in episodes[-len(minds) :: len(PLANNERS)]])
        record.log({"episode": number, "real/success": float(rate)})
    for row in episodes:
        row["hard"] = row["length"] >= config.hard
    return {"episodes": episodes, "trace": trace, "ledger": model.ledger.state_dict()}


def lives_of(config: Config, record: Run) -> list[Life]:
    """Planners of the first technology, then those of the second, and so on."""
    count, k = config.technologies, config.recalled
    memories = [{name: Memory() for name in PLANNERS} for _ in range(count)]
    lives = []
    for t, memory in enumerate(memories):
        recalls = {
            "none": nothing,
            "foreign": alike(memories[(t + 1) % count]["full"], k),
            "random": random_ones(memory["random"], k, record.rng(f"random {t}")),
            "latest": latest(memory["latest"], k),
        }
        keeps = {"successes": successes, "confused": confusing(record.rng(f"confused {t}"))}
        for name in PLANNERS:
            lives.append(
                Life(
                    memory[name],
                    recalls.get(name) or alike(memory[name], k),
                    keeps=keeps.get(name, list),
                    rounds=0 if name == "hasty" else config.rounds,
                    patience=config.patience,
                )
            )
    return lives


def attempt_all(
    agent: LanguageAgent, worlds: Sequence[RulesWorld], rows: int
) -> list[tuple[Mind, bool]]:
    """One episode of every planner; minds as they are at its end, and whether they succeeded."""
    texts = [text for world in worlds for text in world.reset(seed=0)[0]]
    minds = agent.initial(len(texts))
    done = np.zeros(len(texts), bool)
    won = np.zeros(len(texts), bool)
    last: list[Mind] = list(minds)
    told: list[list[str]] = [[] for _ in texts]
    while not done.all():
        before = minds
        commands, minds, _ = agent.act(texts, before)
        parts = [world.step(commands[i * rows : (i + 1) * rows]) for i, world in enumerate(worlds)]
        texts = [text for part in parts for text in part[0]]
        paid = np.concatenate([part[1] for part in parts])
        ended = np.concatenate([part[2] | part[3] for part in parts])
        for row in np.flatnonzero(~done):
            mind = minds[row]
            told[row] += [*mind.trace, f"command: {mind.command}"]
            won[row] |= paid[row] > 0
            if ended[row] or mind.facts["now"].is_over:
                settle(mind, texts[row])
                mind.facts["told"], last[row], done[row] = told[row], mind, True
                mind.facts["now"].is_over = True
    return list(zip(last, won.tolist(), strict=True))


class _Workshops:
    """A technology, and the tasks of a life in it."""

    def __init__(self, config: Config, record: Run, number: int):
        sizes = {n: getattr(config, n) for n in ("gathers", "builds", "crafts")}
        invention = record.seed_for(f"technology {number}") % 2**31
        self._rng = record.rng(f"tasks {number}")

        def world(goals: Sequence[str] | None) -> RulesWorld:
            return build_world(
                "text/workshop", len(PLANNERS), max_steps=config.max_steps, invention=invention,
                goals=goals, **sizes,
            )  # fmt: skip

        rules = world(None).rules
        assert isinstance(rules, Workshop)
        made = [law.material for law in rules.technology.builds]
        made += [law.item for law in rules.technology.crafts]
        self.length = {goal: len(rules.solution(goal)) for goal in made}
        goals = [goal for goal in made if self.length[goal] <= config.max_steps - config.patience]
        self._worlds = {goal: world([goal]) for goal in goals}
        self._left: list[str] = []

    def next(self) -> tuple[str, RulesWorld]:
        """The next task and its world: all tasks in random order, then all again."""
        if not self._left:
            self._left = self._rng.permutation(list(self._worlds)).tolist()
        goal = self._left.pop()
        return goal, self._worlds[goal]


def _measures(name: str, rows: Sequence[Mapping], episodes: int) -> list:
    """Success early and late in life at hard tasks, what was gained, and foresight."""
    hard = [row for row in rows if row["hard"]]
    third = episodes / 3
    early = [float(row["success"]) for row in hard if row["episode"] < third]
    late = [float(row["success"]) for row in hard if row["episode"] >= 2 * third]
    gain = [np.mean(late) - np.mean(early)] if early and late else []
    area = area_under([row["foreseen"] for row in rows], [row["at_once"] for row in rows])
    return [
        mean_measure(f"early/{name}", early, "success at hard tasks"),
        mean_measure(f"late/{name}", late, "success at hard tasks"),
        mean_measure(f"gain/{name}", gain, "success at hard tasks"),
        mean_measure(f"all/{name}", [float(row["success"]) for row in rows], "success"),
        mean_measure(f"failures/{name}", [float(r["failures"]) for r in rows], "failed commands"),
        mean_measure(f"foresight/{name}", [area], "area under the curve"),
    ]


def _curves(rows: Sequence[Mapping], episodes: int, parts: int = 6) -> dict[str, list[float]]:
    """Success at all tasks along life, in a few parts, by planner."""
    curves = {}
    for name in PLANNERS:
        mine = [row for row in rows if row["planner"] == name]
        part = [
            [r["success"] for r in mine if r["episode"] * parts // episodes == i]
            for i in range(parts)
        ]
        curves[name] = [round(float(np.mean(wins)), 4) for wins in part if wins]
    return curves


def area_under(scores: Sequence[float], wins: Sequence[bool]) -> float:
    """Probability that a success was given a higher chance than a failure; ties count one half.

    One half if there are only successes or only failures.
    """
    good = np.array([s for s, win in zip(scores, wins, strict=True) if win])
    bad = np.array([s for s, win in zip(scores, wins, strict=True) if not win])
    if not len(good) or not len(bad):
        return 0.5
    above = (good[:, None] > bad).mean() + 0.5 * (good[:, None] == bad).mean()
    return float(above)

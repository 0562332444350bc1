"""Early Experience: what becomes of the agent's own commands teaches it, without any reward.

Paper: Zhang et al. (2025), "Agent Learning via Early Experience", arXiv 2510.08558.
Claims: with as many updates as imitation alone, 1) foretelling first what other commands would have
    led to, and imitating then, does better; 2) so does imitation with reflections on it.
Differs: 1) Workshops of invented technology in words instead of eight environments; nothing is
    tested in a technology that was demonstrated. 2) The small language model of this package
    instead of models of 3 to 8 billion weights. 3) Demonstrations of a script that knows no more
    than the model is shown. 4) Alternatives are drawn among what is listed. 5) Next states leave
    out what never changes in an episode. 6) Reflections are written by a program from executed
    outcomes, not by a language model. 7) Ablations are mixed up within a technology. 8) No
    reinforcement learning afterwards.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

from mindseye.agents.language.agent import Asking, LanguageAgent, Thought
from mindseye.agents.language.tinkering import choose, take_notes, think_and_choose
from mindseye.core.card import Card, Claim
from mindseye.core.errors import ConfigError
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.evaluation.statistics import mean_measure
from mindseye.learners.language_fitting import LanguageFitting
from mindseye.models.language import open_language
from mindseye.models.language.small import Example, SmallLanguageModel
from mindseye.stages.early_experience import (
    Bench,
    Fork,
    branch,
    demonstrations,
    foretelling,
    imitating,
    mixed_up,
    play,
    proposals,
    reflecting,
    reflections,
)
from mindseye.worlds.text.build import build as build_world
from mindseye.worlds.text.workshop import Workshop

CARD = Card(
    slug="early_experience",
    number=22,
    title="Early Experience: Agent Learning via Early Experience",
    paper="arXiv 2510.08558",
    claims=[
        Claim(
            "Foretelling what other commands lead to, then imitation, beats imitation alone.",
            method="success/foretold",
            baseline="success/imitation",
            ablation="success/foretold_mixed_up",
            margin=0.03,
        ),
        Claim(
            "Imitation with reflections on what other commands led to beats imitation alone.",
            method="success/reflected",
            baseline="success/imitation",
            ablation="success/reflected_mixed_up",
            margin=0.03,
        ),
    ],
    differs=[
        "workshops of invented technology, in words, instead of eight environments",
        "the small language model of this package instead of Llama 3 and Qwen 2.5",
        "demonstrations of a script that knows no more than the model is shown",
        "alternatives drawn among what is listed",
        "next states without what never changes in an episode",
        "reflections written by a program from executed outcomes",
        "ablations mixed up within a technology",
        "no reinforcement learning afterwards",
    ],
    numbers={
        "cpu": "40 demonstrations in 8 technologies, 180 updates of 16 examples in every arm",
        "paper": "Llama-3.2-3B on ALFWorld: imitation 78.1 %, foretold 83.6 %, reflected 85.9 %",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options."""

    seed: int = 0
    """Of everything random, the technologies included."""
    language: str = "small"
    """The model every arm begins with, as for `open_language`: one that can be fitted here, so
    "small" or "small:FOLDER"."""
    technologies: int = 8
    """Demonstrated ones; each thing that is built or crafted there is made once."""
    alternatives: int = 3
    """Other commands tried at every moment of the demonstrations."""
    updates: int = 180
    """Of every arm; as many as imitation alone can use."""
    batch: int = 16
    """Examples per update."""
    learning_rate: float = 2e-3
    """At its height; it falls in every stage of an arm."""
    shares: Sequence[float] = ()
    """Parts of the demonstrations with which imitation and foretelling are compared, too."""
    tests: int = 8
    """Technologies of the demonstrated size in which all arms are tested; half as many larger
    ones."""
    temperature: float = 0.3
    """Of commands and thoughts in tests; at 0, whoever repeats a failure does so for ever."""
    max_steps: int = 30
    """Commands in an episode."""


PRESETS = {
    "smoke": Config(technologies=1, updates=4, batch=4, tests=2, max_steps=20),
    "cpu": Config(),
    "medium": Config(technologies=16, updates=600, batch=32, shares=(0.125, 0.25, 0.5), tests=64),
    "full": Config(
        language="small:language", technologies=400, updates=10_000, batch=64, learning_rate=3e-4,
        shares=(0.125, 0.25, 0.5), tests=200,
    ),
}  # fmt: skip

NEAR = {"gathers": 3, "builds": 1, "crafts": 4}
FAR = {"gathers": 4, "builds": 2, "crafts": 6}
"""Numbers of laws: of demonstrated technologies, and of larger ones that are only tested."""
_ROW = 256
"""Words per row of a batch; several examples share one."""


def build(config: Config) -> SmallLanguageModel:
    """A policy before all experience.

    Raises:
        ConfigError: If the model cannot be fitted here.
    """
    model = open_language(config.language)
    if not isinstance(model, SmallLanguageModel):
        raise ConfigError(
            f"early_experience: {config.language!r} cannot be fitted here; use small:FOLDER with a"
            " model of mindseye fit-language"
        )
    return model


def run(config: Config, record: Run) -> Report:
    """Demonstrate, branch, learn in five ways, test in technologies never seen."""
    beginner = build(config)
    shown = demonstrations(beginner, benches(config, record, "shown", config.technologies, NEAR))
    others = record.once(
        "alternatives",
        lambda: proposals(beginner, shown, config.alternatives, record.seed_for("alternatives")),
    )
    branches = branch(shown, others)
    counts = {"moments": len(shown), "branches": sum(map(len, branches))}
    measures = [mean_measure(f"data/{name}", [float(n)], "") for name, n in counts.items()]

    said, half = imitating(shown), config.updates // 2
    every = [*shown, *(fork for forks in branches for fork in forks)]
    outcomes, thoughts = [fork.outcome for fork in every], reflections(shown, branches)
    told = foretelling(every, outcomes)
    mixed = foretelling(every, mixed_up(every, outcomes, record.rng("outcomes")))
    thought = reflecting(shown, thoughts)
    foreign = reflecting(shown, mixed_up(shown, thoughts, record.rng("thoughts")))
    arms: dict[str, list[tuple[list[Example], int]]] = {
        "imitation": [(said, config.updates)],
        "foretold": [(told, half), (said, config.updates - half)],
        "foretold_mixed_up": [(mixed, half), (said, config.updates - half)],
        "reflected": [(said + thought, config.updates)],
        "reflected_mixed_up": [(said + foreign, config.updates)],
    }
    for share in config.shares:
        few = max(1, round(share * len(shown)))
        told = foretelling(some := _some(shown, branches, few), [fork.outcome for fork in some])
        arms[f"imitation/{share}"] = [(said[:few], config.updates)]
        arms[f"foretold/{share}"] = [(told, half), (said[:few], config.updates - half)]
    for name, phases in arms.items():
        model = learn(config, record, name, phases)
        think = think_and_choose if name.startswith("reflected") else choose
        measures += test(config, record, name, model, think)
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=measures,
        config=asdict(config),
        manifest=record.manifest,
        details={"reflections": thoughts[:8]},
    )


def benches(config: Config, record: Run, purpose: str, count: int, sizes: dict) -> list[Bench]:
    """Every task of a number of technologies that nobody else is given."""
    found: list[Bench] = []
    for number in range(count):
        invention = record.seed_for(f"{purpose} {number}")
        rules = build_world("text/workshop", 1, invention=invention, **sizes).rules
        assert isinstance(rules, Workshop)
        found += [
            partial(
                build_world, "text/workshop", invention=invention, goals=[thing],
                max_steps=config.max_steps, **sizes,
            )
            for thing in rules.things[sizes["gathers"] :]
        ]  # fmt: skip
    return found


def learn(
    config: Config, record: Run, name: str, phases: Sequence[tuple[list[Example], int]]
) -> SmallLanguageModel:
    """A model that began like all others, after some examples and then others."""
    model = build(config)
    for number, (examples, updates) in enumerate(phases):
        fitting = LanguageFitting(model, learning_rate=config.learning_rate, total=updates)
        stage = f"{name}/{number}".replace(".", "_")
        rng = record.rng(f"batches {number}")
        for _ in record.steps(stage, updates, keep={"fitting": fitting, "rng": rng}):
            drawn = [examples[i] for i in rng.integers(len(examples), size=config.batch)]
            record.log(fitting.update(model.batch(drawn, rng, row=_ROW)))
    return model


def test(
    config: Config, record: Run, name: str, model: SmallLanguageModel, think: Thought
) -> list[Measure]:
    """Success, failures and foreseeable failures, in technologies of both sizes."""
    measures = []
    for where, sizes, count in (("", NEAR, config.tests), ("far/", FAR, config.tests // 2)):
        tasks = benches(config, record, f"test {where}", count, sizes)

        def attempt(tasks: list[Bench] = tasks) -> list[tuple[float, ...]]:
            ask = Asking(model, max_tokens=48, temperature=config.temperature)
            played = play(LanguageAgent(ask, [take_notes, think]), tasks)
            return [
                (float(p.success), p.failed / len(p.forks), p.known_to_fail / len(p.forks))
                for p in played
            ]

        rows = record.once(f"test {where}{name}", attempt)
        for column, (kind, unit) in enumerate(_KINDS):
            values = [row[column] for row in rows]
            measures.append(mean_measure(f"{where}{kind}/{name}", values, unit))
    return measures


_KINDS = (
    ("success", "share of tasks"),
    ("failed", "share of commands"),
    ("foreseeable", "share of commands"),
)


def _some(shown: Sequence[Fork], branches: Sequence[Sequence[Fork]], few: int) -> list[Fork]:
    return [*shown[:few], *(fork for forks in branches[:few] for fork in forks)]

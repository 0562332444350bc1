"""DreamGym: an agent practises in a shop that a language model imagines, then shops for real.

Paper: Chen et al. (2025), "Scaling Agent Learning via Experience Synthesis", arXiv 2511.03773.
Claims: 1) A policy that practised only in a reasoning experience model does better in reality than
    imitation of the transitions the model was fitted to, and better than practice in a model that
    does not reason. 2) After such practice, a tenth of the real steps is worth more than the same
    steps without practice.
Differs: 1) A small shop (`text/shop`) instead of WebShop, ALFWorld and WebArena. 2) The experience
    model is a word transformer fitted from nothing to 4,000 real transitions; the paper fine-tunes
    Llama-3.1-8B. 3) Reasons are written by a program that compares texts, not by a language model.
    4) The policy is a small network that scores what is listed, not a language model; all policies
    begin by imitation. 5) Retrieval looks among real transitions only; the paper adds imagined
    ones. 6) Tasks are varied by exchanging words with a like task, not by the model. 7) Actions
    that are not listed are answered without asking the model. 8) GRPO only; the paper has PPO, too.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from mindseye.agents.reading import ReadingAgent
from mindseye.core.card import Card, Claim
from mindseye.core.checkpoint import write_atomic
from mindseye.core.episode import Episode, Origin
from mindseye.core.protocols import Agent
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.core.task import Task
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.transcripts import judge_steps, tell
from mindseye.evaluation.truth import attempt
from mindseye.experience import rollout
from mindseye.learners.group_policy import GroupPolicy, decisions
from mindseye.models.language import LANGUAGE, open_language
from mindseye.models.language.small import SmallLanguageModel, texts_of
from mindseye.models.language.words import Vocabulary
from mindseye.models.policy.text import TextPolicy
from mindseye.models.world.language import LanguageWorldModel
from mindseye.models.world.recall import NearestTransitions
from mindseye.models.world.transcript import Explain, Transition, answer, question, transitions
from mindseye.stages.places import SHOP, Place
from mindseye.stages.words import fit_to_steps, imitate_words
from mindseye.tasks import VarianceCurriculum, exchange_words
from mindseye.worlds import DreamWorld
from mindseye.worlds.starts import first_observations

CARD = Card(
    slug="dreamgym",
    number=10,
    title="DreamGym: Scaling Agent Learning via Experience Synthesis",
    paper="arXiv 2511.03773",
    claims=[
        Claim(
            "Practice in a reasoning experience model alone beats imitation of the data behind it.",
            method="success/dream",
            baseline="success/imitation",
            ablation="success/dream_no_reasons",
            margin=0.03,
        ),
        Claim(
            "After it, a tenth of the real steps is worth more than the same steps alone.",
            method="success/dream_then_real",
            baseline="success/real_tenth",
            ablation="success/dream_no_reasons_then_real",
        ),
    ],
    differs=[
        "a small shop of words instead of WebShop, ALFWorld and WebArena",
        "the experience model is a word transformer fitted from nothing, not Llama-3.1-8B",
        "reasons written by a program that compares texts",
        "the policy scores what is listed, and begins by imitation; it is no language model",
        "retrieval among real transitions only",
        "tasks varied by exchanging words with a like task",
        "actions that are not listed are answered without asking the model",
        "GRPO only",
    ],
    numbers={
        "cpu": "4,000 real transitions, experience model of 0.35 M parameters",
        "paper": "WebShop: 63.9 % with no real steps, 65.0 % with 80,000, 35.1 % by imitation",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options."""

    seed: int = 0
    """Of everything random, the shop's catalogue included."""
    language: str = ""
    """A language model as in `open_language`, used as it is; empty: MINDSEYE_LANGUAGE, or one that
    is fitted here."""
    transitions: int = 4_000
    """Real steps known beforehand: half of a careless shopper's, half by chance."""
    noise: float = 0.5
    """Probability that the careless shopper does anything that is listed."""
    clone_updates: int = 300
    """Of the imitation that every policy begins with, 64 decisions each."""
    updates: int = 420
    """Of each experience model."""
    batch: int = 16
    """Transitions per update."""
    units: int = 96
    """Width of the experience model."""
    layers: int = 3
    """Of the experience model."""
    neighbours: int = 1
    """Similar real transitions that the experience model is shown."""
    answer_tokens: int = 160
    """The longest answer of the experience model."""
    iterations: int = 25
    """Of practice in the dream, and of the longest practice in reality."""
    tasks: int = 16
    """Per iteration."""
    attempts: int = 8
    """At each of them."""
    real_share: float = 0.1
    """Of the iterations, for those that have few real steps."""
    varied: float = 0.5
    """Largest share of varied tasks."""
    learning_rate: float = 2e-3
    """Of practice."""
    test_episodes: int = 512
    """Of every policy."""
    ablations: bool | None = None
    """Whether to practise twice more: in a model without retrieval, and at tasks drawn uniformly.
    None is no; folders of runs that did not know this option go on."""
    world: str | None = None
    """Another world than the shop: text/household, or, with the extras `alfworld` and `text`,
    alfworld/TASK, textworld, scienceworld/TASK."""


_ABROAD: dict[str, Any] = {
    "transitions": 2_000, "updates": 4_000, "units": 192, "layers": 4, "iterations": 12, "tasks": 8,
    "attempts": 4, "test_episodes": 48,
}  # fmt: skip
"""Sizes for worlds of others: longer texts, at 30 to 300 steps per second."""

PRESETS = {
    "smoke": Config(
        transitions=200, clone_updates=10, updates=4, batch=4, units=32, layers=2,
        answer_tokens=24, iterations=2, tasks=2, attempts=4, real_share=0.5, test_episodes=16,
    ),
    "cpu": Config(),
    "medium": Config(ablations=True),
    "medium-alfworld": Config(
        world="alfworld/any", noise=0.3, neighbours=2, answer_tokens=240, **_ABROAD
    ),
    "medium-textworld": Config(
        world="textworld", noise=0.3, neighbours=2, answer_tokens=320, **_ABROAD
    ),
    "medium-scienceworld": Config(
        world="scienceworld/find-living-thing", noise=0.1, answer_tokens=900, **_ABROAD
    ),
    "full": Config(
        transitions=10_000, language="remote:llama-3.1-8b@http://localhost:8000/v1", neighbours=4,
        iterations=100, tasks=64, attempts=8, clone_updates=2_000,
    ),
}  # fmt: skip

HEADS, RARE = 4, 0.02
"""Words in a smaller share of the texts are names: they are read and said, but mean nothing."""


def build(config: Config, words: Sequence[str] = ()) -> dict[str, nn.Module]:
    """A policy, and an experience model that knows these words."""
    sizes = {"units": config.units, "layers": config.layers, "heads": HEADS}
    return {
        "policy": TextPolicy(),
        "language": SmallLanguageModel(Vocabulary(words), **sizes),
    }


def run(config: Config, record: Run) -> Report:
    """Imitate, fit two experience models, practise in each, then in reality."""
    place = Place(config.world or SHOP, seed=config.seed)
    try:
        return _run(config, record, place)
    finally:
        place.close()


def _run(config: Config, record: Run, place: Place) -> Report:
    known = gather(config, record, place)
    steps = steps_of(known, "known", place.explain)
    cloned = imitate_words(record, known, config.clone_updates)
    unseen = gather(config, record, place, purpose="held out", steps=config.transitions // 4)
    held = steps_of(unseen, "held out", place.explain)
    policies, measures, counts, models = {"imitation": cloned}, [], {}, {}
    for name, reasons in (("dream", True), ("dream_no_reasons", False)):
        model = experience_model(config, record, name, steps, reasons=reasons)
        measures += audit(record, name, model, held)
        policies[name] = dream(config, record, name, model, cloned, known, place)
        models[name] = model, model.state_dict()
        measures += compare(config, record, name, model, policies[name], place)
        counts[name] = {**model.counts, **model.language.ledger.state_dict()}
    few = max(1, round(config.real_share * config.iterations))
    spent = {"imitation": 0, "dream": 0, "dream_no_reasons": 0}
    for name, start, iterations in (
        ("real_tenth", "imitation", few),
        ("dream_then_real", "dream", few),
        ("dream_no_reasons_then_real", "dream_no_reasons", few),
        ("real", "imitation", config.iterations),
    ):
        policies[name], spent[name] = practise(
            config, record, name, policies[start], place, iterations
        )
    agents: dict[str, Agent] = {name: ReadingAgent(p) for name, p in policies.items()}
    agents["chance"] = place.demonstrator(1.0, record.seed_for("chance"))
    measures += [test(config, record, name, agent, place) for name, agent in agents.items()]
    measures += [mean_measure(f"real_steps/{n}", [v], "steps") for n, v in spent.items()]
    if config.ablations:
        bare = experience_model(
            replace(config, neighbours=0), record, "dream_no_retrieval", steps, reasons=True
        )
        measures += audit(record, "dream_no_retrieval", bare, held)
        same, answered = models["dream"]
        # what it said since then depends on whether this run was stopped
        same.load_state_dict(answered)
        for name, model, varied in (
            ("dream_no_retrieval", bare, config.varied), ("dream_uniform", same, 0.0),
        ):  # fmt: skip
            policy = dream(
                replace(config, varied=varied), record, name, model, cloned, known, place
            )
            measures += compare(config, record, name, model, policy, place)
            measures.append(test(config, record, name, ReadingAgent(policy), place))
    return Report(
        name=CARD.slug, preset="", seeds=[config.seed], measures=measures, config=asdict(config),
        manifest=record.manifest, details={"answers": counts, "known_steps": len(steps)},
    )  # fmt: skip


def gather(
    config: Config, record: Run, place: Place, purpose: str = "known", steps: int | None = None
) -> list[Episode]:
    """Real episodes: half of a careless demonstrator, half by chance."""
    episodes, half, world = [], (steps or config.transitions) // 2, place.worlds(16)
    for noise in (config.noise, 1.0):
        seed = record.seed_for(f"{purpose}/{noise}") % 2**30
        origin = Origin("real", place.name, agent="chance" if noise == 1.0 else "careless")
        shopper = place.demonstrator(noise, seed)
        episodes += rollout(shopper, world, origin=origin, steps=half, seed=seed)
    return episodes


def steps_of(episodes: Sequence[Episode], purpose: str, explain: Explain) -> list[Transition]:
    """All transitions, each with the reason for it."""
    return [s for i, e in enumerate(episodes) for s in transitions(e, f"{purpose} {i}", explain)]


def experience_model(
    config: Config, record: Run, name: str, steps: Sequence[Transition], *, reasons: bool
) -> LanguageWorldModel:
    """A world model that recalls these steps, its language model fitted to them or given."""
    recall = NearestTransitions(steps)
    options = {
        "neighbours": config.neighbours, "history": 1, "reasons": reasons,
        "max_tokens": config.answer_tokens,
    }  # fmt: skip
    if spec := config.language or os.environ.get(LANGUAGE, ""):
        return LanguageWorldModel(open_language(spec), recall=recall, **options)
    past = [step.past[-1] for step in steps]
    # a step is not explained by its own episode, as none in the dream will be
    alike = recall.nearest(past, config.neighbours, without=[step.source for step in steps])
    lessons = [
        (question(step.task, step.past[-1:], near, reasons=reasons), told)
        for step, near, told in zip(
            steps, alike, (answer(step.outcome, reasons=reasons) for step in steps), strict=True
        )
    ]
    record.seed_torch(f"{name}/language")
    words = Vocabulary.of(texts_of(lessons), share=RARE).words
    language = build(config, words)["language"]
    fit_to_steps(
        record, f"{name}/fit", language, lessons, [s.outcome.done for s in steps],
        updates=config.updates, batch=config.batch,
    )  # fmt: skip
    return LanguageWorldModel(language, recall=recall, **options)


def dream(
    config: Config, record: Run, name: str, model: LanguageWorldModel, start: TextPolicy,
    known: Sequence[Episode], place: Place,
) -> TextPolicy:  # fmt: skip
    """Practice in the dream; tasks are those of the known episodes, and variations."""
    seeds = [Task(text) for text in dict.fromkeys(e.observations[0] for e in known)]
    source = VarianceCurriculum(
        seeds, vary=partial(exchange_words, pool=seeds), share=config.varied, best=config.tasks
    )
    policy, learner = _beginner(config, record, name, start)
    origin = Origin("imagined", name)
    rng, size = record.rng(name), config.tasks * config.attempts
    keep = {"learner": learner, "rng": rng, "source": source, "model": model}
    keep["ledger"] = model.language.ledger
    for step in record.steps(name, config.iterations, keep=keep):
        tasks = [t for t in source.sample(config.tasks, rng) for _ in range(config.attempts)]
        begun = first_observations([task.instruction for task in tasks], model.action_space)
        world = DreamWorld(model, size, starts=lambda n, _, b=begun: b, horizon=place.horizon)
        agent = ReadingAgent(policy, seed=int(rng.integers(2**31)))
        played = rollout(agent, world, origin=origin, episodes=size, explore=True)
        played = [replace(e, task=task) for e, task in zip(played, tasks, strict=True)]
        source.observe(played)
        groups = np.arange(size) // config.attempts
        record.log(learner.update(decisions(played, groups)) | {"answers": model.counts["asked"]})
        if step == config.iterations - 1:
            shown = [task.instruction for task in tasks[:: config.attempts]]
            text = tell(model, ReadingAgent(policy), shown, place.horizon)
            write_atomic(record.folder / "media" / f"{name}.txt", text)
    return policy


def practise(
    config: Config, record: Run, name: str, start: TextPolicy, place: Place, iterations: int
) -> tuple[TextPolicy, int]:
    """Practice in reality, and the real steps it took."""
    policy, learner = _beginner(config, record, name, start)
    rng, origin = record.rng("practice"), Origin("real", place.name, agent=name)
    world = place.worlds(config.tasks * config.attempts)
    for _ in record.steps(name, iterations, keep={"learner": learner, "rng": rng}):
        seeds = rng.integers(2**30, size=config.tasks).repeat(config.attempts)
        agent = ReadingAgent(policy, seed=int(rng.integers(2**31)))
        played = rollout(
            agent, world, origin=origin, episodes=len(seeds), seed=seeds.tolist(), explore=True
        )
        groups = np.arange(len(seeds)) // config.attempts
        record.log(learner.update(decisions(played, groups)) | {"steps": sum(map(len, played))})
    rows = [row for row in record.metrics() if row["stage"] == name]
    return policy, int(sum(row["steps"] for row in rows))


def _beginner(
    config: Config, record: Run, name: str, start: TextPolicy
) -> tuple[TextPolicy, GroupPolicy]:
    policy = TextPolicy()
    policy.load_state_dict(start.state_dict())
    learner = GroupPolicy(
        policy, seed=record.seed_for(name), learning_rate=config.learning_rate, entropy_weight=0.01
    )
    return policy, learner


def test(config: Config, record: Run, name: str, agent: Agent, place: Place) -> Measure:
    """Real success of a policy that takes the likeliest."""
    origin, count = Origin("real", place.name, agent=name), config.test_episodes

    def play() -> list[float]:
        seed = record.seed_for("test") % 2**30
        world = place.worlds(min(256, count))
        played = rollout(agent, world, origin=origin, episodes=count, seed=seed)
        return [float(e.rewards.sum()) for e in played]

    return mean_measure(f"success/{name}", record.once(f"test/{name}", play), "share")


def audit(
    record: Run, name: str, model: LanguageWorldModel, steps: Sequence[Transition]
) -> list[Measure]:
    """How true the model is to held-out steps: a quarter of them, and all that end episodes."""

    def judge() -> dict[str, list[float]]:
        some = judge_steps(model, steps[: len(steps) // 4])
        ends = judge_steps(model, [step for step in steps if step.outcome.done])
        return {**ends, "slots": some["slots"], "unusable": some["unusable"]}

    judged = record.once(f"{name}/audit", judge)
    return [mean_measure(f"audit/{k}/{name}", values, "share") for k, values in judged.items()]


def compare(
    config: Config, record: Run, name: str, model: LanguageWorldModel, policy: TextPolicy,
    place: Place,
) -> list[Measure]:  # fmt: skip
    """The same tasks in the dream and in reality."""

    def both() -> dict[str, list[float]]:
        real = place.worlds(min(128, config.test_episodes))
        seed = record.seed_for("compare") % 2**30
        matched = attempt(
            name, ReadingAgent(policy), real=real, model=model, horizon=place.horizon, seed=seed,
            explore=False,
        )  # fmt: skip
        paid, dreamed = matched.returns()
        return {
            "dream": dreamed.tolist(),
            "gap": (paid - dreamed).tolist(),
            "only_dreamed": ((dreamed > 0) & (paid == 0)).astype(float).tolist(),
        }

    found = record.once(f"{name}/compare", both)
    return [mean_measure(f"truth/{what}/{name}", values, "share") for what, values in found.items()]

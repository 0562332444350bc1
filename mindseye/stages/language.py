"""Fitting the small language model to lessons; resumable like every stage."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mindseye.core.run import Run
from mindseye.learners.language_fitting import LanguageFitting
from mindseye.models.language.small import Example, SmallLanguageModel, texts_of
from mindseye.models.language.words import Vocabulary
from mindseye.stages.lessons import LESSONS, draw

_ROW = 256
"""Words per row of a batch; short lessons share rows."""
_RARE = 0.003
"""Words in a smaller share of lessons are names, which a reader must not know."""
_FOR_VOCABULARY = 4_000
"""Lessons of which the vocabulary is made."""


@dataclass(frozen=True, kw_only=True)
class LanguageConfig:
    """How the small language model is made."""

    updates: int = 1_800
    """Gradient steps."""
    batch: int = 32
    """Lessons per gradient step."""
    units: int = 192
    """Width."""
    layers: int = 4
    """Depth."""
    heads: int = 4
    """Of attention, per layer."""
    reach: int = 8
    """Words each layer blends before it attends: as many as stand between a name and its number."""
    learning_rate: float = 2e-3
    """At its height; Muon moves hidden weights twice as far."""


def fit_language(
    config: LanguageConfig, run: Run, start: SmallLanguageModel | None = None
) -> SmallLanguageModel:
    """A small language model, trained from nothing, or further.

    Args:
        config: Sizes count only for a model from nothing.
        run: Keeps checkpoints.
        start: A model to go on from; it is changed in place, and takes lessons of full size.
    """
    model = start or _from_nothing(config, run)
    fitting = LanguageFitting(model, learning_rate=config.learning_rate, total=config.updates)
    for step in run.steps("language", config.updates, keep={"fitting": fitting}):
        rng = run.rng(f"lessons {step}")
        progress = 1.0 if start is not None else step / config.updates
        lessons = [example for _, example in draw(rng, config.batch, progress)]
        metrics = fitting.update(model.batch(lessons, rng, row=_ROW))
        if step % 10 == 0:
            run.log(metrics)
    return model.eval()


def _from_nothing(config: LanguageConfig, run: Run) -> SmallLanguageModel:
    words = run.once("vocabulary", lambda: _vocabulary(run).words)
    vocabulary = Vocabulary(words)
    run.seed_torch("weights")
    sizes = {name: getattr(config, name) for name in ("units", "layers", "heads", "reach")}
    return SmallLanguageModel(vocabulary, **sizes)


def _vocabulary(run: Run) -> Vocabulary:
    lessons = draw(run.rng("vocabulary"), _FOR_VOCABULARY)
    return Vocabulary.of(texts_of(example for _, example in lessons), share=_RARE)


def lessons_hash(run: Run) -> str:
    """Of the first lessons the run learned: two runs with equal hashes learned the same."""
    digest = hashlib.sha256()
    for text in texts_of(example for _, example in draw(run.rng("lessons 0"), 64, 1.0)):
        digest.update(text.encode())
    return digest.hexdigest()[:16]


Change = Callable[[Example, np.random.Generator], Example]
"""What is done to a lesson before it is asked, such as shuffling what is to be read."""


def examine(
    model: SmallLanguageModel,
    rng: np.random.Generator,
    count: int,
    *,
    names: Sequence[str] = tuple(LESSONS),
    change: Change | None = None,
) -> Mapping[str, float]:
    """Share of lessons' last questions answered to the letter, on lessons never drawn before.

    Args:
        model: Judged.
        rng: Draws lessons.
        count: Of every kind.
        names: Kinds of lesson.
        change: Applied to every lesson first.
    """
    shares = {}
    for name in names:
        lessons = [LESSONS[name][0](rng, 1.0) for _ in range(count)]
        if change is not None:
            lessons = [change(lesson, rng) for lesson in lessons]
        answers = model.complete([messages for messages, _ in lessons], max_tokens=40)
        right = [a[0].text == expected for a, (_, expected) in zip(answers, lessons, strict=True)]
        shares[name] = float(np.mean(right))
    return shares

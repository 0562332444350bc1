"""Agents and models of words, fitted to what was seen."""

from collections.abc import Sequence

import numpy as np

from mindseye.core.episode import Episode
from mindseye.core.run import Run
from mindseye.learners.language_fitting import LanguageFitting
from mindseye.learners.text_cloning import TextCloning
from mindseye.models.language.small import Example, SmallLanguageModel
from mindseye.models.policy.text import TextPolicy


def imitate_words(
    record: Run, episodes: Sequence[Episode], updates: int, stage: str = "clone"
) -> TextPolicy:
    """A policy that does what led to success; what did not is left out.

    Args:
        record: Where the stage is kept.
        episodes: Of text; all of them count where none succeeded.
        updates: 64 decisions each.
        stage: Its name.
    """
    record.seed_torch("policy")
    policy = TextPolicy()
    learner, rng = TextCloning(policy), record.rng(stage)
    good = [e for e in episodes if e.rewards.sum() > 0] or episodes
    texts = [text for e in good for text in e.observations[:-1]]
    said = [action for e in good for action in e.actions]
    for step in record.steps(stage, updates, keep={"learner": learner, "rng": rng}):
        rows = rng.integers(len(said), size=64)
        batch = {"observation": [texts[i] for i in rows], "action": [said[i] for i in rows]}
        metrics = learner.update(batch)
        if step % 50 == 0:
            record.log(metrics)
    return policy


def fit_to_steps(
    record: Run,
    stage: str,
    language: SmallLanguageModel,
    lessons: Sequence[Example],
    is_end: Sequence[bool],
    *,
    updates: int,
    batch: int,
) -> None:
    """Fit a language model to say what steps lead to.

    From halfway on, half of every batch are last steps: few of all are, and only they pay.

    Args:
        record: Where the stage is kept.
        stage: Its name.
        language: Fitted in place.
        lessons: One per step.
        is_end: Which of them are last steps.
        updates: In all.
        batch: Lessons per update.
    """
    learner = LanguageFitting(language, learning_rate=2e-3, total=updates)
    rng = record.rng(stage)
    ends, half = np.flatnonzero(is_end), batch // 2
    for step in record.steps(stage, updates, keep={"learner": learner, "rng": rng}):
        rows = rng.integers(len(lessons), size=batch)
        if step >= updates // 2 and len(ends):
            rows[:half] = rng.choice(ends, half)
        metrics = learner.update(language.batch([lessons[i] for i in rows], rng))
        if step % 25 == 0:
            record.log(metrics)

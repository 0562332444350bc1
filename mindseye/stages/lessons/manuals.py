"""Lessons from manuals of technologies that were never seen before and never will be again."""

from collections.abc import Mapping

import numpy as np

from mindseye.core.protocols import Messages
from mindseye.models.language.prompts import render
from mindseye.models.language.small import Example
from mindseye.worlds.minicraft.invention import invented, invented_words
from mindseye.worlds.minicraft.manual import idle_sentences, manual, sentence
from mindseye.worlds.minicraft.plans import Law
from mindseye.worlds.minicraft.technology import Build, Gather, Technology


def drawn_technology(rng: np.random.Generator, size: float = 1.0) -> Technology:
    """Any technology up to a size in (0, 1]; the seeds of tests and reports are never drawn."""
    seed = int(rng.integers(1 << 32, 1 << 48))
    if rng.random() < 1 - 0.6 * size:
        return invented(seed, gathers=2, builds=1, crafts=int(rng.integers(1, 3)))
    gathers, builds = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    return invented(seed, gathers=gathers, builds=builds, crafts=int(rng.integers(2, 9)))


def command_in_words(law: Law) -> str:
    """Such as "get kelun"."""
    if isinstance(law, Gather):
        return f"get {law.item}"
    return f"build {law.material}" if isinstance(law, Build) else f"craft {law.item}"


def needs(rng: np.random.Generator, size: float = 1.0) -> Example:
    """Several questions about one manual; some about things it does not tell of."""
    technology = drawn_technology(rng, size)
    laws = [*technology.gathers, *technology.builds, *technology.crafts]
    said = {command_in_words(law): sentence(law, rng) for law in laws}
    told = [*said.values(), *idle_sentences(technology, rng, int(rng.integers(0, 4)))]
    rng.shuffle(told)
    asked: list[tuple[str, str]] = []
    for _ in range(min(6, len(laws))):
        if rng.random() < 0.1:
            verb = str(rng.choice(["get", "build", "craft"]))
            asked.append((f"{verb} {invented_words(rng, 1)[0]}", "unknown"))
        else:
            asked.append(list(said.items())[int(rng.integers(len(laws)))])
    prompts = [render("needs", manual="\n".join(told), command=command) for command, _ in asked]
    return conversation(prompts, [answer for _, answer in asked])


def relevant(rng: np.random.Generator, size: float = 1.0) -> Example:
    """Does a sentence tell something of use?"""
    technology = drawn_technology(rng, size)
    laws = manual(technology, rng)
    useful = rng.random(4) < 0.5
    idle = idle_sentences(technology, rng, 4)
    chosen = [laws[int(rng.integers(len(laws)))] if u else idle[i] for i, u in enumerate(useful)]
    prompts = [render("relevant", sentence=sentence) for sentence in chosen]
    return conversation(prompts, ["yes" if u else "no" for u in useful], whole=True)


def conversation(
    prompts: list[Messages], answers: list[str], *, lines: int = 1, whole: bool = False
) -> Example:
    """Questions and answers in a row; after the first only the last `lines` are said again."""
    messages: list[Mapping[str, str]] = [prompts[0][1]]
    for prompt, answer in zip(prompts[1:], answers, strict=False):
        content = prompt[1]["content"]
        messages.append({"role": "assistant", "content": answer})
        asked = content if whole else "\n".join(content.split("\n")[-lines:])
        messages.append({"role": "user", "content": asked})
    return messages, answers[-1]

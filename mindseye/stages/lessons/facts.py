"""The first lesson: look up what was said of a name. All other reading is built on it."""

import numpy as np

from mindseye.core.protocols import Messages
from mindseye.models.language.small import Example
from mindseye.stages.lessons.manuals import conversation
from mindseye.worlds.minicraft.invention import invented_words

_SAID = ("{a} needs {b}.", "{a} comes from {b}.", "{a} gives {b}.", "{a}: {b}.")
_ASKED = ("question: what is needed for {a}?", "question: what of {a}?", "question: {a}?")


def facts(rng: np.random.Generator, size: float = 1.0) -> Example:
    """A few facts, whatever the size, and a question about each."""
    count = int(rng.integers(2, 7))
    names = invented_words(rng, 2 * count)
    said = str(rng.choice(_SAID))
    pairs = dict(zip(names[:count], names[count:], strict=True))
    told = "\n".join(said.format(a=a, b=b) for a, b in pairs.items())
    asked = str(rng.choice(_ASKED))
    order = [names[i] for i in rng.permutation(count)]
    prompts: list[Messages] = [
        [{"role": "system", "content": ""}, {"role": "user", "content": f"{told}\n{question}"}]
        for question in (asked.format(a=name) for name in order)
    ]
    return conversation(prompts, [pairs[name] for name in order])

"""New tasks from old ones, told in words."""

from collections.abc import Sequence

import numpy as np

from mindseye.core.task import Task


def exchange_words(
    tasks: Sequence[Task], count: int, rng: np.random.Generator, *, pool: Sequence[Task]
) -> list[Task]:
    """Tasks that differ from one of `tasks` by a single word, which a like task of the pool has.

    Two tasks are alike if their first lines have as many words and all other lines are the same. A
    task that has no other like it is returned as it is.

    Args:
        tasks: What is varied; drawn with replacement.
        count: How many to return.
        pool: Where words come from.
    """
    alike: dict[tuple[int, str], list[Task]] = {}
    for task in pool:
        alike.setdefault(_form(task), []).append(task)
    return [_varied(tasks[int(rng.integers(len(tasks)))], alike, rng) for _ in range(count)]


def _varied(task: Task, alike: dict[tuple[int, str], list[Task]], rng: np.random.Generator) -> Task:
    words, rest = _words(task)
    others = alike.get(_form(task), [])
    options = sorted(
        {
            (i, word)
            for other in others
            for i, word in enumerate(_words(other)[0])
            if word != words[i]
        }
    )
    if not options:
        return task
    place, word = options[int(rng.integers(len(options)))]
    line = " ".join([*words[:place], word, *words[place + 1 :]])
    return Task("\n".join([line, *rest]), parent=task.id, author="written")


def _words(task: Task) -> tuple[list[str], list[str]]:
    first, *rest = task.instruction.split("\n")
    return first.split(" "), rest


def _form(task: Task) -> tuple[int, str]:
    words, rest = _words(task)
    return len(words), "\n".join(rest)

"""Steps of many visits as few batches: those of one stage and equal knobs go together."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mindseye.core.errors import MindseyeError
from mindseye.core.tree import Tree
from mindseye.studio.visits import Node, Side, Visit
from mindseye.studio.worlds import Company


@dataclass
class Going:
    """A step that a visit is about to take."""

    visit: Visit
    node: Node
    """From here."""
    action: Tree
    n: int | None
    """The page's own number of the input."""
    mind: tuple[str, Any] | None = None
    is_automatic: bool = False
    took: float = 0.0
    """Milliseconds of its batch."""


def step_together(
    going: Sequence[Going], company_of: Callable[[str], Company]
) -> Iterator[tuple[Going, Node | str]]:
    """Where every step leads: a new moment, or a sentence that says why to none."""
    groups: dict[tuple, list[Going]] = {}
    for step in going:
        key = step.visit.stage_name, tuple(step.visit.knobs.items())
        groups.setdefault(key, []).append(step)
    for (name, knobs), steps in groups.items():
        company = company_of(name)
        values = dict(knobs)
        for knob in company.stage.knobs:
            knob.apply(values[knob.name])
        yield from _together(company, steps)


def _together(company: Company, steps: Sequence[Going]) -> Iterator[tuple[Going, Node | str]]:
    began = time.perf_counter()
    try:
        dreams = company.dream.step([s.node.dream for s in steps], [s.action for s in steps])
        reals = _step_reality(company, steps)
        apart = company.apart(dreams, reals)
    except Exception as error:
        if len(steps) > 1:
            # one visitor's dream must not end that of another
            for step in steps:
                yield from _together(company, [step])
        else:
            yield steps[0], reason(error)
        return
    took = 1000 * (time.perf_counter() - began)
    for step, dream, real, far in zip(steps, dreams, reals, apart, strict=True):
        step.took = took
        yield step, _node(company, step, dream, real, far)


def _step_reality(company: Company, steps: Sequence[Going]) -> list[Side | None]:
    reals: list[Side | None] = [None] * len(steps)
    have = [(i, s.node.real) for i, s in enumerate(steps) if s.node.real is not None]
    if company.real is None or not have:
        return reals
    after = company.real.step([side for _, side in have], [steps[i].action for i, _ in have])
    for (i, _), side in zip(have, after, strict=True):
        reals[i] = side
    return reals


def _node(
    company: Company, step: Going, dream: Side, real: Side | None, apart: float | None
) -> Node:
    visit, before = step.visit, step.node
    parted = before.parted
    if parted is None and apart is not None and apart >= company.stage.parted:
        parted = visit.next_id
    return Node(
        visit.next_id, before.id, step.action, before.step + 1, dream, real, apart, parted,
        step.mind,
    )  # fmt: skip


def reason(error: Exception) -> str:
    """An error as a sentence for a page."""
    if isinstance(error, MindseyeError):
        return str(error)
    lines = str(error).strip().splitlines() or [""]
    return f"this failed ({type(error).__name__}: {lines[0][:200]}); go back or begin again"

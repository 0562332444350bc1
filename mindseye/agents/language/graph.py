"""Questions that build on one another: a directed graph, visited from the roots.

Every question sees the answers of its parents, and no others. That keeps prompts short, and makes
a model say what it needs to know before it says what it wants to do.

Source: Wu et al. (2023), "SPRING", arXiv 2305.15486, section 3.2.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from mindseye.agents.language.agent import Asking, Mind, Question, Thought
from mindseye.core.errors import ConfigError

Answers = Mapping[str, list[str]]
"""By node: its answers in one row."""


@dataclass(frozen=True)
class Node:
    """Questions that depend on the answers of others.

    Args:
        name: Of the node.
        ask: From a mind and the answers of the parents to any number of questions.
        parents: Names of the nodes whose answers it sees.
    """

    name: str
    ask: Callable[[Mind, Answers], Sequence[Question]]
    parents: Sequence[str] = ()


def question_graph(nodes: Sequence[Node]) -> Thought:
    """A thought that asks all nodes in order; answers are in `facts["answers"]`.

    Raises:
        ConfigError: If a parent does not exist, or the graph has a cycle.
    """
    by_name = {node.name: node for node in nodes}
    unknown = sorted({p for node in nodes for p in node.parents} - set(by_name))
    if unknown:
        raise ConfigError(f"question graph: no node {', '.join(unknown)}; add it")
    try:
        order = list(TopologicalSorter({n.name: n.parents for n in nodes}).static_order())
    except CycleError as error:
        raise ConfigError(f"question graph: {error.args[1]} lead to one another") from error

    def think(minds: Sequence[Mind], ask: Asking) -> None:
        for mind in minds:
            mind.facts["answers"] = {}
        for name in order:
            node = by_name[name]
            questions = [
                node.ask(mind, {p: mind.facts["answers"][p] for p in node.parents})
                for mind in minds
            ]
            for mind, answers in zip(minds, ask(minds, questions), strict=True):
                mind.facts["answers"] = {**mind.facts["answers"], name: answers}

    return think

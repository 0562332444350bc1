"""Studying a manual, and acting by it: what SPRING does, in worlds of gathering and crafting.

Study happens once: sentences of use are kept, and what everything needs is read out of them. From
then on a graph of questions is asked at every step: what is each thing lacking, which task is next,
which command furthers it.
"""

import re
from collections.abc import Mapping, Sequence

from mindseye.agents.language.agent import Asking, LanguageAgent, Mind, Question
from mindseye.agents.language.graph import Answers, Node, question_graph
from mindseye.core.errors import ConfigError

_COUNTED = re.compile(r"\d+ ([^\s,.]+)")
_SOURCE = re.compile(r"(?:into|comes from) ([^\s,.]+)")
_GIVES = re.compile(r"gives ([^\s,.]+)")
_FEELS = re.compile(r"Health \d[^.]*")
_VITAL = re.compile(r"(\w+) (\d+)")
_ACHIEVED = re.compile(r"Achieved: ([^.]*)")
_LOW = 4
"""Of 9: with so little food, drink or energy, what gives it is done again."""
_DEEP = 6
"""Sub-tasks within sub-tasks at the most."""


def study(ask: Asking, manual: Sequence[str], tasks: Sequence[str]) -> dict[str, str]:
    """What everything needs, by task: the sentence of the manual that says so.

    Args:
        ask: Who reads.
        manual: Sentences, useful and idle.
        tasks: Such as "craft fip" or "collect wood": looked up first, then whatever they need,
            until nothing new is named.
    """
    mind = Mind()
    relevant = ask(
        [mind],
        [[Question("relevant", {"sentence": s}, choices=("yes", "no")) for s in manual]],
    )[0]
    kept = "\n".join(s for s, answer in zip(manual, relevant, strict=True) if answer == "yes")
    notes: dict[str, str] = {}
    wanted = list(tasks)
    made = {task.split(" ", 1)[1] for task in wanted}
    while wanted:
        asked = [Question("needs", {"manual": kept, "command": task}) for task in wanted]
        mind.facts["asked"] = 0
        answers = ask([mind], [asked])[0]
        notes.update(zip(wanted, answers, strict=True))
        named = {n for a in answers for n in _COUNTED.findall(a)} - made
        wanted = [f"get {n}" for n in sorted(named) if f"get {n}" not in notes]
    return notes


def reader(
    ask: Asking, notes: Mapping[str, str], *, is_graph: bool = True, prompt: str = "act"
) -> LanguageAgent:
    """An agent that acts by what it noted.

    Args:
        ask: Who answers.
        notes: Of `study`; every task in them is worth doing, also one that says "unknown".
        is_graph: Ask step by step; otherwise the command is asked for at once, with all notes.
        prompt: Asks for a command: "act" where one walks into things, "do" where one faces them.
    """
    thoughts = [_remember]
    if is_graph:
        thoughts += [question_graph(_nodes(notes, prompt)), _decide]
    else:
        thoughts += [question_graph([Node("command", _at_once(notes, prompt))]), _decide]
    if prompt == "act":
        # where things are faced, doing the same once more may help
        thoughts.append(_turn_away)
    return LanguageAgent(ask, thoughts, begin=lambda: {"done": (), "last": "stay: nothing"})


def _nodes(notes: Mapping[str, str], prompt: str) -> list[Node]:
    known = {task: told for task, told in notes.items() if told != "unknown"}

    def missing(mind: Mind, answers: Answers) -> list[Question]:
        return [
            Question("missing", {"observation": mind.observation, "sentence": sentence})
            for sentence in known.values()
        ]

    def task(mind: Mind, answers: Answers) -> list[Question]:
        lacking = _lacking(known, answers["missing"])
        again = _wanted_again(mind, known)
        left = [t for t in notes if t not in mind.facts["done"] and t not in again]
        open_ = [(t, lacking.get(t, "unknown")) for t in (*again, *left)]
        if not open_:
            return []
        return [Question("task", {"tasks": open_}, choices=[t for t, _ in open_])]

    def command(mind: Mind, answers: Answers) -> list[Question]:
        if not answers["task"]:
            return []
        chosen = _first(answers["task"][0], _lacking(known, answers["missing"]))
        mind.facts["task"] = chosen
        needs = notes.get(chosen, "unknown")
        return [_act(mind, prompt, _in_words(chosen, needs), needs)]

    return [
        Node("missing", missing),
        Node("task", task, ["missing"]),
        Node("command", command, ["missing", "task"]),
    ]


def _lacking(notes: Mapping[str, str], answers: Sequence[str]) -> dict[str, str]:
    """What is missing, by task; what it was compared with stands before the colon."""
    return {task: said.split(": ")[-1] for task, said in zip(notes, answers, strict=True)}


def _wanted_again(mind: Mind, notes: Mapping[str, str]) -> list[str]:
    """Tasks that give what one is short of, as far as one is told how one feels."""
    feels = _FEELS.search(mind.observation)
    told = _VITAL.findall(feels[0]) if feels else []
    short = {name for name, left in told if int(left) <= _LOW}
    return [task for task, needs in notes.items() if short & set(_GIVES.findall(needs))]


def _at_once(notes: Mapping[str, str], prompt: str):
    def command(mind: Mind, answers: Answers) -> list[Question]:
        told = "; ".join(f"{task}: {needs}" for task, needs in notes.items())
        return [_act(mind, prompt, told, "")]

    return command


def _act(mind: Mind, prompt: str, task: str, needs: str) -> Question:
    values = {
        "observation": mind.observation, "last": mind.facts["last"], "task": task, "needs": needs,
        "commands": "; ".join(mind.admissible),
    }  # fmt: skip
    return Question(prompt, values)


def _first(task: str, lacking: Mapping[str, str]) -> str:
    """The sub-task that has to come first: follow what is missing until nothing is."""
    for _ in range(_DEEP):
        missing = lacking.get(task, "nothing")
        if missing in ("nothing", "unknown", ""):
            return task
        # names may be several words: "1 wood" and "wood pickaxe" end in what has to be had
        name = f" {' '.join(missing.split(',')[0].split())}"
        further = next((t for t in lacking if name.endswith(f" {t.split(' ', 1)[1]}")), None)
        if further is None:
            return task
        task = further
    return task


def _in_words(task: str, needs: str) -> str:
    """A task with where it is done: "get zat from dorv", "craft fip beside lomik"."""
    if task.startswith("get "):
        found = _SOURCE.search(needs)
        return f"{task} from {found[1]}" if found else task
    place = re.search(r"beside ([^\s,.]+)", needs)
    return f"{task} beside {place[1]}" if place and task.startswith("craft ") else task


def _remember(minds: Sequence[Mind], ask: Asking) -> None:
    """What the last command brought: things got, a way gone, or nothing."""
    for mind in minds:
        if mind.step < 2:
            continue
        achieved = _ACHIEVED.search(mind.observation)
        before, now = _held(mind.previous), _held(mind.observation)
        got = [item for item in now if now[item] > before.get(item, 0)]
        where, there = (t.split(" You hold")[0] for t in (mind.previous, mind.observation))
        became = f"got 1 {got[0]}" if got else "moved" if where != there else "nothing"
        mind.facts["last"] = f"{mind.command}: {became}"
        done = [f"{verb} {item}" for item in got for verb in ("get", "craft")]
        if mind.command.startswith("build ") and where != there:
            done.append(mind.command)
        if achieved:
            done += achieved[1].split(", ")
        mind.facts["done"] = tuple(dict.fromkeys([*mind.facts["done"], *done]))


def _held(text: str) -> dict[str, int]:
    listed = re.search(r"You hold ([^.]*)\.", text)
    if listed is None or listed[1] == "nothing":
        return {}
    return {name: int(n) for n, name in (part.split(" ", 1) for part in listed[1].split(", "))}


def _decide(minds: Sequence[Mind], ask: Asking) -> None:
    for mind in minds:
        if not mind.admissible:
            raise ConfigError("reader: an observation lists no commands; use a world of words")
        answers = mind.facts["answers"]["command"]
        # where the place is comes first, the command last
        said = answers[0].rstrip(".").split(". ")[-1] if answers else ""
        mind.command = said if said in mind.admissible else mind.admissible[0]


def _turn_away(minds: Sequence[Mind], ask: Asking) -> None:
    """Another command, where this one has lately led back here more than once."""
    for mind in minds:
        tried = mind.tried()
        others = [other for other in mind.admissible if other not in tried]
        if tried.count(mind.command) > 1 and others:
            mind.trace.append(f"led nowhere from here: {', '.join(dict.fromkeys(tried))}")
            mind.command = others[mind.step % len(others)]

"""Reads attempts as the prompts say they should be read. For tests of what is built on reading."""

import re


def answer(messages):
    text = messages[-1]["content"]
    *told, question = text.split("\n")
    lines = [line.removeprefix("tried: ") for line in told if line.startswith("tried: ")]
    if found := re.match(r"question: what must be had before (.*)\?", question):
        return _Known(lines, found[1]).needs()
    found = re.match(r"question: what will happen with (.*)\?", question)
    return _Known(lines, found[1]).outcome(told[-1].removeprefix("now: "))


class _Known:
    def __init__(self, lines, command):
        self.costs, self.built, self.hand, self.succeeded = {}, [], [], False
        for line in lines:
            if line.startswith(f"{command}: "):
                outcome, had, _ = line.removeprefix(f"{command}: ").split("; ")
                self._learn(_things(had.removeprefix("had ")), outcome)

    def _learn(self, had, outcome):
        if outcome.startswith("done, used "):
            self.costs, self.succeeded = _things(outcome.removeprefix("done, used ")), True
        elif found := re.fullmatch(r"you need (\d+) more (.*)", outcome):
            if not self.succeeded:
                self.costs[found[2]] = had.get(found[2], 0) + int(found[1])
        elif found := re.fullmatch(r"you need (.*) (built|in hand)", outcome):
            known = self.built if found[2] == "built" else self.hand
            known[:] = [found[1]]

    def needs(self):
        parts = [f"{count} {name}" for name, count in self.costs.items()]
        parts += [f"{name} built" for name in self.built]
        parts += [f"{name} in hand" for name in self.hand]
        return ", ".join(parts) or ("nothing" if self.succeeded else "unknown")

    def outcome(self, state):
        had, built = (part.split(" ", 1)[1] for part in state.split("; "))
        held = _things(had)
        for name in self.hand:
            if name not in held:
                return f"fails: you need {name} in hand"
        for name in self.built:
            if name not in built.split(", "):
                return f"fails: you need {name} built"
        lacks = {name: count - held.get(name, 0) for name, count in self.costs.items()}
        worst = max(lacks, key=lacks.get, default=None)
        if worst is not None and lacks[worst] > 0:
            return f"fails: you need {lacks[worst]} more {worst}"
        return "succeeds" if self.succeeded else "unknown"


def _things(text):
    if text == "nothing":
        return {}
    return {name: int(count) for count, name in (part.split(" ") for part in text.split(", "))}

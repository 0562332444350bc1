"""A language model as a world: it remembers, reasons, and writes down what happens next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from math import exp

import torch
from torch import Tensor

from mindseye.core.errors import ModelError
from mindseye.core.protocols import Completion, LanguageModel, Messages, Prediction, WorldModel
from mindseye.core.spaces import Words, commands
from mindseye.core.tree import Tree
from mindseye.models.world.recall import Recall
from mindseye.models.world.transcript import Outcome, Past, join, question, read, split

_NOTHING = "Nothing happens."


class LanguageWorldModel(WorldModel):
    """A world model whose states are texts: the task, and what was seen and done.

        model = LanguageWorldModel(language, recall=NearestTransitions(real))
        dream = DreamWorld(model, 64, starts=starts, horizon=12)

    One call of the language model serves all rows of a step; equal questions are asked once. An
    action that is not listed changes nothing, and nobody is asked. An answer that cannot be used
    even after `repairs` further tries is a failure: the episode ends with reward 0. All this is
    counted.

    Args:
        language: Answers the prompt `next_state`.
        recall: Finds real transitions like the one at hand; None: there are none.
        neighbours: How many of them.
        history: States and actions shown, the present ones included.
        reasons: Whether a line of reasoning comes before the next state.
        repairs: Further tries where an answer is of no use.
        max_tokens: Of an answer.
        remembered: Answers kept, so that equal questions have equal answers at no cost.

    Source: the reasoning experience model of DreamGym (2025), arXiv 2511.03773. Differs: strict
        reading and checks of what was written; equal questions have equal answers.
    """

    def __init__(
        self,
        language: LanguageModel,
        *,
        recall: Recall | None = None,
        neighbours: int = 2,
        history: int = 2,
        reasons: bool = True,
        repairs: int = 1,
        max_tokens: int = 160,
        remembered: int = 100_000,
    ):
        self.observation_space = self.action_space = Words()
        self.language, self.recall = language, recall
        self.neighbours, self.history, self.reasons = neighbours, history, reasons
        self.repairs, self.max_tokens, self.remembered = repairs, max_tokens, remembered
        self.counts: Counter[str] = Counter()
        """`steps` asked for, and of these: `unlisted`, `asked` (the others are remembered),
        `repaired`, `failed`."""
        self._known: dict[str, tuple[Outcome | None, float]] = {}

    def initial(self, batch_size: int) -> Tree:
        """Nothing seen."""
        zeros = torch.zeros(batch_size)
        return {
            "task": [""] * batch_size,
            "past": [()] * batch_size,
            "text": [""] * batch_size,
            "reason": [""] * batch_size,
            "reward": zeros,
            "continuation": torch.ones(batch_size),
            "doubt": zeros.clone(),
        }

    def observe(self, state: Tree, action: Tree, observation: Tree, is_first: Tensor) -> Tree:
        """What was really seen replaces what was imagined."""
        told = [split(text) for text in observation]
        past = [
            () if first else self._kept((*before, (text, said)))
            for first, before, text, said in zip(
                is_first.tolist(), state["past"], state["text"], action, strict=True
            )
        ]
        fresh = self.initial(len(told))
        return {**fresh, "task": [t for t, _ in told], "past": past, "text": [s for _, s in told]}

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """What is written comes next; rows that are over stay as they are."""
        tasks, texts = state["task"], state["text"]
        pasts = [
            self._kept((*before, (text, said)))
            for before, text, said in zip(state["past"], texts, action, strict=True)
        ]
        is_over = (state["continuation"] == 0).tolist()
        listed = [said in commands(text) for text, said in zip(texts, action, strict=True)]
        asked = [i for i, over in enumerate(is_over) if not over and listed[i]]
        self.counts.update(steps=len(texts) - sum(is_over))
        self.counts.update(unlisted=len(texts) - sum(is_over) - len(asked))
        found = dict(zip(asked, self.foresee([(tasks[i], pasts[i]) for i in asked]), strict=True))
        after = {name: _copied(leaf) for name, leaf in state.items()}
        after["reward"] = torch.zeros(len(texts))
        for i in range(len(texts)):
            if is_over[i]:
                continue
            outcome, doubt = found.get(i, (Outcome(_unmoved(texts[i]), 0.0, False), 0.0))
            if outcome is None:
                outcome = Outcome(_unmoved(texts[i]), 0.0, True)
            after["past"][i], after["text"][i] = pasts[i], outcome.state
            after["reason"][i], after["reward"][i] = outcome.reason, outcome.reward
            after["continuation"][i], after["doubt"][i] = float(not outcome.done), doubt
        return after

    def predict(self, state: Tree) -> Prediction:
        """The text with its task. The doubt is one minus the mean probability of a word written."""
        texts = [join(task, text) for task, text in zip(state["task"], state["text"], strict=True)]
        return Prediction(texts, state["reward"], state["continuation"], state["doubt"])

    def questions(self, steps: Sequence[tuple[str, Past]]) -> list[Messages]:
        """Prompts for tasks and what was seen and done in them, last of all the action."""
        pasts = [past[-self.history :] for _, past in steps]
        similar = self._similar([past[-1] for past in pasts])
        return [
            question(task, past, alike, reasons=self.reasons)
            for (task, _), past, alike in zip(steps, pasts, similar, strict=True)
        ]

    def foresee(self, steps: Sequence[tuple[str, Past]]) -> list[tuple[Outcome | None, float]]:
        """Outcomes and doubts; None where nothing useful was written."""
        asked = self.questions(steps)
        keys = [messages[-1]["content"] for messages in asked]
        new = {key: messages for key, messages in zip(keys, asked, strict=True)
               if key not in self._known}  # fmt: skip
        if len(self._known) + len(new) > self.remembered:
            self._known = {key: self._known[key] for key in keys if key in self._known}
        self.counts.update(asked=len(new))
        for attempt in range(self.repairs + 1):
            if not new:
                break
            said = self.language.complete(
                list(new.values()),
                max_tokens=self.max_tokens,
                temperature=0.5 if attempt else 0.0,
                seed=attempt,
            )
            for (key, messages), (completion, *_) in zip(list(new.items()), said, strict=True):
                outcome = self._read(completion, messages)
                if outcome is not None:
                    self._known[key] = outcome, _doubt(completion)
                    self.counts.update(repaired=int(attempt > 0))
                    del new[key]
        self.counts.update(failed=len(new))
        self._known |= dict.fromkeys(new, (None, 1.0))
        return [self._known[key] for key in keys]

    def state_dict(self) -> dict:
        """All answers so far: with them a run that was stopped goes on with equal answers."""
        known = {
            key: [None if outcome is None else astuple(outcome), doubt]
            for key, (outcome, doubt) in self._known.items()
        }
        return {"known": known, "counts": dict(self.counts)}

    def load_state_dict(self, state: Mapping) -> None:
        """Restore them."""
        self._known = {
            key: (None if outcome is None else Outcome(*outcome), doubt)
            for key, (outcome, doubt) in state["known"].items()
        }
        self.counts = Counter(state["counts"])

    def _read(self, completion: Completion, messages: Messages) -> Outcome | None:
        try:
            return read(completion.text, messages[1:], reasons=self.reasons)
        except ModelError:
            return None

    def _similar(self, queries: list[tuple[str, str]]) -> list:
        if self.recall is None or not queries:
            return [[] for _ in queries]
        return self.recall.nearest(queries, self.neighbours)

    def _kept(self, past: Past) -> Past:
        return past[-self.history :]


def _unmoved(text: str) -> str:
    return text if text.startswith(_NOTHING) else f"{_NOTHING}\n{text}"


def _doubt(completion: Completion) -> float:
    if not completion.log_probs:
        return 0.0
    return 1.0 - exp(sum(completion.log_probs) / len(completion.log_probs))


def _copied(leaf: list | Tensor) -> list | Tensor:
    return leaf.clone() if isinstance(leaf, Tensor) else list(leaf)

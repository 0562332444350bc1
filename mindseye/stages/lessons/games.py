"""Lessons in finding out rules from what happened, and in foreseeing by rules."""

import numpy as np

from mindseye.models.language.prompts import render
from mindseye.models.language.small import Example
from mindseye.stages.lessons.manuals import conversation
from mindseye.worlds.minicraft.invention import invented_words

WAYS = ("up", "down", "left", "right")
_ENDS = ("the game goes on", "the game ends, reward 0", "the game ends, reward 1")


class _Game:
    """Letters that do something when walked onto, and words that walk."""

    def __init__(self, rng: np.random.Generator):
        letters = rng.permutation(list("ABCDEFGHKLMNPQRSTUVWXYZ"))
        self.me, *self.ground = letters[: int(rng.integers(3, 6))].tolist()
        self.words = invented_words(rng, 4)
        self.way = dict(zip(self.words, rng.permutation(WAYS).tolist(), strict=True))
        fates = [_ENDS[0], *rng.choice(_ENDS, size=len(self.ground) - 1)]
        self.fate = dict(zip(self.ground, fates, strict=True))

    def line(self, rng: np.random.Generator, *, slips: float) -> tuple[str, str, str, str | None]:
        """A line of a transcript; its word, way and letter (None if nothing moved)."""
        word = self.words[int(rng.integers(4))]
        way = self.way[word] if rng.random() > slips else str(rng.choice(WAYS))
        if rng.random() < 0.15:
            return f"You did {word}: nothing moved. Reward 0.", word, "", None
        letter = self.ground[int(rng.integers(len(self.ground)))]
        fate = self.fate[letter]
        paid = 1 if "reward 1" in fate else 0
        over = " The game ended." if "ends" in fate else ""
        text = f"You did {word}: {self.me} moved {way} onto {letter}. Reward {paid}.{over}"
        return text, word, way, letter


def induce(rng: np.random.Generator, size: float = 1.0) -> Example:
    """Rules from a transcript, each with the rule believed before."""
    game = _Game(rng)
    lines = [game.line(rng, slips=0.1) for _ in range(int(rng.integers(1, 3 + round(10 * size))))]
    transcript = "\n".join(text for text, *_ in lines)
    prompts, answers = [], []
    for _ in range(6):
        if rng.random() < 0.5:
            word = game.words[int(rng.integers(4))]
            question = f"what does {word} do?"
            found = [way for _, w, way, letter in lines if w == word and letter is not None]
            rule = f"moves {game.me} {rng.choice(WAYS)}" if rng.random() < 0.5 else "unknown"
            answer = f"moves {game.me} {_most(found)}" if found else rule
        else:
            letter = game.ground[int(rng.integers(len(game.ground)))]
            question = f"what happens on {letter}?"
            rule = str(rng.choice(_ENDS)) if rng.random() < 0.5 else "unknown"
            seen = any(letter == at for *_, at in lines)
            answer = game.fate[letter] if seen else rule
        prompts.append(render("induce", transcript=transcript, rule=rule, question=question))
        answers.append(answer)
    return conversation(prompts, answers, lines=2)


def foresee(rng: np.random.Generator, size: float = 1.0) -> Example:
    """What a move leads to, by rules that may be incomplete."""
    game = _Game(rng)
    known = [f"{w} moves {game.me} {game.way[w]}." for w in game.words if rng.random() < 0.8]
    told = {letter for letter in game.ground if rng.random() < 0.8}
    known += [f"on {letter}: {game.fate[letter]}." for letter in told]
    rng.shuffle(known)
    around = {way: str(rng.choice([*game.ground, "edge"])) for way in WAYS}
    where = ", ".join(f"{way} is {letter}" for way, letter in around.items())
    surroundings = f"{game.me} stands here: {where}."
    prompts, answers = [], []
    for word in rng.permutation(game.words).tolist():
        prompts.append(
            render("foresee", rules="\n".join(known), surroundings=surroundings, action=word)
        )
        way = game.way[word]
        if not any(line.startswith(word) for line in known):
            answers.append("unknown.")
        elif around[way] == "edge":
            answers.append(f"{way} onto edge. nothing moves.")
        else:
            letter = around[way]
            fate = game.fate[letter] if letter in told else "unknown"
            answers.append(f"{way} onto {letter}. {fate}.")
    return conversation(prompts, answers)


def judge(rng: np.random.Generator, size: float = 1.0) -> Example:
    """Good or bad, by a playbook."""
    letters = rng.permutation(list("ABCDEFGHKLMNPQRSTUVWXYZ")).tolist()
    ground = letters[:5]
    verdicts = {letter: str(rng.choice(["seek", "avoid", "pass"])) for letter in ground[:4]}
    lines = [f"{letter}: {verdict}." for letter, verdict in verdicts.items()]
    rng.shuffle(lines)
    prompts, answers = [], []
    for _ in range(6):
        if rng.random() < 0.2:
            is_edge = rng.random() < 0.5
            outcome = f"{rng.choice(WAYS)} onto edge. nothing moves." if is_edge else "unknown."
            answer = "wasted" if is_edge else "open"
        else:
            letter = ground[int(rng.integers(5))]
            fate = str(rng.choice([*_ENDS, "unknown"]))
            outcome = f"{rng.choice(WAYS)} onto {letter}. {fate}."
            word = verdicts.get(letter, "pass")
            answer = {"seek": "good", "avoid": "bad", "pass": "open"}[word]
        prompts.append(render("judge", playbook="\n".join(lines), outcome=outcome))
        answers.append(answer)
    return conversation(prompts, answers, lines=2)


def _most(found: list[str]) -> str:
    """The most frequent; of several the one seen first."""
    return max(dict.fromkeys(found), key=found.count)

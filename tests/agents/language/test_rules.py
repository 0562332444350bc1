import re

import numpy as np
import pytest

from mindseye.agents.language.agent import Asking
from mindseye.agents.language.rules import Notes, player, reflect
from mindseye.core.episode import Origin
from mindseye.experience import rollout
from mindseye.models.language.cache import Remembered
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.recipes.cel import permuted, plant, share_right, true_rules
from mindseye.worlds import make


def reads_perfectly(messages):
    """A reader that makes no mistakes, to test what is built around one."""
    lines = messages[-1]["content"].split("\n")
    question = lines[-1].removeprefix("question: ")
    if question.startswith("what does"):
        word = question.split()[2]
        found = [re.search(r": (\S) moved (\S+) onto", x) for x in lines if f"did {word}:" in x]
        found = [f for f in found if f]
        return f"moves {found[-1][1]} {found[-1][2]}" if found else lines[-2].split(": ")[1]
    if question.startswith("what happens on"):
        sign = question.split()[3].rstrip("?")
        line = next(x for x in reversed(lines) if f"onto {sign}." in x)
        if "ended" not in line:
            return "the game goes on"
        return f"the game ends, reward {'1' if 'Reward 1' in line else '0'}"
    if question.startswith("what happens after"):
        word = question.split()[3].rstrip("?")
        moves = [re.search(rf"^{word} moves (\S) (\S+)\.", x) for x in lines]
        move = next((m for m in moves if m), None)
        if move is None:
            return "unknown."
        place = re.search(rf"{move[2]} is (\w+)", next(x for x in lines if "stands here" in x))[1]
        if place == "edge":
            return f"{move[2]} onto edge. nothing moves."
        fate = next((x.split(": ")[1] for x in lines if x.startswith(f"on {place}:")), "unknown.")
        return f"{move[2]} onto {place}. {fate}"
    outcome = next(x for x in lines if x.startswith("outcome"))
    if "nothing moves" in outcome:
        return "wasted"
    sign = re.search(r"onto (\S)\.", outcome)[1]
    verdict = next((x[3:-1] for x in lines if x.startswith(f"{sign}: ")), "pass")
    return {"seek": "good", "avoid": "bad", "pass": "open"}[verdict]


@pytest.fixture
def ask():
    return Asking(Remembered(ScriptedLanguageModel(reads_perfectly)), budget=1 << 20)


def lived(ask, episodes, *, rewrite=lambda index: True):
    world = make("puzzles/frozen-lake", 1, size=4, alphabet=100, max_steps=30)
    notes, won = Notes(), []
    agent = player(ask, notes, np.random.default_rng(100))
    for index in range(episodes):
        origin = Origin("real", "lake")
        (episode,) = rollout(agent, world, origin=origin, episodes=1, seed=100 + index)
        won.append(episode.total_reward > 0)
        reflect(ask, notes, [episode], rewrite=rewrite(index))
    return notes, won, world


def test_with_a_perfect_reader_rules_are_found_and_games_are_won(ask):
    notes, won, world = lived(ask, 16)
    assert share_right(notes, world) == 1.0
    assert sum(won[-6:]) >= 5


def test_rules_that_are_not_rewritten_stay(ask):
    notes, _, _ = lived(ask, 4, rewrite=lambda index: index == 0)
    assert notes.version == 1


def test_a_planted_rule_is_false_and_permuted_ones_are_no_longer_right(ask):
    notes, _, world = lived(ask, 16)
    assert share_right(permuted(notes), world) < 0.5
    plant(notes, np.random.default_rng(0))
    assert share_right(notes, world) == pytest.approx(6 / 7)


def test_true_rules_are_told_in_the_worlds_own_names():
    world = make("puzzles/frozen-lake", 1, size=4)
    rules = true_rules(world)
    assert rules["what does up do?"] == "moves A up"
    assert rules["what happens on B?"] == "the game ends, reward 1"
    assert rules["what happens on C?"] == "the game ends, reward 0"


def test_every_planted_rule_is_found_out_within_a_few_games(ask):
    """Believed to lead elsewhere, a command brings nothing; that must not be all there is."""
    notes, _, world = lived(ask, 16)
    agent, rng = player(ask, notes, np.random.default_rng(100)), np.random.default_rng(3)
    for index in range(4):
        plant(notes, rng)
        assert share_right(notes, world) < 1.0
        for game in range(4):
            seed = 1000 + 10 * index + game
            (episode,) = rollout(agent, world, origin=Origin("real", "lake"), episodes=1, seed=seed)
            boards = [text.split("\n", 1)[1] for text in episode.observations]
            moves = list(zip(boards, episode.actions, strict=False))
            assert len(moves) - len(set(moves)) <= 2
            reflect(ask, notes, [episode], rewrite=True)
    assert share_right(notes, world) == 1.0


def test_lines_that_say_the_same_do_not_push_out_others(ask):
    world = make("puzzles/frozen-lake", 1, size=4, alphabet=100, max_steps=30)
    notes = Notes()
    for seed in range(100, 140):
        (episode,) = rollout(
            player(ask, Notes(), np.random.default_rng(seed)), world,
            origin=Origin("real", "lake"), episodes=1, seed=seed,
        )  # fmt: skip
        reflect(ask, notes, [episode], rewrite=False)
    for question, lines in notes.lines.items():
        assert len(lines) == len(set(lines))
        if question.startswith("what does"):
            assert any(" moved " in line for line in lines)

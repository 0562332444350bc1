import numpy as np
import pytest

from mindseye.evaluation.land_scenarios import MUTATORS, SCENARIOS, mutants, situations
from mindseye.evaluation.states import (
    Clueless,
    OneProgram,
    Situation,
    Unmoved,
    judge,
    rank_of_truth,
    state_measures,
)
from mindseye.worlds.minicraft import FULL, Minicraft
from mindseye.worlds.minicraft.facts import Facts


@pytest.fixture(scope="module")
def facts():
    minicraft = Minicraft(
        FULL, size=8, view=0, is_wild=True, has_needs=True, observation="symbols", cell=4,
        max_steps=100,
    )  # fmt: skip
    return Facts(minicraft)


@pytest.fixture(scope="module")
def posed(facts):
    return situations(facts, 3, seed=100)


class Oracle:
    """Knows what comes."""

    def __init__(self, posed):
        self.after = {s.before.tobytes() + bytes([s.action]): s.after for s in posed}

    def log_prob(self, before, actions, after):
        return np.where((self.likeliest(before, actions) == after).all(1), 0.0, -9.0)

    def likeliest(self, before, actions):
        keys = [b.tobytes() + bytes([a]) for b, a in zip(before, actions, strict=True)]
        return np.stack([self.after[key] for key in keys])


def test_ranks_count_what_scores_higher_and_share_ties():
    assert rank_of_truth(np.array([0.0, -1.0, -2.0])) == (1.0, 1.0)
    assert rank_of_truth(np.array([-1.0, 0.0, -2.0])) == (0.0, 0.5)
    first, reciprocal = rank_of_truth(np.zeros(4))
    assert first == 0.25
    assert reciprocal == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_the_truth_is_the_ceiling_and_cluelessness_the_floor(facts, posed):
    perfect = {m.name: m.value for m in state_measures("x", judge(Oracle(posed), posed))}
    assert perfect == {"rank1/x": 1.0, "mrr/x": 1.0, "edits/x": 0.0, "edit_share/x": 0.0}
    unmoved = {m.name: m.value for m in state_measures("x", judge(Unmoved(), posed))}
    clueless = Clueless(facts.layout.domains, seed=0)
    lost = {m.name: m.value for m in state_measures("x", judge(clueless, posed))}
    assert lost["mrr/x"] < unmoved["mrr/x"] < 1
    assert lost["edits/x"] > unmoved["edits/x"] > 0


def test_one_program_is_right_or_wrong_at_once(posed):
    whole = OneProgram(Oracle(posed))
    before = np.stack([s.before for s in posed[:2]])
    actions = np.array([s.action for s in posed[:2]])
    after = np.stack([posed[0].after, posed[1].mutants[0]])
    assert whole.log_prob(before, actions, after).tolist() == [0.0, -1.0]


def test_equal_candidates_count_once():
    truth = np.array([1, 2])
    posed = [Situation("x", truth, 0, truth, np.array([[1, 2], [1, 2], [1, 3]]))]
    (judged,) = judge(Unmoved(), posed)
    assert (judged.first, judged.reciprocal, judged.edits, judged.facts) == (1.0, 1.0, 0, 2)


def test_every_scenario_shows_its_mechanic(facts, posed):
    names = facts.layout.names
    by_name = {name: [s for s in posed if s.scenario == name] for name in SCENARIOS}
    assert len(SCENARIOS) >= 10
    assert all(len(group) == 3 for group in by_name.values())

    def change(scenario, fact):
        column = names.index(fact)
        return [int(s.after[column] - s.before[column]) for s in by_name[scenario]]

    assert change("stone with a pickaxe", "items.stone") == [1, 1, 1]
    assert change("stone without a pickaxe", "items.stone") == [0, 0, 0]
    assert change("build a table", "items.wood") == [-2, -2, -2]
    assert change("build a table without wood", "items.wood") == [0, 0, 0]
    assert change("craft a pickaxe", "items.wood pickaxe") == [1, 1, 1]
    assert change("craft a pickaxe away from a table", "items.wood pickaxe") == [0, 0, 0]
    assert change("craft a sword", "items.sword") == [1, 1, 1]
    assert change("eat a cow", "vitals.food") == [6, 6, 6]
    assert all(step < 0 for step in change("slay a zombie", "zombies.0"))
    moved = [s.after[names.index("player")] != s.before[names.index("player")] for s in posed]
    walks = [s.scenario in ("walk on grass", "walk on sand") for s in posed]
    assert moved == walks


def test_mutants_differ_from_the_truth_and_from_each_other(facts, posed):
    assert len(MUTATORS) == 8
    for situation in posed:
        made = situation.mutants
        assert 4 <= len(made) <= 10
        assert (made != situation.after).any(1).all()
        assert len(np.unique(made, axis=0)) == len(made)
        assert (made >= 0).all()
        assert (made < facts.layout.domains).all()
    one = posed[0]
    few = mutants(facts.layout, one.before, one.after, np.random.default_rng(0), most=3)
    assert len(few) <= 3

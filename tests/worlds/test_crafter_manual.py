import numpy as np
import pytest

from mindseye.worlds.crafter import tables
from mindseye.worlds.crafter_manual import exchanged, laws, manual

SOME = {
    "collect": {
        "stone": {"require": {"wood_pickaxe": 1}, "receive": {"stone": 1}},
        "water": {"require": {}, "receive": {"drink": 1}},
        "grass": {"require": {}, "receive": {"sapling": 1}, "probability": 0.1},
    },
    "place": {"table": {"uses": {"wood": 2}, "where": ["grass", "sand"]}},
    "make": {"iron_sword": {"uses": {"wood": 1, "iron": 1}, "nearby": ["table", "furnace"]}},
}


def test_laws_are_told_as_the_tables_have_them():
    told = laws(SOME)
    assert told["collect stone"] == "face stone with wood pickaxe in hand and do"
    assert told["collect drink"] == "face water and do; this gives drink"
    assert told["collect sapling"] == "face grass and do; it takes many tries"
    assert told["place table"] == "have 2 wood and face grass or sand"
    assert told["make iron sword"] == (
        "have 1 wood and 1 iron, within one step of table and furnace"
    )


def test_a_manual_has_one_sentence_per_law_in_any_order():
    told = laws(SOME)
    first, second = (manual(told, np.random.default_rng(seed)) for seed in (0, 1))
    assert first != second
    assert sorted(first) == sorted(second)
    for task, how in told.items():
        assert f"To {task}, {how}." in first


def test_another_worlds_laws_all_differ():
    told = laws(SOME)
    other = exchanged(told, np.random.default_rng(0))
    assert list(other) == list(told)
    assert sorted(other.values()) == sorted(told.values())
    assert all(other[task] != told[task] for task in ("collect stone", "place table", "wake up"))


def test_every_achievement_of_crafter_has_its_law():
    crafter = pytest.importorskip(
        "crafter", reason='Crafter is missing: pip install "mindseye[crafter]"'
    )
    names = {name.replace("_", " ") for name in crafter.constants.achievements}
    assert set(laws(tables())) == names

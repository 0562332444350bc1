import numpy as np
import pytest

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import commands
from mindseye.worlds import check_world, make
from mindseye.worlds.minicraft import invented, manual
from mindseye.worlds.minicraft.invention import invented_words
from mindseye.worlds.minicraft.plans import plan_for


def test_invented_words_differ():
    words = invented_words(np.random.default_rng(0), 500)
    assert len(set(words)) == 500


def test_a_seed_is_a_technology():
    assert invented(100) == invented(100)
    assert invented(100) != invented(101)


def test_a_manual_tells_every_law_and_keeps_quiet_on_order():
    technology = invented(100)
    told = manual(technology, np.random.default_rng(0))
    laws = [*technology.gathers, *technology.builds, *technology.crafts]
    assert len(told) == len(laws)
    for law in technology.crafts:
        about = [s for s in told if law.item in s and "craft" in s.lower()]
        assert any(all(f"{n} {item}" in s for item, n in law.costs.items()) for s in about)
    assert told != manual(technology, np.random.default_rng(1))


def test_idle_sentences_tell_no_law():
    technology = invented(100)
    laws = manual(technology, np.random.default_rng(0))
    told = manual(technology, np.random.default_rng(0), idle=5)
    idle = [
        s
        for s in told
        if not any(w in s.lower() for w in ("craft", "build", "built", "get ", "comes"))
    ]
    assert len(idle) == 5
    assert len(told) == len(laws) + 5


def test_a_plan_uses_what_is_held_already():
    technology = invented(100)
    law = technology.crafts[0]
    stations = frozenset([law.near] if law.near else [])
    assert plan_for(technology, law.item, dict(law.costs), stations) == [f"craft {law.item}"]


def test_a_country_is_told_and_told_what_to_do():
    world = make("minicraft/country", 2, observation="text", invention=100)
    texts, _ = world.reset(seed=0)
    assert commands(texts[0])[:5] == ["stay", "up", "left", "down", "right"]
    check_world(world)


def test_words_move_as_numbers_do():
    spoken = make("minicraft/country", 2, observation="text", invention=100)
    silent = make("minicraft/country", 2, observation="symbols", invention=100)
    spoken.reset(seed=3)
    silent.reset(seed=3)
    for action in (1, 3, 2, 4, 6, 8):
        spoken.step([spoken.rules.commands[action]] * 2)
        silent.step(np.array([action, action]))
    a, b = spoken.save().state, silent.save().state
    assert (a.terrain == b.terrain).all()
    assert (a.player == b.player).all()
    assert (a.items == b.items).all()


def test_only_a_country_is_invented():
    with pytest.raises(ConfigError, match="only minicraft/country"):
        make("minicraft/yard", 1, invention=3)

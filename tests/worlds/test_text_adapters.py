import importlib.util
import shutil

import pytest

from mindseye.core.errors import ConfigError, MissingExtra
from mindseye.core.spaces import commands
from mindseye.worlds import check_world, make

# the libraries leave folders behind for the garbage collector
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def without(name):
    return importlib.util.find_spec(name) is None


needs_textworld = pytest.mark.skipif(
    without("textworld"), reason='TextWorld is missing: pip install "mindseye[text]"'
)
needs_scienceworld = pytest.mark.skipif(
    without("scienceworld") or shutil.which("java") is None,
    reason='ScienceWorld or Java is missing: pip install "mindseye[text]" and install a Java',
)


def test_spoken_worlds_have_one_face():
    with pytest.raises(ConfigError, match="only text"):
        make("textworld", observation="pixels")


@pytest.mark.skipif(not without("textworld"), reason="TextWorld is installed")
def test_a_missing_textworld_names_its_extra():
    with pytest.raises(MissingExtra, match="text"):
        make("textworld")


@pytest.mark.skipif(not without("scienceworld"), reason="ScienceWorld is installed")
def test_a_missing_scienceworld_names_its_extra():
    with pytest.raises(MissingExtra, match="text"):
        make("scienceworld/boil")


@needs_textworld
def test_textworld_keeps_the_rules():
    world = make("textworld", 2, quest=2, rooms=2, objects=2)
    check_world(world, steps=12)
    texts, _ = world.reset(seed=1)
    assert all(text.startswith("Task: ") and "look" in commands(text) for text in texts)
    world.close()


@needs_textworld
def test_doing_what_is_asked_wins_a_game_of_textworld():
    world = make("textworld", 1, quest=1, rooms=1, objects=2)
    (text,), _ = world.reset(seed=1)
    paid = 0.0
    for said in commands(text):
        (text,), reward, ended, *_ = world.step([said])
        paid += float(reward[0])
        if ended[0]:
            break
    assert paid == 1.0
    world.close()


@needs_textworld
def test_following_the_advice_of_textworld_wins():
    world = make("textworld", 1, quest=3, rooms=2, objects=3)
    world.reset(seed=100)
    world.step(["look"])
    paid = [world.step([world.envs[0].advice()])[1][0] for _ in range(3)]
    assert paid == [0, 0, 1]
    world.close()


@needs_textworld
def test_what_textworld_does_not_list_changes_nothing():
    world = make("textworld", 1, rooms=2, objects=2, quest=2)
    (text,), _ = world.reset(seed=1)
    (after,), reward, *_ = world.step(["sing"])
    assert "Nothing happens." in after
    assert commands(after) == commands(text)
    assert reward[0] == 0
    world.close()


@needs_scienceworld
def test_scienceworld_keeps_the_rules():
    world = make("scienceworld/find-living-thing", 1, max_steps=8)
    check_world(world, steps=10)
    (text,), _ = world.reset(seed=0)
    assert text.startswith("Task: Your task is to find")
    assert "look around" in commands(text)
    (after,), *_ = world.step(["sing"])
    assert "Nothing happens." in after
    world.close()


@needs_scienceworld
def test_following_the_advice_of_scienceworld_solves_a_task():
    world = make("scienceworld/find-living-thing", 1, pays="end", max_steps=30)
    world.reset(seed=100)
    paid, ended = [], [False]
    while not ended[0]:
        _, reward, ended, *_ = world.step([world.envs[0].advice()])
        paid.append(float(reward[0]))
    assert paid[-1] == sum(paid) == 1
    world.close()


def test_there_are_two_ways_to_be_paid_by_scienceworld():
    pytest.importorskip("scienceworld", reason='pip install "mindseye[text]"')
    with pytest.raises(ConfigError, match="'score' or 'end'"):
        make("scienceworld/boil", pays="never")


@needs_scienceworld
def test_an_unknown_task_lists_those_there_are():
    with pytest.raises(ConfigError, match="boil"):
        make("scienceworld/alchemy")

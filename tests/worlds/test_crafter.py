import importlib.util
from copy import deepcopy

import numpy as np
import pytest

from mindseye.core.errors import ConfigError, MissingExtra
from mindseye.core.spaces import commands
from mindseye.worlds import check_world, make
from mindseye.worlds.check import check_snapshot
from mindseye.worlds.snapshot import branchable

IS_MISSING = importlib.util.find_spec("crafter") is None
needs_crafter = pytest.mark.skipif(
    IS_MISSING, reason='Crafter is missing: pip install "mindseye[crafter]"'
)
faces = pytest.mark.parametrize("face", ["pixels", "text"])


@pytest.mark.skipif(not IS_MISSING, reason="Crafter is installed")
@faces
def test_a_missing_crafter_names_its_extra(face):
    with pytest.raises(MissingExtra, match=r"mindseye\[crafter\]"):
        make("crafter", 1, observation=face)


@needs_crafter
@faces
def test_crafter_keeps_the_rules(face):
    check_world(make("crafter", 2, observation=face, max_steps=30), steps=12)


@needs_crafter
@faces
def test_crafter_can_be_saved_and_gone_on_with(face):
    check_snapshot(branchable(make("crafter", 2, observation=face, max_steps=30)))


@needs_crafter
def test_a_copy_that_begins_anew_leaves_the_first_alone():
    env = make("crafter", 1, observation="text").envs[0]
    env.reset(seed=1)
    before = env._text()
    deepcopy(env).reset()
    assert env._text() == before


@needs_crafter
def test_the_limit_truncates():
    world = make("crafter", 1, max_steps=3)
    world.reset(seed=0)
    ends = [world.step(np.zeros(1, np.int64))[2:4] for _ in range(3)]
    assert [bool(truncated[0]) for _, truncated in ends] == [False, False, True]
    assert not any(terminated[0] for terminated, _ in ends)


@needs_crafter
def test_another_face_is_refused():
    with pytest.raises(ConfigError, match="choose pixels or text"):
        make("crafter", 1, observation="symbols")


@needs_crafter
def test_both_faces_begin_in_the_same_land_and_pay_alike_by_day():
    said = ["right", "right", "do", "do", "left", "do", "sleep", "stay", "up", "do"] * 4
    seen, told = make("crafter", 1), make("crafter", 1, observation="text")
    seen.reset(seed=3)
    (text,), _ = told.reset(seed=3)
    numbers = {command: number for number, command in enumerate(commands(text))}
    for command in said:
        paid = seen.step(np.array([numbers[command]]))[1]
        assert paid == told.step([command])[1]
        assert (seen.envs[0]._game._sem_view() == told.envs[0]._game._sem_view()).all()


@needs_crafter
def test_the_text_tells_what_is_true():
    world = make("crafter", 1, observation="text")
    world.reset(seed=1)
    game = world.envs[0]._game
    x, y = game._player.pos
    game._world._mat_map[:] = game._world._mat_ids["grass"]
    game._world[x + 4, y - 3] = "diamond"
    game._world[x + 5, y] = "lava"
    game._world[x, y] = "sand"
    game._world[x, y - 1] = "table"
    for thing in list(game._world.objects)[1:]:
        game._world.remove(thing)
    game._player.inventory["wood"] = 2
    (text,), *_ = world.step(["up"])
    assert text.split("\n")[0] == (
        "You see table 1 up, diamond 3 up and 4 right. You stand on sand. You face up, table."
        " You hold 2 wood. Health 9, food 9, drink 9, energy 9."
    )
    (text,), (paid,), *_ = world.step(["make wood pickaxe"])
    assert "You hold 1 wood, 1 wood pickaxe." in text
    assert "Achieved: make wood pickaxe." in text
    assert paid == 1


@needs_crafter
def test_what_is_not_listed_is_waited_out():
    world = make("crafter", 2, observation="text")
    world.reset(seed=[1, 1])
    (sung, stayed), *_ = world.step(["sing", "stay"])
    assert sung == f"Nothing happens. {stayed}"

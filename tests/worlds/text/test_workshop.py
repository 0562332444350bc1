import numpy as np
import pytest

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import commands
from mindseye.worlds import check_snapshot, check_world, make
from mindseye.worlds.minicraft.technology import BASIC
from mindseye.worlds.rules import RulesWorld
from mindseye.worlds.text import Workshop


def workshop(goal="stone pickaxe", rows=1):
    world = RulesWorld(Workshop(BASIC, goals=[goal]), rows)
    world.reset(seed=0)
    return world


def say(world, *words):
    """News after each command, and the last step."""
    news = []
    for word in words:
        texts, reward, terminated, _, _ = world.step([word])
        news.append(texts[0].split("\n")[0])
    return news, reward[0], terminated[0]


def test_failures_name_the_first_thing_missing():
    news, _, _ = say(
        workshop(),
        "gather stone",
        "craft wood pickaxe",
        "build table",
        "gather wood",
        "build table",
        "craft wood pickaxe",
    )
    assert news == [
        "You cannot gather stone: you need wood pickaxe in hand.",
        "You cannot craft wood pickaxe: you need table built.",
        "You cannot build table: you need 1 more wood.",
        "You did gather wood.",
        "You did build table.",
        "You cannot craft wood pickaxe: you need 1 more wood.",
    ]


def test_making_what_was_asked_for_pays_once_and_ends():
    world = workshop()
    news, reward, terminated = say(world, *world.rules.solution("stone pickaxe"))
    assert all(line.startswith("You did") for line in news)
    assert reward == 1
    assert terminated


def test_what_is_not_understood_changes_nothing():
    world = workshop()
    before = world.save().state.items
    news, reward, _ = say(world, "fly away")
    assert news == ["That means nothing here."]
    assert reward == 0
    assert (world.save().state.items == before).all()


def test_the_last_line_lists_every_command():
    texts, _ = workshop().reset(seed=1)
    assert commands(texts[0]) == workshop().rules.commands


def test_nobody_can_be_asked_for_what_nothing_makes():
    with pytest.raises(ConfigError, match="cannot make gold"):
        Workshop(BASIC, goals=["gold"])


@pytest.mark.parametrize("seed", range(100, 112))
def test_every_goal_of_an_invented_workshop_can_be_made(seed):
    world = make("text/workshop", 1, invention=seed, crafts=7, builds=3)
    for goal in world.rules.things[len(world.rules.technology.gathers) :]:
        only = RulesWorld(Workshop(world.rules.technology, goals=[goal], max_steps=99), 1)
        only.reset(seed=0)
        assert say(only, *world.rules.solution(goal))[1] == 1, goal


def test_a_workshop_keeps_the_contracts_of_worlds():
    check_world(make("text/workshop", 3, invention=100))
    check_snapshot(make("text/workshop", 3, invention=100))


def test_rows_are_independent():
    world = make("text/workshop", 2, invention=100)
    world.reset(seed=[4, 5])
    both = world.step([world.rules.commands[0], world.rules.commands[1]])[0]
    alone = make("text/workshop", 1, invention=100)
    alone.reset(seed=[5])
    assert alone.step([world.rules.commands[1]])[0][0] == both[1]


def test_pictures_show_what_is_held():
    world = workshop()
    before = world.render()[0]
    say(world, "gather wood")
    assert (np.asarray(world.render()[0]) != before).any()

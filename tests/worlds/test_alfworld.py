import importlib.util
import json
import re

import numpy as np
import pytest

from mindseye.core.errors import ConfigError, MissingExtra
from mindseye.core.spaces import commands
from mindseye.worlds import alfworld, check_world, make
from mindseye.worlds.alfworld_problems import TASKS, problem

IS_MISSING = importlib.util.find_spec("alfworld") is None
needs_alfworld = pytest.mark.skipif(
    IS_MISSING,
    reason='ALFWorld is missing: install cmake and g++, then pip install "mindseye[alfworld]"',
)


class FakeEngine:
    """Has doors instead of plans: open them all, in order."""

    def __init__(self):
        self.left = []

    def begin(self, pddl, goal):
        self.left = [f"open {name}" for name in re.findall(r"openable (\w+)", pddl)][:2]
        told = "-= Welcome =-\n\nHere you see a pen 10, a cup 1, and a pen 9."
        return f"{told}\n\nYour task is to: {goal}.", [*self.left, "look"]

    def load(self, path):
        game = json.loads(path.read_text())
        return self.begin(game["pddl_problem"], game["goal"])

    def say(self, command):
        self.left = [one for one in self.left if one != command]
        return f"You {command}.", [*self.left, "look"], not self.left

    def plan(self):
        return self.left[0] if self.left else ""

    def close(self):
        self.left = []


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(alfworld, "_Engine", FakeEngine)


@pytest.mark.skipif(not IS_MISSING, reason="ALFWorld is installed")
def test_a_missing_alfworld_names_its_extra():
    with pytest.raises(MissingExtra, match=r"mindseye\[alfworld\]"):
        make("alfworld/pick")


def test_an_unknown_task_lists_those_there_are():
    with pytest.raises(ConfigError, match="pick, light"):
        make("alfworld/slice")
    with pytest.raises(ConfigError, match="only text"):
        make("alfworld/pick", observation="pixels")


@pytest.mark.parametrize("task", TASKS)
def test_problems_are_the_same_for_the_same_seed_and_balanced(task):
    drawn = [problem(task, np.random.default_rng(seed)) for seed in range(100, 130)]
    assert drawn == [problem(task, np.random.default_rng(seed)) for seed in range(100, 130)]
    assert len({one.pddl for one in drawn}) == 30
    for one in drawn:
        assert one.pddl.count("(") == one.pddl.count(")")
        assert "(:goal (and (exists" in one.pddl


@pytest.mark.parametrize("task", [task for task in TASKS if task != "light"])
def test_what_is_wanted_lies_elsewhere_and_its_place_is_there(task):
    for seed in range(100, 160):
        made = problem(task, np.random.default_rng(seed))
        *_, thing, _, target = made.goal.split()
        assert f" {target}type)" in made.pddl
        lies = re.findall(rf"inreceptacle {thing}_bar_\d+ (\w+)_bar_\d+", made.pddl)
        assert len(lies) == (2 if task == "two" else 1)
        assert all(place.replace("sink", "sinkbasin") != target for place in lies)


def test_a_world_of_rooms_keeps_the_rules(fake):
    check_world(make("alfworld/any", 3, max_steps=6), steps=10)


def test_the_task_comes_first_and_things_are_told_in_order(fake):
    (text,), _ = make("alfworld/clean").reset(seed=100)
    task, told, _ = text.split("\n")
    assert re.fullmatch(r"Task: put a clean \w+ in \w+\.", task)
    assert told == "Here you see a cup 1, a pen 9, and a pen 10."


def test_what_is_not_listed_changes_nothing_and_a_plan_pays_once(fake):
    world = make("alfworld/heat", max_steps=9)
    (text,), _ = world.reset(seed=100)
    (after,), reward, *_ = world.step(["sing"])
    assert "Nothing happens." in after
    assert commands(after) == commands(text)
    assert reward[0] == 0
    paid, ended = 0.0, [False]
    while not ended[0]:
        _, reward, ended, truncated, _ = world.step([world.envs[0].advice()])
        paid += reward[0]
        assert not truncated[0]
    assert paid == 1


def test_games_of_ones_own_are_found_by_their_task(fake, tmp_path):
    for name in ("pick_and_place_simple-Mug-None-Desk-3", "pick_heat_then_place_in_recep-Egg-1"):
        folder = tmp_path / "train" / name / "trial_1"
        folder.mkdir(parents=True)
        game = {"pddl_problem": "(openable fridge)", "goal": f"play {name}"}
        (folder / "game.tw-pddl").write_text(json.dumps(game))
    (text,), _ = make("alfworld/heat", games=str(tmp_path)).reset(seed=1)
    assert text.startswith("Task: play pick_heat")
    assert len(make("alfworld/any", games=str(tmp_path)).envs[0]._games) == 2
    with pytest.raises(ConfigError, match="alfworld-download"):
        make("alfworld/cool", games=str(tmp_path))


@needs_alfworld
def test_the_engine_keeps_the_rules():
    world = make("alfworld/any", 2, max_steps=8)
    check_world(world, steps=10)
    world.close()


@needs_alfworld
@pytest.mark.parametrize("task", TASKS)
def test_the_engine_solves_what_is_drawn(task):
    world = make(f"alfworld/{task}", 1)
    for seed in range(100, 103):
        (text,), _ = world.reset(seed=seed)
        assert text.startswith("Task: ")
        assert "help" not in commands(text)
        ended = truncated = [False]
        while not ended[0] and not truncated[0]:
            _, reward, ended, truncated, _ = world.step([world.envs[0].advice()])
        assert reward[0] == 1
    world.close()

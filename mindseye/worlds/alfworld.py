"""ALFWorld (Shridhar et al. 2021, arXiv 2010.03768) as an environment; extra `alfworld`."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import gymnasium

from mindseye.core.errors import ConfigError, MissingExtra
from mindseye.core.spaces import Words, with_commands
from mindseye.worlds.advice import Advises
from mindseye.worlds.alfworld_problems import TASKS, problem

PREFIX = "alfworld/"
_THEIRS = {
    "pick": "pick_and_place_simple",
    "light": "look_at_obj_in_light",
    "clean": "pick_clean_then_place_in_recep",
    "heat": "pick_heat_then_place_in_recep",
    "cool": "pick_cool_then_place_in_recep",
    "two": "pick_two_obj_and_place",
}
_LEFT_OUT = ("movable", "Sliced")
"""Downloaded games that ALFWorld, too, passes over."""
_GOAL = re.compile(r"Your task is to: (.*?)\.?$", re.MULTILINE)
_SEEN = re.compile(r"(?<=you see )a [^.]*(?=\.)")
_ITEMS = re.compile(r", and | and |, ")


class AlfWorld(gymnasium.Env, Advises):
    """A room in words, and a household task in it; the real engine, on games drawn from a seed.

    Each reset draws another room: what stands in it, what lies where, and what is wanted. Or it
    takes one of the games that `alfworld-download` fetched. A solved task pays 1 and ends. The
    engine plans ahead what is possible, about 50 steps per second.

    Args:
        task: "pick" (and place), "light" (look at under a lamp), "clean", "heat", "cool" (then
            place), "two" (to be placed), or "any" of them.
        games: Folder of games of ALFWorld's own (`game.tw-pddl`), used instead of drawn ones.
        things: How many things lie about in a drawn room besides those that are wanted.
        max_steps: Steps until an episode is truncated.

    Raises:
        MissingExtra: If the package is not installed.
        ConfigError: If there is no such task, or no game of it in the folder.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self, task: str, *, games: str | None = None, things: int = 8, max_steps: int = 50
    ):
        if task not in (*TASKS, "any"):
            raise ConfigError(f"alfworld: no task {task!r}; there are {', '.join(TASKS)}, any")
        self._engine = _Engine()
        self.task, self.things, self.max_steps = task, things, max_steps
        self._games = None if games is None else _found(games, task)
        self._can: list[str] = []
        self._goal, self._steps = "", 0
        self.observation_space, self.action_space = Words(1 << 14), Words()

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        """Another room and task, drawn by the seed."""
        super().reset(seed=seed)
        rng = self.np_random
        if self._games is None:
            task = TASKS[int(rng.integers(len(TASKS)))] if self.task == "any" else self.task
            made = problem(task, rng, things=self.things)
            told, self._can = self._engine.begin(made.pddl, made.goal)
        else:
            told, self._can = self._engine.load(self._games[int(rng.integers(len(self._games)))])
        self._goal, self._steps = _GOAL.findall(told)[0], 0
        return self._text(told.split("\n\n")[1]), {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Say something; a command that is not listed changes nothing."""
        self._steps += 1
        told, is_won = "Nothing happens.", False
        if action in self._can:
            told, self._can, is_won = self._engine.say(action)
        is_late = self._steps >= self.max_steps and not is_won
        return self._text(told), float(is_won), is_won, is_late, {"won": is_won}

    def advice(self) -> str:
        """The next command of the engine's own plan, which knows where everything is."""
        return self._engine.plan() or self._can[0]

    def close(self) -> None:
        """Let go of the planner."""
        self._engine.close()

    def _text(self, told: str) -> str:
        return with_commands(f"Task: {self._goal}.\n{_sorted(told)}", self._can)


class _Engine:
    """What ALFWorld is made of: its domain and grammar in TextWorld's environment of plans."""

    def __init__(self):
        try:
            import fast_downward
            import textworld
            from alfworld.agents.utils.misc import Demangler
            from alfworld.info import ALFRED_PDDL_PATH, ALFRED_TWL2_PATH
            from textworld.envs import PddlEnv
        except ModuleNotFoundError as error:
            raise MissingExtra("alfworld", "alfworld") from error
        library: Any = textworld
        self._downward: Any = fast_downward
        self._demangler: Any = Demangler
        self._domain = Path(ALFRED_PDDL_PATH).read_text()
        self._grammar = Path(ALFRED_TWL2_PATH).read_text()
        self._game: Any = PddlEnv(library.EnvInfos(admissible_commands=True, won=True))
        self._is_open = True

    def begin(self, pddl: str, goal: str) -> tuple[str, list[str]]:
        """A problem of our own: what is told, and what can be done."""
        grammar = self._grammar.replace("UNKNOWN GOAL", goal)
        return self._begun({"pddl_domain": self._domain, "grammar": grammar, "pddl_problem": pddl})

    def load(self, path: Path) -> tuple[str, list[str]]:
        """A game that was downloaded."""
        return self._begun(json.loads(path.read_text()))

    def say(self, command: str) -> tuple[str, list[str], bool]:
        """What is told, what can be done then, and whether all is done."""
        state, _, _ = self._game.step(command)
        return state.feedback.strip(), _listed(state), bool(state.won)

    def plan(self) -> str:
        """The first command of a plan from here; empty where there is none."""
        planned = self._game._pddl_state.replan(self._game._entity_infos)
        return planned[0] if planned else ""

    def close(self) -> None:
        """Unload the planner's library, of which every engine has a copy."""
        if self._is_open:
            self._downward.close_lib(self._game.downward_lib)
        self._is_open = False

    def _begun(self, game: dict[str, str]) -> tuple[str, list[str]]:
        arguments = sys.argv
        try:
            self._game.load(game)
            things = self._game._entity_infos
            names = self._demangler(game_infos=things)
            for thing in things.values():
                thing.name = names.demangle_alfred_name(thing.id)
            state = self._game.reset()
        finally:
            # the translator puts arguments of its own there
            sys.argv = arguments
        return state.feedback.strip(), _listed(state)


def _listed(state: Any) -> list[str]:
    return [command for command in state.admissible_commands if command != "help"]


def _sorted(told: str) -> str:
    """The engine tells things in the order of a set, which differs from process to process."""
    return _SEEN.sub(lambda found: _in_order(found[0]), told)


def _in_order(listed: str) -> str:
    things = sorted(_ITEMS.split(listed), key=_by_name)
    return ", and ".join([", ".join(things[:-1]), things[-1]] if things[1:] else things)


def _by_name(thing: str) -> tuple[str, int]:
    name, _, number = thing.rpartition(" ")
    return (name, int(number)) if number.isdigit() else (thing, 0)


def _found(folder: str, task: str) -> list[Path]:
    """Games of a task in a folder, as ALFWorld names them."""
    wanted = "" if task == "any" else _THEIRS[task]
    games = [
        path
        for path in sorted(Path(folder).expanduser().rglob("game.tw-pddl"))
        if path.parent.parent.name.startswith(wanted)
        and not any(word in str(path) for word in _LEFT_OUT)
    ]
    if not games:
        what = f"{wanted}*/*/game.tw-pddl" if wanted else "game.tw-pddl"
        raise ConfigError(
            f"alfworld: expected games ({what}) in {folder}, got none; fetch them with"
            " alfworld-download"
        )
    return games

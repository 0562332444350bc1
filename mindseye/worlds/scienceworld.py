"""ScienceWorld (Wang et al. 2022, arXiv 2203.07540) as a Gymnasium environment; extra `text`."""

from typing import Any

import gymnasium

from mindseye.core.errors import ConfigError, MissingExtra
from mindseye.core.spaces import Words, with_commands
from mindseye.worlds.advice import Advises

PREFIX = "scienceworld/"
_PASTIME = "look around"
_SIMPLE = (_PASTIME, "go to ", "open ", "activate ", "deactivate ", "focus on ", "pick up ")


class ScienceWorld(gymnasium.Env, Advises):
    """A house with a laboratory in words; one of thirty tasks of school science. Needs Java.

    Observations end in a line of what can be said, as in the worlds of our own. Rewards are changes
    of the score in hundredths, so that a solved task pays 1 in all; a wrong `focus` ends it.

    Args:
        task: Such as "boil" or "find-living-thing".
        simplification: As in ScienceWorld: "easy", "", or parts joined by commas.
        pays: "score", or "end": nothing on the way, 1 once the task is solved.
        brief: List only looking around, going, opening, switching, focusing, taking, and moving
            what is held. A kitchen lists up to a thousand commands otherwise, a hundred then; not
            all tasks can be solved so.
        max_steps: Steps until an episode is truncated.

    Raises:
        MissingExtra: If the package is not installed.
        ConfigError: If there is no such task (lists all), or no such way to pay.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        task: str,
        *,
        simplification: str = "easy",
        pays: str = "score",
        brief: bool = False,
        max_steps: int = 100,
    ):
        try:
            import scienceworld
        except ModuleNotFoundError as error:
            raise MissingExtra("scienceworld", "text") from error
        if pays not in ("score", "end"):
            raise ConfigError(f"scienceworld: expected pays 'score' or 'end', got {pays!r}")
        self._is_sparse, self._is_brief = pays == "end", brief
        library: Any = scienceworld
        self._game = library.ScienceWorldEnv("", envStepLimit=max_steps + 1)
        names = list(self._game.get_task_names())
        if task not in names:
            _end(self._game)
            raise ConfigError(f"scienceworld: no task {task!r}; there are {', '.join(names)}")
        self.task, self.simplification, self.max_steps = task, simplification, max_steps
        self._variations = int(self._game.get_max_variations(task))
        self._steps, self._score, self._can = 0, 0, []
        self._task = ""
        self._way: list[str] = []
        self.observation_space, self.action_space = Words(1 << 15), Words()

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        """One of the task's variations, chosen by the seed."""
        super().reset(seed=seed)
        variation = int(self.np_random.integers(self._variations))
        self._game.load(self.task, variation, self.simplification, generateGoldPath=True)
        self._way = list(self._game.get_gold_action_sequence())
        told, info = self._game.reset()
        self._steps, self._score = 0, int(info["score"])
        self._task = info["taskDesc"].replace("Task Description:", "").strip()
        return self._text(told, info), {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Say something."""
        self._steps += 1
        is_late = self._steps >= self.max_steps
        if action not in self._can:
            text = with_commands(f"Task: {self._task}\nNothing happens.", self._can)
            return text, 0.0, False, is_late, {"score": self._score}
        if action == self.advice():
            del self._way[: self._ahead()[0] + 1]
        told, _, done, info = self._game.step(action)
        score = int(info["score"])
        # a failed task is scored -100, and what was earned stays earned
        reward, self._score = max(score - self._score, 0) / 100, max(score, self._score)
        if self._is_sparse:
            reward = float(score >= 100)
        return self._text(told, info), reward, bool(done), is_late and not done, {"score": score}

    def advice(self) -> str:
        """What comes next on ScienceWorld's own way to the solution, as far as it can be said.

        It knows one way from the beginning; who strayed far from it is not led back.
        """
        return self._ahead()[1]

    def _ahead(self) -> tuple[int, str]:
        """Which part of the way comes next, and how it is said."""
        for index, said in enumerate(self._way):
            if found := _as_listed(said, self._can):
                return index, found
        return len(self._way), _PASTIME if _PASTIME in self._can else self._can[0]

    def close(self) -> None:
        """End the game's process."""
        _end(self._game)

    def _text(self, told: str, info: dict[str, Any]) -> str:
        away = ("reset task", "task", "teleport to")
        self._can = [said for said in info["valid"] if not said.startswith(away)]
        if self._is_brief:
            self._can = _brief(self._can, info["inv"])
        parts = dict.fromkeys(
            " ".join(line.split())
            for part in (told, info["look"], info["inv"])
            for line in part.splitlines()
            if line.strip()
        )
        return with_commands("\n".join([f"Task: {self._task}", *parts]), self._can or ["wait"])


def _brief(can: list[str], held: str) -> list[str]:
    """The simple commands, and those that move something of the text of what is held."""
    things = [set(line.split()) for line in held.splitlines()]

    def is_held(said: str) -> bool:
        # what is a "giant tortoise egg" to the eye is an "egg giant tortoise" in commands
        named = set(said.removeprefix("move ").partition(" to ")[0].split())
        return any(named <= thing for thing in things)

    return [
        said
        for said in can
        if said.startswith(_SIMPLE) or (said.startswith("move ") and is_held(said))
    ]


def _as_listed(said: str, can: list[str]) -> str:
    """The listed command that says it in fewer words at most; empty if there is none.

    "move dove egg in inventory to red box" is listed as "move dove to red box".
    """
    if said in can:
        return said
    words = said.split()
    shorter = [
        listed
        for listed in can
        if (told := listed.split())[0] == words[0]
        and told[-1] == words[-1]
        and len(told) > 2
        and _are_within(told, words)
    ]
    return max(shorter, key=len, default="")


def _are_within(few: list[str], many: list[str]) -> bool:
    """Whether these words stand there in this order."""
    rest = iter(many)
    return all(word in rest for word in few)


def _end(game: Any) -> None:
    """Close a game, wait for its process, and close the pipe that the library leaves open."""
    process = game._gateway.java_process
    if process.poll() is None:
        game.close()
        process.wait(timeout=10)
    process.stdin.close()

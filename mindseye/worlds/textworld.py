"""TextWorld (Côté et al. 2018, arXiv 1806.11532) as a Gymnasium environment; extra `text`."""

import atexit
import re
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium

from mindseye.core.errors import ConfigError, MissingExtra
from mindseye.core.spaces import Words, with_commands
from mindseye.worlds.advice import Advises

_STATUS = re.compile(r"\n>.*", re.DOTALL)
"""The prompt and the bar with room and score, which follow what is told."""


class TextWorld(gymnasium.Env, Advises):
    """A game of rooms, doors, boxes and keys, made by TextWorld; one is told what to do.

    Observations end in a line of what can be said, as in the worlds of our own. The last score
    point ends the game. A game takes seconds to compile, so there are but a few, and each is kept:
    a seed chooses among them.

    Args:
        games: How many different ones.
        first: Seed of the first; the others follow.
        rooms, objects, quest: Sizes of a game; `quest` is the number of commands that solve it.
        max_steps: Steps until an episode is truncated.

    Raises:
        MissingExtra: If the package is not installed.
        ConfigError: If a size is impossible.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        *,
        games: int = 1,
        first: int = 1,
        rooms: int = 3,
        objects: int = 6,
        quest: int = 4,
        max_steps: int = 50,
    ):
        try:
            import textworld
        except ModuleNotFoundError as error:
            raise MissingExtra("textworld", "text") from error
        if min(games, rooms, objects, quest, max_steps) < 1:
            raise ConfigError("textworld: expected sizes of at least 1; look at the options")
        self.games, self.max_steps = games, max_steps
        self._first, self._sizes = first, (rooms, objects, quest)
        self._textworld: Any = textworld
        self._asked = self._textworld.EnvInfos(
            admissible_commands=True, won=True, lost=True, score=True, objective=True,
            policy_commands=True,
        )  # fmt: skip
        self._open: dict[int, Any] = {}
        self._game: Any = None
        self._state: Any = None
        self._score = self._steps = 0
        self.observation_space, self.action_space = Words(8192), Words()

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        """Begin one of the games."""
        super().reset(seed=seed)
        number = int(self.np_random.integers(self.games))
        with warnings.catch_warnings():
            # jericho does not know games that were made here; scores are read by TextWorld itself
            warnings.simplefilter("ignore")
            self._game = self._started(number)
            self._state = self._game.reset()
        self._score = self._steps = 0
        told = self._state.objective
        return with_commands(f"Task: {told}", self._state.admissible_commands), {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Say something; what pays is the change of the score."""
        if action in self._state.admissible_commands:
            self._state, _, _ = self._game.step(action)
            told = _STATUS.sub("", self._state.feedback).strip()
        else:
            told = "Nothing happens."
        self._steps += 1
        score = self._state.score or 0
        reward, self._score = float(score - self._score), score
        ended = bool(self._state.won or self._state.lost)
        text = with_commands(f"Task: {self._state.objective}\n{told}", self._listed())
        is_over = self._steps >= self.max_steps and not ended
        return text, reward, ended, is_over, {"won": bool(self._state.won)}

    def advice(self) -> str:
        """The next command of a way to win; where none is left, the first that is listed."""
        planned = self._state.policy_commands or []
        return next((said for said in planned[:1] if said in self._listed()), self._listed()[0])

    def close(self) -> None:
        """End all games."""
        for game in self._open.values():
            game.close()
        self._open.clear()

    def _listed(self) -> list[str]:
        return self._state.admissible_commands or ["look"]

    def _started(self, number: int) -> Any:
        if number not in self._open:
            path = _compiled(self._first + number, *self._sizes)
            self._open[number] = self._textworld.start(str(path), self._asked)
        return self._open[number]


@cache
def _folder() -> Path:
    """Of compiled games, until this process ends."""
    folder = tempfile.mkdtemp(prefix="textworld")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _compiled(seed: int, rooms: int, objects: int, quest: int) -> Path:
    """A game's file: compiled once, for all rows that play it."""
    import textworld

    library: Any = textworld
    options = library.GameOptions()
    options.seeds = seed
    options.nb_rooms, options.nb_objects, options.quest_length = rooms, objects, quest
    options.path = str(_folder() / f"{seed}-{rooms}-{objects}-{quest}.z8")
    return Path(library.make(options)[0])

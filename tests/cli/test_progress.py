import io

import pytest

from mindseye.cli import progress
from mindseye.cli.folders import slug
from mindseye.cli.progress import ShownProgress, duration


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_without_a_terminal_a_line_comes_every_ten_seconds(clock):
    to = io.StringIO()
    with ShownProgress(to) as show:
        for step in range(1, 31):
            clock.now += 1.0
            show("fit", step, 100, {})
    assert to.getvalue().splitlines() == [
        "fitting the world model: 11 of 100, 1 min 29 s left",
        "fitting the world model: 21 of 100, 1 min 19 s left",
    ]


def test_a_finished_stage_leaves_one_line(clock):
    to = io.StringIO()
    show = ShownProgress(to)
    show("fit", 1, 2, {})
    clock.now = 4.0
    show("fit", 2, 2, {"loss/a": 0.1234, "loss/b": 2.0, "loss/c": 3.0, "loss/d": 4.0})
    show("fit", 2, 2, {})
    assert to.getvalue() == ("fitting the world model: 4.0 s, loss/a 0.123, loss/b 2, loss/c 3\n")


def test_a_stage_of_an_earlier_sitting_is_only_named(clock):
    to = io.StringIO()
    ShownProgress(to)("dream", 8, 8, {"loss": 1.0})
    assert to.getvalue() == "training in the dream: done\n"


def test_on_a_terminal_a_bar_is_shown_and_taken_away(clock, monkeypatch):
    to = io.StringIO()
    monkeypatch.setattr(to, "isatty", lambda: True)
    with ShownProgress(to) as show:
        show("fit", 1, 2, {})
        show("fit", 2, 2, {})
    assert to.getvalue().rstrip().splitlines()[-1].endswith("fitting the world model: 0.0 s")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (200, "3 min 20 s"), (3599, "59 min 59 s"),
     (7500, "2 h 5 min")],
)  # fmt: skip
def test_durations_are_said_as_people_do(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("name", "folder"),
    [("MiniGrid-DoorKey-6x6-v0", "minigrid-doorkey-6x6-v0"), ("grid/ring", "grid-ring"),
     ("../../etc", "etc"), ("日本", "unnamed")],
)  # fmt: skip
def test_names_become_folders_that_stay_inside(name, folder):
    assert slug(name) == folder

"""What the pages of recorded episodes are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mindseye.core.errors import DataError
from mindseye.experience.index import EpisodeRecord
from mindseye.studio.film import Film, film_of, look
from mindseye.studio.gauges import counts_of, done_of, noted_of, rewards_of, seen_of
from mindseye.studio.naming import space_told
from mindseye.studio.recorded import Library, Recorded, Summary
from mindseye.studio.retelling import readable, steps_of
from mindseye.studio.shelf import Entry
from mindseye.studio.sparks import Spark, spark

_EPISODES, _STEPS = 50, 50
"""On one page."""
_SHEET = 24
_MOST_DAMAGED = 50
_QUOTE = 400
_SORTS = {"number": None, "length": "rows", "return": "total_reward"}


@dataclass(frozen=True)
class Preview:
    """A first look at a store: pictures, or what was read first, or numbers of an episode."""

    number: int
    """Of the episode looked at: the newest."""
    has_pictures: bool = False
    quote: str = ""
    charts: list[Spark] = field(default_factory=list)


@dataclass(frozen=True)
class Card:
    """A store in the list; `why` says what is wrong with one that cannot be read."""

    entry: Entry
    summary: Summary | None = None
    seen: str = ""
    done: str = ""
    preview: Preview | None = None
    why: str = ""


def card_of(library: Library, entry: Entry) -> Card:
    """A store for the list of all; one that cannot be read says why."""
    try:
        recorded = library.open(entry)
        return Card(
            entry,
            recorded.summary,
            seen=space_told(recorded.observation_space),
            done=space_told(recorded.action_space),
            preview=_preview(recorded),
        )
    except DataError as error:
        return Card(entry, why=readable(str(error)))


def newest(recorded: Recorded) -> int | None:
    """Number of the last episode that can be shown."""
    numbers = recorded.numbers
    return int(numbers[-1]) if len(numbers) else None


def _preview(recorded: Recorded) -> Preview | None:
    """Of the newest episode; None: there is none that can be read."""
    number = newest(recorded)
    if number is None:
        return None
    try:
        record = recorded.record(number)
        if film_of(recorded, record) is not None:
            return Preview(number, has_pictures=True)
        shown = look(recorded, record, 0)
        if isinstance(shown, str):
            return Preview(number, quote=readable(shown[:_QUOTE]))
        return Preview(number, charts=seen_of(recorded, record)[:3])
    except DataError:
        return None


def store_values(recorded: Recorded, page: str, sort: str, down: bool) -> dict[str, Any]:
    """What `store.html` shows.

    Args:
        page: As asked for; the nearest there is is shown.
        sort: "number", "length" or "return"; anything else is the first of them.
        down: The greatest first.
    """
    numbers = recorded.numbers
    table = recorded.table[numbers]
    key = _SORTS.get(sort)
    order = np.arange(len(numbers)) if key is None else np.argsort(table[key], kind="stable")
    order = order[::-1] if down else order
    pages = pages_of(page, len(numbers), _EPISODES)
    shown = numbers[order[pages["first"] : pages["stop"]]].tolist()
    listed = [(n, record) for n in shown if (record := recorded.listed(n)) is not None]
    end, places = max(1, len(numbers) - 1), np.arange(len(numbers))
    return {
        "name": recorded.entry.name,
        "folder": recorded.entry.folder,
        "summary": recorded.summary,
        "seen": space_told(recorded.observation_space),
        "done": space_told(recorded.action_space),
        "preview": _preview(recorded),
        "charts": [
            spark("return", places, table["total_reward"], end),
            spark("length", places, table["rows"] - 1.0, end),
        ],
        # a column that says the same in every row says nothing
        "are_mixed": len({(r.origin.kind, r.origin.world, r.origin.agent) for _, r in listed}) > 1,
        "rows": [(number, record, _ending(record)) for number, record in listed],
        "pages": pages,
        "sort": sort if sort in _SORTS else "number",
        "down": down,
        "damaged": [(n, readable(why)) for n, why in recorded.damage.items()][:_MOST_DAMAGED],
    }


def episode_values(recorded: Recorded, number: int, at: str, first: str) -> dict[str, Any]:
    """What `episode.html` shows.

    Args:
        at: Frame to show, as asked for.
        first: Step to tell from, as asked for.

    Raises:
        DataError: If there is no such episode, or it cannot be read.
    """
    record = recorded.record(number)
    film = film_of(recorded, record)
    begin = min(int(first), record.rows - 1) // _STEPS * _STEPS if is_count(first) else 0
    steps = steps_of(recorded, record, begin, _STEPS)
    numbers = recorded.numbers
    place = int(np.searchsorted(numbers, number))
    return {
        "name": recorded.entry.name,
        "number": number,
        "record": record,
        "length": record.rows - 1,
        "ending": _ending(record),
        "error": readable(record.error or ""),
        "task": readable(record.task.instruction) if record.task else "",
        "before": int(numbers[place - 1]) if place > 0 else None,
        "after": int(numbers[place + 1]) if place + 1 < len(numbers) else None,
        "film": None if film is None else _film_values(recorded, record, film, at),
        "steps": steps,
        "is_told": any(step.texts or step.thoughts for step in steps),
        "begin": begin,
        "per_page": _STEPS,
        "charts": {
            "What it paid": rewards_of(recorded, record),
            "What was seen": seen_of(recorded, record),
            "What was done": done_of(recorded, record),
            "What the agent noted": noted_of(recorded, record),
        },
        "choices": counts_of(recorded, record),
    }


def _film_values(
    recorded: Recorded, record: EpisodeRecord, film: Film, at: str
) -> Mapping[str, Any]:
    moment = min(int(at), film.count - 1) if is_count(at) else 0
    high, wide, _ = film.frame(moment).shape
    return {
        "at": moment,
        "last": film.count - 1,
        "chosen": film.chosen(_SHEET),
        "wide": wide,
        "high": high,
        "step": steps_of(recorded, record, moment, 1)[0],
    }


def _ending(record: EpisodeRecord) -> str:
    """How an episode stopped, in the words of worlds."""
    if record.error:
        return "error"
    how = "terminated" if record.terminated else "truncated" if record.truncated else "cut"
    reason = record.stop_reason.replace("_", " ")
    return f"{how}, {reason}" if reason else how


def pages_of(asked: str, count: int, size: int) -> dict[str, int]:
    """Which of a count of things are on the page asked for, or on the nearest there is."""
    last = max(1, -(-count // size))
    page = min(max(1, int(asked)), last) if is_count(asked) else 1
    return {
        "page": page, "last": last, "count": count, "first": (page - 1) * size, "stop": page * size,
    }  # fmt: skip


def is_count(text: str) -> bool:
    """Whether a part of an address is a whole number of a sensible size."""
    return text.isascii() and text.isdigit() and len(text) < 10

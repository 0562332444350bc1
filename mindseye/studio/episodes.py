"""Pages of recorded episodes: folders of them, one folder, one episode, and their pictures."""

import numpy as np
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from mindseye.core.errors import DataError
from mindseye.studio.film import film_of
from mindseye.studio.pictures import png
from mindseye.studio.protocol import finite
from mindseye.studio.recorded import Library, Recorded
from mindseye.studio.records import (
    card_of,
    episode_values,
    is_count,
    newest,
    pages_of,
    store_values,
)
from mindseye.studio.rendering import render
from mindseye.studio.retelling import steps_of
from mindseye.studio.shelf import Entry, Shelf

_STORES = 12
"""On one page."""
_TOLD = 500
"""Steps in one answer for the page that plays frames."""


def episodes_router(shelf: Shelf) -> APIRouter:
    """All pages below `/episodes`."""
    router, library = APIRouter(), Library()

    def opened(name: str) -> Recorded:
        return library.open(shelf.store(name))

    @router.get("/episodes")
    def all_stores(page: str = "1") -> Response:
        stores = shelf.stores()
        pages = pages_of(page, len(stores), _STORES)
        cards = [card_of(library, entry) for entry in stores[pages["first"] : pages["stop"]]]
        return render("episodes.html", cards=cards, pages=pages)

    @router.get("/episodes/{name:path}/preview.png")
    def preview(name: str) -> Response:
        recorded = opened(name)
        number = newest(recorded)
        film = None if number is None else film_of(recorded, recorded.record(number))
        if film is None:
            raise DataError(f"{name}: holds no pictures")
        return _picture(film.sheet())

    @router.get("/episodes/{name:path}/{number}/frame/{moment}.png")
    def frame(name: str, number: str, moment: str) -> Response:
        recorded = opened(name)
        film, at = film_of(recorded, recorded.record(_counted(number))), _counted(moment)
        if film is None or at >= film.count:
            raise DataError(f"{name}: episode {number} has no frame {at}")
        return _picture(film.frame(at))

    @router.get("/episodes/{name:path}/{number}/steps.json")
    def steps(name: str, number: str, first: str = "0") -> Response:
        recorded = opened(name)
        record = recorded.record(_counted(number))
        told = steps_of(recorded, record, _counted(first), _TOLD)
        return JSONResponse({"steps": [[step.action, finite(step.reward)] for step in told]})

    @router.get("/episodes/{name:path}")
    def one(
        name: str, page: str = "1", sort: str = "number", down: str = "", at: str = "0",
        first: str = "0",
    ) -> Response:  # fmt: skip
        above, _, last = name.rpartition("/")
        if is_count(last) and _holds(shelf, above):
            values = episode_values(opened(above), int(last), at, first)
            return render("episode.html", run=_run_of(shelf, above), **values)
        values = store_values(opened(name), page, sort, down == "1")
        return render("store.html", run=_run_of(shelf, name), **values)

    return router


def _counted(text: str) -> int:
    if not is_count(text):
        raise DataError("expected a whole number in the address")
    return int(text)


def _holds(shelf: Shelf, name: str) -> bool:
    try:
        shelf.store(name)
    except DataError:
        return False
    return True


def _run_of(shelf: Shelf, store: str) -> Entry | None:
    """The run that a store is a part of."""
    above = store.rpartition("/")[0]
    try:
        return shelf.run(above)
    except DataError:
        return None


def _picture(picture: np.ndarray) -> Response:
    # episodes are not rewritten, but a resumed run may give another one its number
    return Response(png(picture), media_type="image/png", headers={"cache-control": "max-age=60"})

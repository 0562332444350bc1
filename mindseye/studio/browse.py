"""Pages to read: runs, one run, comparisons, claims, reports."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from mindseye.core.errors import DataError
from mindseye.studio.accounts import flat, line_of, page_of, read_or_say, report_in, verdict_in
from mindseye.studio.claims import Evidence, System, evidence_in, others_in, sides_of
from mindseye.studio.comparing import are_shared, charts, differences, measures_beside
from mindseye.studio.episodes import episodes_router
from mindseye.studio.reading import metrics_in
from mindseye.studio.rendering import render
from mindseye.studio.shelf import Entry, Shelf

_MOST_LINES = 200
_MOST_COMPARED = 8
_MOST_PIXELS = 1 << 25
"""Of a picture: browsers take four bytes for each, however small its file is."""
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; sandbox"
)
"""A report is one file with styles and pictures in it, and runs nothing."""
Words = Annotated[str, Query(max_length=200)]


def browse_router(root: Path, results: Path, systems: Sequence[System]) -> APIRouter:
    """All pages about what lies in folders.

    Args:
        root: Of the runs.
        results: Of evidence, one file per system.
        systems: Published, in the order in which they are shown.
    """
    shelf = Shelf(root)
    router = APIRouter()
    router.include_router(_runs(shelf))
    router.include_router(_claims(results, systems))
    router.include_router(episodes_router(shelf))
    return router


def _runs(shelf: Shelf) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    def runs(q: Words = "") -> Response:
        entries, reports = shelf.runs_and_reports()
        lines = [line_of(entry) for entry in entries]
        found = sorted((x for x in lines if x.matches(q)), key=lambda x: x.touched, reverse=True)
        return render(
            "runs.html",
            lines=found[:_MOST_LINES],
            found=len(found),
            known=len(lines),
            states=Counter(line.state.word for line in lines),
            reports=[(entry.name, *_headline(entry)) for entry in reports],
            q=q,
            root=shelf.root,
            is_live=bool(lines),
        )

    @router.get("/runs/{name:path}")
    def run(name: str) -> Response:
        page = page_of(shelf, shelf.run(name))
        return render(
            "run.html",
            page=page,
            claims=[(c, sides_of(c)) for c in page.report.claims] if page.report else [],
            is_live=page.line.state.word == "running",
        )

    @router.get("/compare")
    def compare(run: Annotated[list[str] | None, Query()] = None) -> Response:
        chosen = list(dict.fromkeys(run or ()))
        entries, missing = _found(shelf, chosen[:_MOST_COMPARED])
        lines = [line_of(entry) for entry in entries]
        choices = [line_of(entry) for entry in shelf.runs()]
        reports = [report_in(entry.folder) for entry in entries]
        configs = [flat(read_or_say(entry.folder / "config.json")[0]) for entry in entries]
        measures = measures_beside(reports)
        return render(
            "compare.html",
            lines=lines,
            missing=[*missing, *(f"{name!r} is one too many." for name in chosen[_MOST_COMPARED:])],
            choices=sorted(choices, key=lambda line: line.touched, reverse=True)[:_MOST_LINES],
            chosen=set(chosen),
            measures=measures,
            shared=[pair for pair in measures if are_shared(pair)],
            lonely=[pair for pair in measures if not are_shared(pair)],
            differences=differences(configs),
            charts=charts({entry.name: metrics_in(entry.folder) for entry in entries}),
            most=_MOST_COMPARED,
        )

    @router.get("/reports/{name:path}")
    def report(name: str) -> Response:
        content = shelf.content(f"{name}/report.html")
        headers = {"content-security-policy": _REPORT_POLICY, "cache-control": "no-store"}
        return Response(content, media_type="text/html", headers=headers)

    @router.get("/pictures/{name:path}")
    def picture(name: str) -> Response:
        if not name.endswith(".png"):
            raise DataError("Only pictures are shown here.")
        content = shelf.content(name)
        # PNG begins with a signature, and the name of its head and its sides
        wide, high = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        if wide * high > _MOST_PIXELS:
            raise DataError("This picture is too large to be shown.")
        return Response(content, media_type="image/png")

    return router


def _claims(results: Path, systems: Sequence[System]) -> APIRouter:
    router = APIRouter()

    @router.get("/claims")
    def claims(show: Words = "all") -> Response:
        shown = [(system, evidence_in(results, system.slug)) for system in systems]
        return render(
            "claims.html",
            shown=[pair for pair in shown if _is_wanted(*pair, show)],
            others=[(name, evidence_in(results, name)) for name in others_in(results, systems)],
            known=len(systems),
            built=sum(system.is_built for system in systems),
            held=sum(sum(found.held) for _, found in shown),
            checked=sum(len(found.claims) for _, found in shown),
            show=show,
        )

    return router


def _is_wanted(system: System, evidence: Evidence, show: str) -> bool:
    match show:
        case "built":
            return system.is_built
        case "evidence":
            return bool(evidence.claims)
        case "broken":
            return not all(evidence.held)
    return True


def _headline(entry: Entry) -> tuple[str, str, bool]:
    """First sentence of a report, why it has none, and whether it has a page."""
    sentences, why = verdict_in(entry.folder)
    return " ".join(sentences[:1]), why, (entry.folder / "report.html").is_file()


def _found(shelf: Shelf, names: Sequence[str]) -> tuple[list[Entry], list[str]]:
    """Runs of those names, and a sentence for each that there is not."""
    entries, missing = [], []
    for name in names:
        try:
            entries.append(shelf.run(name))
        except DataError as error:
            missing.append(str(error))
    return entries, missing

"""The page is for keyboards, ears, small screens, paper and eyes that tell few colours apart."""

import importlib.util
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from mindseye.core.report import Verdict
from mindseye.evaluation.page import render

_spec = importlib.util.spec_from_file_location(
    "page_report", Path(__file__).with_name("test_page.py")
)
page_report = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(page_report)

VOID = page_report.VOID
READABLE, VISIBLE = 4.5, 3.0
"""Contrast that text needs, and that lines need (WCAG 2.2, 1.4.3 and 1.4.11)."""
TEXT = {
    "paper": ("ink", "soft", "real", "bad", "good"),
    "card": ("ink", "real"),
    "bad-paper": ("ink", "soft", "bad"),
}
"""What is written on what."""


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children, self.words = [], ""

    def __getitem__(self, name):
        return self.attributes.get(name)

    def all(self, *tags):
        """Elements below this one, in order."""
        for child in self.children:
            if child.tag in tags:
                yield child
            yield from child.all(*tags)

    def text(self):
        return self.words + "".join(child.text() for child in self.children)

    def inside(self, *classes):
        above = self.parent
        return above is not None and (
            bool({*classes} & {*(above["class"] or "").split()}) or above.inside(*classes)
        )


class Tree(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.root = self.here = Element("", {}, None)
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        made = Element(tag, dict(attrs), self.here)
        self.here.children.append(made)
        if tag not in VOID:
            self.here = made

    def handle_startendtag(self, tag, attrs):
        self.here.children.append(Element(tag, dict(attrs), self.here))

    def handle_endtag(self, tag):
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.words += data


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """A page with every part there is."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "media").mkdir()
    for name in ("film", "sheet"):
        Image.new("RGB", (900, 200)).save(folder / "media" / f"{name}.png")
    rows = [{"stage": "fit", "step": i, "loss/reward": 1 / (i + 1)} for i in range(60)]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)))
    details = {
        **page_report.full_report().details,
        "pictures": {"both/0": "media/film.png", "sheet": "media/sheet.png"},
    }
    side = {"name": "success/dream", "values": [1.0]}
    claims = [Verdict("Wins.", held, "greater", side, side, side) for held in (True, False)]
    return render(page_report.full_report(details=details, claims=claims), folder)


@pytest.fixture(scope="module")
def page(text):
    return Tree(text).root


@pytest.fixture(scope="module")
def style(page):
    return next(page.all("style")).text()


def colours(style, where):
    """The variables of `:root` in one scheme; paper and darkness change the light ones."""
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", _rules(style, "\n:root {")))
    if where != "light":
        start = {"dark": "prefers-color-scheme: dark", "print": "@media print"}[where]
        found |= re.findall(
            r"--([a-z-]+): (#[0-9a-f]{6})", _rules(style[style.index(start) :], ":root {")
        )
    return found


def _rules(style, start):
    return style[style.index(start) :].split("}", 1)[0]


def contrast(one, other):
    """Of two colours as "#rrggbb", from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


schemes = pytest.mark.parametrize("where", ["light", "dark", "print"])


@schemes
def test_text_can_be_read_on_what_it_stands_on(style, where):
    known = colours(style, where)
    found = {
        (over, under): contrast(known[over], known[under])
        for under, written in TEXT.items()
        for over in written
    }
    assert min(found.values()) >= READABLE, found


@schemes
def test_lines_and_bars_of_figures_can_be_seen(text, style, where):
    known = colours(style, where)
    drawn = set(re.findall(r'(?:stroke|fill)="var\(--([a-z-]+)\)"', text)) - {"paper"}
    assert {"ink", "real", "dream", "quiet", "bad"} <= drawn
    found = {name: contrast(known[name], known["paper"]) for name in drawn}
    assert min(found.values()) >= VISIBLE, found


def test_nothing_in_a_figure_is_faint(page):
    for figure in page.all("svg"):
        for part in figure.all("path", "use", "g", "text"):
            seen = part["fill"] != "none" or part["stroke"] not in (None, "none")
            for name in ("opacity", "stroke-opacity", "fill-opacity"):
                assert part[name] in (None, "1") or not seen


def test_colours_are_the_variables_and_no_others(text, style):
    outside = re.sub(r"--[a-z-]+: #[0-9a-f]{6}", "", style)
    assert not re.findall(r"#[0-9a-f]{3,6}\b", outside)
    assert not re.findall(r'(?:stroke|fill|color)="#', text)
    used = set(re.findall(r"[^-]color: var\(--([a-z-]+)\)", style))
    assert used <= {name for written in TEXT.values() for name in written}


def test_paper_is_white_also_when_the_screen_is_dark(style):
    known = colours(style, "print")
    assert (known["paper"], known["ink"]) == ("#ffffff", "#000000")
    assert "@media screen and (prefers-color-scheme: dark)" in style
    assert style.count("prefers-color-scheme: dark") == 1


def test_paper_shows_what_is_folded_and_cuts_no_table(style):
    printed = style[style.index("@media print") :]
    assert "details::details-content { display: block; content-visibility: visible; }" in printed
    assert ".scroll { overflow: visible; }" in printed
    assert "thead { display: table-header-group; } tr { break-inside: avoid; }" in printed


def test_the_first_stop_of_a_keyboard_skips_to_the_verdict(page):
    first = next(e for e in page.all("a", "summary", "div") if e.tag != "div" or e["tabindex"])
    assert first["class"] == "skip"
    target = next(e for e in page.all("main") if f"#{e['id']}" == first["href"])
    assert target["tabindex"] == "-1"
    assert next(target.all("p"))["class"] == "verdict"


def test_contents_lead_to_every_part(page):
    links = [(a["href"], a.text()) for a in next(page.all("nav")).all("a")]
    assert links == [(f"#{h['id']}", h.text()) for h in page.all("h2")]
    assert len(links) == 11


def test_what_scrolls_can_be_reached_and_is_named(page, style):
    assert re.findall(r"([^}\n]*) \{ overflow-x: auto; \}", style) == [".scroll"]
    regions = [e for e in page.all("div") if e["class"] == "scroll"]
    assert len(regions) == 10
    for region in regions:
        assert (region["role"], region["tabindex"]) == ("region", "0")
        assert region["aria-label"]


def test_nothing_but_what_scrolls_can_be_wider_than_a_phone(page, style):
    wide = [e for e in page.all("table", "img") if not e.inside("scroll")]
    assert wide == []
    # 22.5rem are 360 pixels
    fixed = re.findall(r"([^{}\n]*) \{[^}]*min-width: (\d[\d.]*)rem", style)
    assert {name.strip() for name, width in fixed if float(width) > 22.5} == {".strip img"}
    assert "minmax(min(100%, 21rem), 1fr)" in style
    assert "overflow-wrap: break-word" in _rules(style, "body {")


def test_every_figure_says_what_it_shows(page):
    figures = list(page.all("svg"))
    assert len(figures) == 7
    for figure in figures:
        assert figure["role"] == "img"
        title, finding = (next(figure.all(tag)) for tag in ("title", "desc"))
        assert figure["aria-labelledby"] == f"{title['id']} {finding['id']}"
        assert re.search(r"\d", finding.text())
    told = " ".join(next(figure.all("desc")).text() for figure in figures)
    assert "dream (judged) 75 %, 25 to 100" in told
    assert "3 of 3 pairs of agents stand in the same order" in told
    assert "Over 3 steps the error of the dream goes from 0.1 to 0.7" in told
    assert "stays under 0.5 for 2 steps" in told
    assert "loss/reward goes from 1 to 0.0167" in told


def test_every_picture_says_what_it_shows(page):
    film, sheet = (image["alt"] for image in page.all("img"))
    assert film.endswith("Upper row reality, lower row dream.")
    assert "row" not in sheet


def test_what_is_judged_and_what_holds_is_said_in_words(page):
    assert [e.text() for e in page.all("td") if e["class"] in ("yes", "no")] == ["yes", "no"]
    judged = next(row for row in page.all("tr") if row["class"] == "judged")
    assert next(judged.all("th")).text() == "dream (judged)"
    bars = next(page.all("svg"))
    assert "dream (judged)" in [label.text().strip() for label in bars.all("text")]


def test_headings_leave_no_level_out(page):
    levels = [int(h.tag[1]) for h in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_and_part_is_named(page):
    named = {e["id"]: e for e in page.all("h2", "summary", "title", "desc") if e["id"]}
    tables = list(page.all("table"))
    assert len(tables) == 8
    for table in tables:
        assert named.get(table["aria-labelledby"]) or next(table.all("caption")).text()
    for section in page.all("section"):
        assert named[section["aria-labelledby"]].tag == "h2"
    for cell in page.all("th"):
        assert cell["scope"] in ("col", "row", "rowgroup")


def test_no_name_is_given_twice(page):
    names = [e["id"] for e in page.all(*set(_tags(page))) if e["id"]]
    assert len(names) == len(set(names))


def _tags(element):
    for child in element.children:
        yield child.tag
        yield from _tags(child)


def test_the_language_is_told_and_nothing_runs(page):
    assert next(page.all("html"))["lang"] == "en"
    assert not list(page.all("script"))
    assert not any(
        name.startswith("on") for e in page.all("a", "svg", "g") for name in e.attributes
    )


def test_an_unhappy_name_breaks_no_figure(tmp_path):
    bad = '<b>"&'
    details = page_report.full_report().details
    agents = {bad: details["agents"]["dream"], **details["agents"]}
    page = Tree(
        render(
            page_report.full_report(details={**details, "agents": agents, "main": bad}), tmp_path
        )
    ).root
    assert f"{bad} (judged) 75 %" in next(page.all("desc")).text()
    assert not list(page.all("b"))

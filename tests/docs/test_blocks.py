"""Every Python block of the documentation runs, in order, in an empty folder."""

import re
from pathlib import Path

import pytest

from mindseye.core.report import Report
from mindseye.evaluation.tables import END, START, fill, systems_table

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs/tour.md", ROOT / "docs/extend.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_blocks_of_a_page_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope: dict = {"__name__": "page"}
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        exec(compile(block, page.name, "exec"), scope)


def test_the_table_of_the_readme_is_the_one_that_the_results_make():
    text = (ROOT / "README.md").read_text()
    assert fill(text, systems_table(ROOT / "results")) == text, "run `make readme`"


def test_every_results_file_is_a_report_with_raw_values():
    for path in (ROOT / "results").glob("*.json"):
        if path.name == "bench.json":
            continue
        report = Report.from_json(path.read_text(), str(path))
        assert set(report.details["per_seed"]) == {str(seed) for seed in report.seeds}
        for verdict in report.claims:
            assert len(verdict.method["values"]) == len(report.seeds)


def test_filling_replaces_only_what_stands_between_the_markers():
    text = f"a\n{START}\nold\n{END}\nb"
    assert fill(text, "new") == f"a\n{START}\nnew\n{END}\nb"

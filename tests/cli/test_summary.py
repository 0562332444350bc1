from pathlib import Path

from mindseye.cli.summary import print_report
from mindseye.core.report import Measure, Report


def report() -> Report:
    agent = {
        "real_returns": [-1234.5, -1000.25],
        "dream_returns": [-999.75, -1.0],
        "real_success": [True, False],
        "dream_success": [True, True],
    }
    return Report(
        name="train",
        preset="default",
        seeds=[0],
        measures=[
            Measure("real/return", -1117.4, -1234.5, -1000.25, 2, "return"),
            Measure("real/success", 0.5, 0.0, 1.0, 2, "share"),
            Measure("gap/return", float("nan"), float("nan"), float("nan"), 0, "return"),
            Measure("cost/real_steps", 50000.0, 50000.0, 50000.0, 1, "steps"),
        ],
        details={"main": "dream", "success": "x", "agents": {"dream": agent, "model-free": agent}},
    )


def test_the_table_fits_a_terminal_of_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    print_report(report(), Path("runs/x"))
    said = capsys.readouterr().out
    assert "…" not in said
    table = [line.rstrip() for line in said.splitlines() if line.startswith(("dream", "model"))]
    assert len(table) == 2
    assert max(map(len, table)) <= 80


def test_missing_numbers_are_dashes_and_the_page_is_named(capsys):
    print_report(report(), Path("runs/x"))
    said = capsys.readouterr().out
    assert "gap, real minus dream     –" in said
    assert "real steps                50 000" in said
    assert said.rstrip().endswith("The whole report: runs/x/report.html")

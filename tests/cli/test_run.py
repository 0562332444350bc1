import json
import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
from torch import nn

from mindseye.cli import main
from mindseye.core.card import Card, Claim
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options."""

    seed: int = 0
    """Of everything."""
    gain: float = 1.0
    """How much better the method is."""
    is_loud: bool = True
    """Whether it shouts."""


def run(config: Config, record: Run) -> Report:
    for step in record.steps("count", 3, keep={}):
        record.log({"score": step})
    values = {"method": config.gain + config.seed, "baseline": config.seed, "ablation": config.seed}
    measures = [Measure(name, value, value, value, 1) for name, value in values.items()]
    return Report(
        name=record.name,
        preset="smoke",
        seeds=[config.seed],
        measures=measures,
        config=record.config,
        manifest=record.manifest,
    )


@pytest.fixture(autouse=True)
def recipe(tmp_path, monkeypatch):
    """A recipe in the place of number 1."""
    made = ModuleType("mindseye.recipes.dws", "A test: it counts to three.\n\nClaims: 1) it can.")
    claim = Claim("Counting wins.", method="method", baseline="baseline", ablation="ablation")
    made.CARD = Card("dws", 1, "Counting", "none", [claim], numbers={"cpu": "3 steps"})
    made.Config, made.run = Config, run
    made.PRESETS = {"smoke": Config(), "cpu": Config(gain=2.0), "full": Config(gain=9.0)}
    made.build = lambda config: {"policy": nn.Linear(100, 10), "value": nn.Linear(10, 1)}
    made.__spec__ = ModuleSpec("mindseye.recipes.dws", None)
    monkeypatch.setitem(sys.modules, "mindseye.recipes.dws", made)
    monkeypatch.chdir(tmp_path)
    return made


def test_a_recipe_runs_over_seeds_and_its_claims_are_checked(tmp_path, capsys):
    assert main(["run", "dws", "--preset", "smoke", "--seeds", "0,2,5"]) == 0
    said = capsys.readouterr().out
    assert "holds: Counting wins." in said
    assert "method: 1, 3, 6" in said
    folder = tmp_path / "runs" / "dws" / "smoke"
    assert json.loads((folder / "report.json").read_text())["seeds"] == [0, 2, 5]
    assert (folder / "report.html").exists()
    assert (folder / "seed5" / "report.json").exists()
    assert not (tmp_path / "results").exists()


def test_options_of_the_recipe_override_the_preset(capsys):
    assert main(["run", "dws", "--preset", "smoke", "--gain", "-1", "--no-is-loud"]) == 0
    assert "does not hold: Counting wins." in capsys.readouterr().out


def test_the_preset_gives_the_defaults(capsys):
    assert main(["run", "dws", "--preset=full", "--seed", "4"]) == 0
    assert "method: 13" in capsys.readouterr().out


def test_results_are_saved_when_asked_for(tmp_path, capsys):
    assert main(["run", "dws", "--seeds", "3", "--save-results"]) == 0
    saved = json.loads((tmp_path / "results" / "dws.json").read_text())
    assert saved["details"]["per_seed"]["2"]["method"] == 4.0
    assert main(["recipes"]) == 0
    assert "DWS: holds on CPU (1/1 claims, 3 seeds)" in capsys.readouterr().out


def test_results_tell_the_command_that_makes_all_of_them(tmp_path):
    assert main(["run", "dws", "--preset", "smoke", "--seed", "0"]) == 0
    whole = ["run", "dws", "--preset", "smoke", "--seeds", "0,1", "--save-results"]
    assert main(whole) == 0
    saved = json.loads((tmp_path / "results" / "dws.json").read_text())
    assert (
        saved["manifest"]["command"] == "mindseye run dws --preset smoke --seeds 0,1 --save-results"
    )


def test_a_dry_run_counts_parameters_and_does_nothing_else(tmp_path, capsys):
    assert main(["run", "dws", "--preset", "full", "--dry-run"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split()[:3] == ["policy", "1,010", "parameters"]
    assert said[1].split()[:3] == ["value", "11", "parameters"]
    assert said[-1] == "launch: mindseye run dws --preset full"
    assert not (tmp_path / "runs").exists()


def test_other_options_do_not_continue_a_run(capsys):
    assert main(["run", "dws", "--preset", "smoke"]) == 0
    assert main(["run", "dws", "--preset", "smoke", "--gain", "3"]) == 2
    assert "gain was 1.0, is 3.0" in capsys.readouterr().err


def test_an_unknown_preset_is_refused(capsys):
    assert main(["run", "dws", "--preset", "huge"]) == 2
    assert "say one of smoke, cpu, full" in capsys.readouterr().err


def test_the_help_names_options_of_the_recipe(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "dws", "--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert "it counts to three" in said
    assert "--gain" in said


def test_without_a_name_nothing_runs(capsys):
    assert main(["run"]) == 2
    assert main(["run", "--preset", "smoke"]) == 2

import json
import re

import pytest

from mindseye.cli import main
from mindseye.cli.evidence import evidence
from mindseye.core.errors import DataError
from mindseye.recipes.catalogue import SYSTEMS


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_there_are_44_systems_in_order():
    assert [system.number for system in SYSTEMS] == list(range(1, 45))
    assert len({system.slug for system in SYSTEMS}) == 44
    assert len({system.arxiv for system in SYSTEMS}) == 44


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.slug)
def test_every_system_is_described_in_one_sentence(system):
    assert re.fullmatch(r"[a-z0-9_]+", system.slug)
    assert re.fullmatch(r"\d{4}\.\d{5}", system.arxiv)
    assert re.search(r"\((19|20)\d\d\)$", system.paper)
    assert system.summary.endswith((".", "?"))
    assert len(system.summary) < 160


def test_the_list_shows_them_all(capsys):
    assert main(["recipes"]) == 0
    said = capsys.readouterr().out
    assert all(f" {system.slug} " in said for system in SYSTEMS)


def test_built_ones_are_listed_for_scripts(capsys):
    assert main(["recipes", "--built"]) == 0
    assert capsys.readouterr().out.split() == [s.slug for s in SYSTEMS if s.is_built]


@pytest.mark.parametrize("system", [s for s in SYSTEMS if s.is_built], ids=lambda s: s.slug)
def test_a_built_one_tells_what_it_claims(system, capsys):
    assert main(["recipes", system.slug]) == 0
    said = capsys.readouterr().out
    assert f"arXiv {system.arxiv}" in said
    assert f"mindseye run {system.slug}" in said
    assert "Claims:" in said


def results(folder, preset, held):
    claims = [{"holds": holds} for holds in held]
    text = json.dumps({"preset": preset, "seeds": [0, 1], "claims": claims})
    (folder / "some.json").write_text(text)
    return evidence("some", folder)


@pytest.mark.parametrize(
    ("preset", "held", "level"),
    [
        ("smoke", [True], "wired (1/1 claims, 2 seeds)"),
        ("cpu", [True, True], "holds on CPU (2/2 claims, 2 seeds)"),
        ("cpu", [True, False], "holds in part on CPU (1/2 claims, 2 seeds)"),
        ("cpu", [False, False], "does not hold on CPU (0/2 claims, 2 seeds)"),
        ("full", [True], "holds at scale (1/1 claims, 2 seeds)"),
        ("medium-crafter", [True], "holds at scale (1/1 claims, 2 seeds)"),
        ("default", [True], "holds on CPU (1/1 claims, 2 seeds)"),
        ("cpu", [], "wired (0/0 claims, 2 seeds)"),
    ],
)
def test_evidence_is_read_from_results(tmp_path, preset, held, level):
    assert results(tmp_path, preset, held) == level


def test_no_results_are_no_evidence(tmp_path):
    assert evidence("some", tmp_path) == ""


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"claims": [1], "seeds": [], "preset": "cpu"}'])
def test_damaged_results_are_named(tmp_path, text):
    (tmp_path / "some.json").write_text(text)
    with pytest.raises(DataError, match=r"some\.json"):
        evidence("some", tmp_path)

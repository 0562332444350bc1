"""The small language model by the command line: from nothing, and further."""

import json

import pytest

from mindseye.cli.main import main
from mindseye.models.language.small import load_small
from mindseye.stages import language


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """Few lessons, and a short examination."""
    monkeypatch.setattr(language, "_FOR_VOCABULARY", 40)
    monkeypatch.setattr("mindseye.cli.fit_language._ASKED", 2)


def fitted(folder, *more):
    sizes = ("--units", "16", "--layers", "1", "--heads", "2", "--updates", "2", "--batch", "2")
    assert main(["fit-language", "--out", str(folder), *sizes, *more]) == 0
    return json.loads((folder / "card.json").read_text())


def test_a_model_goes_on_from_another_and_its_card_says_so(tmp_path, capsys):
    first = fitted(tmp_path / "first")
    second = fitted(tmp_path / "second", "--start", str(tmp_path / "first"))
    assert second["start"]["seed"] == first["seed"]
    assert second["words"] == first["words"]
    assert load_small(tmp_path / "second").sizes == first["sizes"]
    assert "unseen lessons" in capsys.readouterr().out


def test_a_start_that_is_no_model_is_refused(tmp_path, capsys):
    assert main(["fit-language", "--out", str(tmp_path / "o"), "--start", str(tmp_path)]) == 2
    assert "no language model" in capsys.readouterr().err

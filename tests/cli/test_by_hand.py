import json

import numpy as np
import pytest
from PIL import Image

from mindseye.cli import main


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "episodes"
    arguments = ["--world", "CartPole-v1", "--steps", "100", "--out", str(folder)]
    assert main(["collect", *arguments]) == 0
    return folder


def test_collecting_twice_collects_once(collected, capsys):
    arguments = ["--world", "CartPole-v1", "--steps", "100", "--out", str(collected)]
    assert main(["collect", *arguments]) == 0
    assert "16 episodes" in capsys.readouterr().out


def test_a_model_is_fitted_to_what_was_collected(collected, tmp_path, capsys):
    arguments = ["--size", "tiny", "--updates", "2", "--batch", "4", "--length", "5"]
    out = str(tmp_path / "fitted")
    assert main(["fit", "--data", str(collected), "--out", out, *arguments]) == 0
    assert (tmp_path / "fitted" / "model" / "card.json").exists()


def test_a_planner_searches_in_the_true_simulator(capsys):
    arguments = ["--world", "FrozenLake-v1", "--oracle", "--planner", "beam", "--horizon", "2"]
    assert main(["plan", *arguments, "--episodes", "1"]) == 0
    assert "model steps per decision  20" in capsys.readouterr().out


def test_a_look_at_the_data_in_numbers(collected, capsys):
    assert main(["data", "inspect", str(collected), "--as-json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 16


def test_a_look_at_the_data_in_a_picture(collected, tmp_path):
    path = tmp_path / "look.png"
    assert main(["data", "preview", str(collected), "--out", str(path)]) == 0
    with Image.open(path) as picture:
        assert picture.format == "PNG"


def test_files_are_imported(tmp_path, capsys):
    rows = {"observations": np.zeros((4, 2), np.float32), "actions": np.array([0, 1, 0])}
    np.savez(tmp_path / "one.npz", **rows, rewards=np.ones(3), terminals=True, timeouts=False)
    out = tmp_path / "imported"
    assert main(["data", "import", str(tmp_path / "one.npz"), "--out", str(out)]) == 0
    assert "3 steps in 1 episodes" in capsys.readouterr().out


def test_an_import_does_not_write_over_something(collected, capsys):
    assert main(["data", "import", "whatever", "--out", str(collected)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_data_are_exported_to_minari(collected, tmp_path, monkeypatch, capsys):
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert main(["data", "export", str(collected), "test/cartpole-v0"]) == 0
    assert (tmp_path / "test" / "cartpole-v0").is_dir()

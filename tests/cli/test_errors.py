import pickle
import warnings

import numpy as np
import pytest

from mindseye.cli import main
from mindseye.cli.run import read_seeds
from mindseye.core.errors import ConfigError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        yield


WRONG = [
    (["trainn"], "did you mean train?"),
    (["sing"], "verbs are recipes"),
    (["train", "--world", "CartPol-v1"], "CartPole-v1"),
    (["train", "--world", "CartPole-v1", "--batch", "0"], "--batch: expected at least 1, got 0"),
    (["train", "--world", "CartPole-v1", "--seed", "-1"], "--seed: expected 0 or more"),
    (["train", "--world", "CartPole-v1", "--device", "quantum"], "--device quantum"),
    (["train", "--data", "missing"], "missing: no experience found"),
    (["collect", "--world", "CartPole-v1", "--out", "x", "--steps", "0"], "--steps"),
    (["fit", "--data", "missing", "--out", "x"], "missing: no experience found"),
    (["plan", "--world", "CartPole-v1"], "say either --model FOLDER or --oracle"),
    (["plan", "--world", "CartPole-v1", "--model", "missing"], "missing: no such folder"),
    (["plan", "--world", "CartPole-v1", "--oracle", "--horizon", "0"], "--horizon"),
    (["compare", "--world", "CartPole-v1", "--model", "missing"], "missing: no such folder"),
    (["run", "dreamr4"], "did you mean dreamer4"),
    (["run", "video_models"], "did you mean video_models_robotics"),
    (["recipes", "zzz"], "no recipe named 'zzz'"),
    (["data", "look"], "say one of import, export, inspect, preview"),
    (["data", "inspect", "missing"], "missing: no experience found"),
    (["data", "import", "missing", "--out", "new"], "missing: no experience found"),
]


@pytest.mark.parametrize(("arguments", "cause"), WRONG, ids=[" ".join(w[0]) for w in WRONG])
def test_a_wrong_input_is_one_line_and_exit_code_2(arguments, cause, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert len(said.strip().splitlines()) == 1
    assert cause in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--bath", "3"],
        ["train", "--batch", "many"],
        ["train", "--size", "gigantic"],
        ["plan"],
        ["plan", "--world", "CartPole-v1", "--planner", "guess"],
    ],
)
def test_an_unknown_option_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_pickled_experience_is_refused(tmp_path, capsys):
    (tmp_path / "data.pkl").write_bytes(pickle.dumps({"observations": np.zeros(3)}))
    assert main(["data", "inspect", "data.pkl"]) == 2
    assert "error: " in capsys.readouterr().err


def test_a_pickled_checkpoint_is_refused(tmp_path, capsys):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "card.json").write_bytes(pickle.dumps({"kind": "world model"}))
    assert main(["plan", "--world", "CartPole-v1", "--model", "model"]) == 2
    assert "error: " in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["train", "--world", "CartPole-v1", "--out", "file/inside"]) == 2
    assert "file/inside" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mindseye.cli.doctor.main", stop)
    assert main(["doctor"]) == 130
    assert "run the same command again to go on" in capsys.readouterr().err


def test_a_warning_is_one_line(monkeypatch, capsys):
    def warn(_):
        warnings.simplefilter("always")
        warnings.warn("the disk is slow", stacklevel=1)
        return 0

    monkeypatch.setattr("mindseye.cli.doctor.main", warn)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().err == "warning: the disk is slow\n"


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", [0, 1, 2]), ("0,4,2", [0, 4, 2]), ("7,", [7]), ("1", [0])]
)
def test_seeds_are_counted_or_named(text, seeds):
    assert read_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "a", "1,1", "-1", "0,-1", "1.5"])
def test_senseless_seeds_are_refused(text):
    with pytest.raises(ConfigError, match="--seeds"):
        read_seeds(text)

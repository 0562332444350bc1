import json
import time

import numpy as np
import pytest

from mindseye.cli import main

TINY = [
    "--steps", "200", "--size", "tiny", "--fit-updates", "6", "--dream-updates", "4",
    "--batch", "4", "--length", "6", "--starts", "8", "--horizon", "4", "--clone-updates", "4",
    "--episodes", "4",
]  # fmt: skip


def measures(folder) -> dict:
    found = json.loads((folder / "report.json").read_text())["measures"]
    return {m["name"]: m["value"] for m in found if m["name"] != "cost/seconds"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train") / "run"
    assert main(["train", "--world", "CartPole-v1", *TINY, "--out", str(folder)]) == 0
    return folder


def test_a_run_leaves_its_evidence(trained):
    for name in ("report.html", "report.json", "config.json", "manifest.json", "metrics.csv"):
        assert (trained / name).stat().st_size > 0
    for name in ("model", "policy"):
        assert (trained / name / "card.json").exists()


def test_the_report_compares_the_agent_with_its_rivals(trained):
    found = measures(trained)
    for name in ("real/return", "dream/return", "gap/return", "baseline/random",
                 "baseline/imitation", "baseline/model_free", "horizon/trust_steps"):  # fmt: skip
        assert name in found
    assert found["cost/real_steps"] >= 200


def test_the_same_command_again_repeats_nothing(trained, capsys):
    before, began = measures(trained), time.process_time()
    assert main(["train", "--world", "CartPole-v1", *TINY, "--out", str(trained)]) == 0
    assert np.array_equal(list(measures(trained).values()), list(before.values()), equal_nan=True)
    assert time.process_time() - began < 5
    said = capsys.readouterr()
    assert "fitting the world model: done" in said.err
    assert str(trained / "report.html") in said.out


def test_another_run_does_not_overwrite_it(trained, capsys):
    other = [*TINY[:-1], "5"]
    assert main(["train", "--world", "CartPole-v1", *other, "--out", str(trained)]) == 2
    assert "episodes was 4, is 5" in capsys.readouterr().err


def test_an_agent_learns_from_recorded_episodes_alone(trained, tmp_path, capsys):
    arguments = [
        word
        for pair in zip(TINY[::2], TINY[1::2], strict=True)
        if pair[0] != "--steps"
        for word in pair
    ]
    data = str(trained / "episodes")
    assert main(["train", "--data", data, *arguments, "--out", str(tmp_path / "offline")]) == 0
    assert "No real test was made" in capsys.readouterr().out
    found = measures(tmp_path / "offline")
    assert not any(name.startswith("real/") for name in found)
    assert {"dream/return", "data/return", "horizon/trust_steps"} <= found.keys()


def test_agents_are_compared_in_a_trained_model(trained, tmp_path, capsys):
    out = tmp_path / "compared"
    arguments = ["--model", str(trained), "--world", "CartPole-v1", "--episodes", "3"]
    assert main(["compare", *arguments, "--horizon", "6", "--out", str(out)]) == 0
    report = json.loads((out / "report.json").read_text())
    assert list(report["details"]["agents"]) == ["dream", "random"]
    assert report["details"]["main"] == "dream"


def test_a_planner_searches_in_a_trained_model(trained, capsys):
    arguments = ["--model", str(trained), "--world", "CartPole-v1", "--episodes", "2"]
    assert main(["plan", *arguments, "--planner", "beam", "--horizon", "2"]) == 0
    said = capsys.readouterr().out
    # depth 1 has 2 lines, depth 2 has 4
    assert "model steps per decision  6" in said


def test_a_trained_agent_collects_more(trained, tmp_path, capsys):
    out = tmp_path / "more"
    arguments = ["--world", "CartPole-v1", "--agent", str(trained), "--steps", "20"]
    assert main(["collect", *arguments, "--out", str(out)]) == 0
    assert main(["data", "inspect", str(out), "--as-json"]) == 0
    said = capsys.readouterr().out
    assert json.loads(said[said.index("{") :])["steps"] >= 20


def test_a_model_of_another_world_is_refused(trained, capsys):
    assert main(["plan", "--model", str(trained), "--world", "FrozenLake-v1"]) == 2
    assert "observation space" in capsys.readouterr().err


def test_an_agent_without_a_meaning_is_refused(trained, tmp_path, capsys):
    arguments = ["--model", str(trained), "--world", "CartPole-v1", "--agents", "nobody"]
    assert main(["compare", *arguments, "--out", str(tmp_path / "x")]) == 2
    assert "no agent 'nobody'" in capsys.readouterr().err

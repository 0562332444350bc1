import json
import os
import time

import numpy as np
import pytest
import torch
from torch import nn

from mindseye.core.errors import CheckpointError, ConfigError
from mindseye.core.run import Run


class Killed(Exception):
    pass


def walk(folder, *, stop_after=None, width=3, checkpoint_seconds=0.0):
    """A toy learning loop with every kind of state; may die after a number of steps."""
    with Run(
        folder, name="toy", config={"width": width}, checkpoint_seconds=checkpoint_seconds
    ) as run:
        run.seed_torch("model")
        model, rng = nn.Linear(width, 1), run.rng("data")
        adam = torch.optim.Adam(model.parameters())
        keep = {"model": model, "adam": adam, "rng": rng}
        for done, _ in enumerate(run.steps("first", 12, keep=keep), 1):
            x = torch.from_numpy(rng.normal(size=(4, width))).float()
            loss = (model(x) - torch.randn(4, 1)).square().mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            run.log({"loss": loss.item()})
            if done == stop_after:
                raise Killed
        score = run.once("score", lambda: {"w": model.weight.sum().item(), "r": torch.rand(1)[0]})
        return score, [row["loss"] for row in run.metrics()]


@pytest.mark.parametrize("stop_after", [1, 5, 11])
def test_an_interrupted_run_ends_bit_for_bit_like_an_uninterrupted_one(tmp_path, stop_after):
    expected = walk(tmp_path / "whole")
    with pytest.raises(Killed):
        walk(tmp_path / "cut", stop_after=stop_after)
    assert walk(tmp_path / "cut") == expected


def test_a_finished_stage_is_restored_not_repeated(tmp_path):
    first = walk(tmp_path)
    stamp = (tmp_path / "checkpoints/first.safetensors").stat().st_mtime_ns
    assert walk(tmp_path) == first
    assert (tmp_path / "checkpoints/first.safetensors").stat().st_mtime_ns == stamp


def test_a_folder_of_another_run_is_refused_with_the_difference(tmp_path):
    walk(tmp_path)
    with pytest.raises(ConfigError, match="width was 3, is 4"):
        walk(tmp_path, width=4)


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path):
    walk(tmp_path)
    with Run(tmp_path, name="toy", config={"width": 3}) as run:
        keep = {"model": nn.Linear(5, 1), "adam": run.rng("a"), "rng": run.rng("b")}
        with pytest.raises(CheckpointError, match="model is of another architecture"):
            next(iter(run.steps("first", 12, keep=keep)))


def test_a_stage_can_end_early_and_stays_ended(tmp_path):
    def steps():
        with Run(tmp_path, name="toy", config={}) as run:
            taken = []
            for step in run.steps("loop", 1000, keep={"rng": np.random.default_rng(0)}):
                taken.append(step)
                if step == 2:
                    run.end_stage()
            return taken

    assert steps() == [0, 1, 2]
    assert steps() == []


def test_metrics_are_written_as_lines_and_as_a_table(tmp_path):
    walk(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(12))
    header, *lines = (tmp_path / "metrics.csv").read_text().splitlines()
    assert header == "stage,step,loss"
    assert len(lines) == 12


def test_purposes_have_independent_random_streams(tmp_path):
    with Run(tmp_path, name="toy", config={}) as run:
        assert run.rng("a").integers(1 << 40) != run.rng("b").integers(1 << 40)
        assert run.rng("a").integers(1 << 40) == run.rng("a").integers(1 << 40)


def word_in(folder):
    return json.loads((folder / "progress.json").read_text())


def test_a_run_leaves_word_of_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("mindseye.core.run._WORD_SECONDS", 0.0)
    with Run(tmp_path, name="toy", config={}) as run:
        for step in run.steps("first", 5, keep={}):
            if step == 3:
                told = word_in(tmp_path)
                assert (told["stage"], told["done"], told["total"]) == ("first", 3, 5)
                assert (told["first"], told["ended"], told["pid"]) == (1, False, os.getpid())
                assert told["began"] <= told["updated"] <= time.time()
        assert run.once("score", lambda: word_in(tmp_path)["stage"]) == "score"
    told = word_in(tmp_path)
    assert (told["stage"], told["done"], told["ended"], told["pid"]) == ("score", 1, True, None)
    assert not list(tmp_path.glob("*.tmp"))


def test_word_is_left_before_anything_is_done(tmp_path):
    with Run(tmp_path, name="toy", config={}) as run:
        assert (word_in(tmp_path)["pid"], word_in(tmp_path)["ended"]) == (os.getpid(), False)
        for _ in run.steps("slow", 1, keep={}):
            assert (word_in(tmp_path)["stage"], word_in(tmp_path)["done"]) == ("slow", 0)


def test_a_run_goes_on_where_no_word_can_be_left(tmp_path):
    (tmp_path / "progress.tmp").mkdir()
    with Run(tmp_path, name="toy", config={}) as run:
        assert list(run.steps("first", 3, keep={})) == [0, 1, 2]


def test_the_command_can_be_given_again(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["mindseye", "collect", "--out", "my runs/$one"])
    with Run(tmp_path, name="toy", config={}) as run:
        assert run.manifest["command"] == "mindseye collect --out 'my runs/$one'"


def test_a_run_that_fails_leaves_word_that_nobody_works_on_it(tmp_path):
    with pytest.raises(Killed):
        walk(tmp_path, stop_after=5)
    assert (word_in(tmp_path)["ended"], word_in(tmp_path)["pid"]) == (False, None)


def test_words_are_left_now_and_then_only(tmp_path, monkeypatch):
    written = []
    leave = Run._leave_word
    monkeypatch.setattr(
        Run, "_leave_word", lambda run, **told: (written.append(1), leave(run, **told))
    )
    with Run(tmp_path, name="toy", config={}) as run:
        for _ in run.steps("first", 1000, keep={}):
            pass
    assert len(written) == 3


def test_progress_in_another_unit_is_told_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr("mindseye.core.run._WORD_SECONDS", 0.0)
    with Run(tmp_path, name="toy", config={}) as run:
        for _ in run.steps("first", 3, keep={}):
            run.report_progress(50, 700)
    assert (word_in(tmp_path)["done"], word_in(tmp_path)["total"]) == (50, 700)

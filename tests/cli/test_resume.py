"""A run killed at any moment goes on, with the same command, to the same numbers."""

import json
import math
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

DRIVER = """
import sys
from dataclasses import asdict
from mindseye.core.run import Run
from mindseye.stages.loop import LoopConfig, run_loop

config = LoopConfig(
    world="CartPole-v1", steps=150, size="tiny", fit_updates=16, dream_updates=12, batch=4,
    length=6, starts=8, horizon=4, episodes=4, clone_updates=8,
)
print("ready", flush=True)
with Run(sys.argv[1], name="train", config=asdict(config), checkpoint_seconds=0.0) as run:
    run_loop(config, run)
"""


def start(folder: Path) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(folder: Path) -> float:
    """Run to the end; seconds it took."""
    began = time.monotonic()
    with start(folder) as process:
        assert process.wait() == 0
    return time.monotonic() - began


def numbers(folder: Path) -> dict:
    measures = json.loads((folder / "report.json").read_text())["measures"]
    return {
        m["name"]: (m["value"], m["low"], m["high"], m["n"])
        for m in measures
        if m["name"] != "cost/seconds"
    }


def equal(one: dict, other: dict) -> bool:
    def same(a: float, b: float) -> bool:
        return a == b or (math.isnan(a) and math.isnan(b))

    return one.keys() == other.keys() and all(
        same(a, b) for name in one for a, b in zip(one[name], other[name], strict=True)
    )


def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    seconds = finish(whole)
    moments, kills = random.Random(0), 0
    for _ in range(2):
        with start(broken) as process:
            time.sleep(moments.uniform(0.05, 0.35) * seconds)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
    finish(broken)
    assert kills >= 1
    assert equal(numbers(broken), numbers(whole))
    rows = [(folder / "metrics.jsonl").read_bytes() for folder in (broken, whole)]
    assert rows[0] == rows[1]

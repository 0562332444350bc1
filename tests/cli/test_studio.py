import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest

pytest.importorskip("fastapi")

from mindseye.cli.studio import main
from mindseye.core.errors import ConfigError
from mindseye.core.run import Run


@pytest.fixture
def served(tmp_path):
    """The address of a studio of a folder with one run."""
    with Run(tmp_path / "runs/mine", name="train", config={"world": "CartPole-v1"}):
        pass
    command = [sys.executable, "-m", "mindseye", "studio", "--port", "0", "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    yield server.stdout.readline().strip()
    server.send_signal(signal.SIGINT)
    assert server.wait(20) == 130
    server.stdout.close()


def test_the_command_serves_pages_until_stopped(served):
    assert served.startswith("http://127.0.0.1:")
    for path, said in (("", "CartPole-v1"), ("runs/mine", "finished"), ("claims", "44 published")):
        with urlopen(served + path) as answer:
            assert said in answer.read().decode()


def test_a_run_is_no_folder_of_runs(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="is a run; name the folder that holds it"):
        main(["--runs", str(tmp_path)])

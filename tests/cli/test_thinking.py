import pytest

from mindseye.cli.main import main
from mindseye.experience import Replay


def test_an_agent_made_of_thoughts_collects(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("mindseye.cli.collect.NUM_WORLDS", 2)
    out = tmp_path / "episodes"
    arguments = ["collect", "--world", "text/shop", "--agent", "plan,react", "--language", "small"]
    assert main([*arguments, "--steps", "2", "--out", str(out)]) == 0
    assert "questions in" in capsys.readouterr().out
    episode = Replay.open(out).episode(0)
    assert "plan: question: which sub-goals lead there?" in episode.extras["thought"][0]
    told = (out / "thoughts.txt").read_text()
    assert told.startswith("Task: buy")
    assert f"\n> {episode.actions[0]}\n" in told


@pytest.mark.parametrize(
    ("world", "agent", "said"),
    [
        ("text/shop", "react,dream", "no thought 'dream'"),
        ("text/shop", "plan", "decides nothing"),
        ("CartPole-v1", "react", "not spoken to"),
    ],
)
def test_thoughts_that_make_no_agent_are_named(tmp_path, capsys, world, agent, said):
    arguments = ["--world", world, "--agent", agent, "--out", str(tmp_path / "x")]
    assert main(["collect", *arguments]) == 2
    assert said in capsys.readouterr().err

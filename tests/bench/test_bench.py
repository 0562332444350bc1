import json

import pytest

from mindseye.bench import main
from mindseye.bench.timing import alternate, ratio, summary
from mindseye.core.errors import ConfigError


def test_figures_are_written_with_the_machine_they_belong_to(tmp_path, capsys):
    main(quick=True, only=("returns", "python_worlds"), save=tmp_path / "bench.json")
    figures = json.loads((tmp_path / "bench.json").read_text())
    assert figures["groups"].keys() == {"returns", "python_worlds"}
    assert figures["groups"]["returns"]["rate"]["mindseye"]["median"] > 0
    assert figures["machine"]["hardware"]["processor"]
    assert "python_worlds" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="python_worlds"):
        main(only=("nonsense",))


def test_candidates_take_turns():
    order = []
    calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    alternate(calls, rounds=2, at_least=0.0)
    assert "".join(order).replace("aa", "a").replace("bb", "b") == "abab"


def test_ratios_are_taken_round_by_round():
    assert ratio([2.0, 9.0], [1.0, 3.0]) == summary([2.0, 3.0])


def test_visitors_of_the_studio_are_counted_over_real_sockets(tmp_path, capsys):
    pytest.importorskip("fastapi")
    found = main(quick=True, only=("studio",), save=tmp_path / "bench.json")["studio"]["many"]
    assert found["visitors"] == 3
    assert found["steps"] > 3
    assert 0 < found["p50"] <= found["p95"] <= found["worst"]
    assert "frames/s each" in capsys.readouterr().out
    assert json.loads((tmp_path / "bench.json").read_text())["groups"] == {}

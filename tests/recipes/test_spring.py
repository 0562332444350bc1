import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from mindseye.cli import main
from mindseye.core.errors import ConfigError
from mindseye.core.run import Run
from mindseye.recipes import spring
from mindseye.recipes.spring import CARD, PRESETS, READERS, firsts, manual_of, run
from mindseye.worlds.minicraft import invented, manual

IS_MISSING = importlib.util.find_spec("crafter") is None
needs_crafter = pytest.mark.skipif(
    IS_MISSING, reason='Crafter is missing: pip install "mindseye[crafter]"'
)
TINY = replace(PRESETS["medium-crafter"], rows=2, steps=4, ppo_steps=16, seed=100)


def record(folder, seed=100):
    return Run(folder, name="spring", config={}, seed=seed)


def test_the_smoke_preset_reports_every_reader_and_what_it_spent(tmp_path):
    with record(tmp_path) as seated:
        report = run(replace(PRESETS["smoke"], seed=100), seated)
    names = {measure.name for measure in report.measures}
    assert {f"achievements/{name}" for name in (*READERS, "ppo", "random")} <= names
    assert report.measure("language/calls").value > 0
    assert report.details["worlds"][0]["trace"]


def test_the_same_command_again_gives_the_same_report(tmp_path):
    config = replace(PRESETS["smoke"], seed=100)
    with record(tmp_path) as first:
        before = run(config, first).measures
    with record(tmp_path) as again:
        assert run(config, again).measures == before


def test_a_shuffled_manual_keeps_its_words(tmp_path):
    config = PRESETS["cpu"]
    with record(tmp_path) as seated:
        told = manual_of(config, seated, 0, 100, "read")
        shuffled = manual_of(config, seated, 0, 100, "shuffled")
    assert sorted(" ".join(told).split()) == sorted(" ".join(shuffled).split())
    assert list(told) != list(shuffled)


def test_a_foreign_manual_has_this_worlds_names_and_other_laws(tmp_path):
    config = replace(PRESETS["cpu"], idle=0)
    with record(tmp_path) as seated:
        told = " ".join(manual_of(config, seated, 0, 100, "foreign"))
    here = invented(100)
    for law in here.crafts:
        assert law.item in told
    assert told != " ".join(manual(here, np.random.default_rng(0)))


def test_the_full_preset_builds():
    assert sum(p.numel() for p in spring.build(PRESETS["full"])["language"].parameters()) > 1e6


def test_health_is_taken_out_of_what_crafter_pays():
    assert [firsts(earned) for earned in (0.0, -0.9, 3.0, 2.1, 2.9 + 1e-5)] == [0, 0, 3, 3, 3]


def test_a_world_without_a_manual_is_refused(tmp_path):
    with record(tmp_path) as seated, pytest.raises(ConfigError, match="choose crafter"):
        run(replace(PRESETS["smoke"], world="CartPole-v1"), seated)


@pytest.mark.skipif(not IS_MISSING, reason="Crafter is installed")
def test_without_crafter_its_extra_is_named(tmp_path, capsys):
    arguments = ["run", "spring", "--preset", "medium-crafter", "--seeds", "100"]
    assert main([*arguments, "--out", str(tmp_path / "run")]) != 0
    assert 'pip install "mindseye[crafter]"' in capsys.readouterr().err


@pytest.mark.slow
@needs_crafter
def test_crafter_is_read_about_and_played(tmp_path):
    with record(tmp_path) as seated:
        report = run(TINY, seated)
    for name in (*READERS, "ppo", "random"):
        assert report.measure(f"achievements/{name}").n == TINY.rows
        assert report.measure(f"reward/{name}").value <= 22
    for claim in CARD.claims:
        for name in (claim.method, claim.baseline, claim.ablation):
            report.measure(name)
    assert len(report.details["worlds"][0]["notes"]) >= 22


@needs_crafter
def test_crafters_manual_is_shuffled_or_anothers(tmp_path):
    with record(tmp_path) as seated:
        told, shuffled, foreign = (
            manual_of(TINY, seated, 0, 0, name) for name in ("read", "shuffled", "foreign")
        )
    assert sorted(" ".join(told).split()) == sorted(" ".join(shuffled).split())
    assert "To collect wood, face tree and do." in told
    assert not any(sentence.startswith("To collect wood, face tree") for sentence in foreign)

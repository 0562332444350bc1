from dataclasses import replace

import numpy as np

from mindseye.core.run import Run
from mindseye.recipes import spring
from mindseye.recipes.spring import PRESETS, READERS, manual_of, run
from mindseye.worlds.minicraft import invented, manual


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

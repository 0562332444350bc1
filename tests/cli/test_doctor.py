import subprocess
import sys

import pytest

from mindseye.cli import doctor, main


@pytest.fixture
def quick(monkeypatch):
    """Torch is not tried again in every test."""
    monkeypatch.setattr(doctor, "_torch", list)


def test_this_machine_is_well(tmp_path, capsys):
    assert main(["doctor", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "ok       torch import" in said
    assert "language model" in said
    assert "everything essential works" in said


def test_a_missing_package_is_broken(quick, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "required", lambda: {"": ["no-such-package"]})
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "pip install no-such-package" in said
    assert "broken: no-such-package" in said


def test_a_missing_extra_is_not_broken(quick, monkeypatch, capsys):
    packages = {"": ["numpy"], "dreams": ["no-such-package"]}
    monkeypatch.setattr(doctor, "required", lambda: packages)
    assert main(["doctor"]) == 0
    assert 'pip install "mindseye[dreams]"' in capsys.readouterr().out


def test_a_torch_that_does_not_load_is_broken(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_PROBE", "raise ImportError('libtorch is gone')")
    assert main(["doctor"]) == 1
    assert "libtorch is gone" in capsys.readouterr().out


def test_a_torch_that_hangs_is_broken(monkeypatch):
    def hang(*_, timeout, **__):
        raise subprocess.TimeoutExpired(sys.executable, timeout)

    monkeypatch.setattr(doctor.subprocess, "run", hang)
    assert main(["doctor"]) == 1


def test_a_full_disk_is_broken(quick, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(doctor, "_LEAST_GIGABYTES", 1e9)
    assert main(["doctor", "--out", str(tmp_path)]) == 1
    assert "broken: disk" in capsys.readouterr().out


def test_a_folder_that_is_a_file_is_broken(quick, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["doctor", "--out", str(tmp_path / "file")]) == 1
    assert "broken: folder" in capsys.readouterr().out


def test_what_is_needed_is_read_from_the_package_itself():
    found = doctor.required()
    assert {"numpy", "torch", "gymnasium"} <= set(found[""])
    assert found["grid"] == ["minigrid"]
    assert "dev" not in found


def test_packages_behind_the_extras_of_others_are_needed_too(monkeypatch):
    lines = {"mindseye": ['a[b]>=1; extra == "play"'], "a": ["x", 'y; extra == "b"']}
    monkeypatch.setattr(doctor, "requires", lines.get)
    assert doctor.required()["play"] == ["a", "y"]

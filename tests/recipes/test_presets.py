import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import mindseye
from mindseye.cli import main
from mindseye.core.errors import MissingExtra
from mindseye.recipes.catalogue import SYSTEMS
from mindseye.stages.places import Place
from mindseye.worlds import make

PYPROJECT = Path(mindseye.__file__).parents[1] / "pyproject.toml"
EXTRAS = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]


def presets():
    for system in SYSTEMS:
        if system.is_built:
            recipe = import_module(f"mindseye.recipes.{system.slug}")
            for name, config in recipe.PRESETS.items():
                yield system.slug, name, getattr(config, "world", None)


WORLDS = sorted({world for *_, world in presets() if isinstance(world, str)})


def missing_extra(build):
    try:
        build()
    except MissingExtra as missing:
        return missing
    return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("world", WORLDS)
def test_a_presets_world_is_there_or_names_its_extra(world):
    missing = missing_extra(lambda: make(world, 1).close())
    if missing is not None:
        assert f'pip install "mindseye[{missing.extra}]"' in str(missing)
        assert missing.extra in EXTRAS


def test_worlds_of_others_are_used_at_medium():
    used = {world for _, name, world in presets() if name.startswith("medium") and world}
    for family in ("alfworld/", "textworld", "scienceworld/", "crafter"):
        assert any(world.startswith(family) for world in used)


@pytest.mark.parametrize("world", ["alfworld/any", "textworld", "scienceworld/find-living-thing"])
def test_a_run_without_the_package_says_what_to_install(world, tmp_path, capsys):
    missing = missing_extra(lambda: Place(world, seed=0).close())
    if missing is None:
        pytest.skip("the package is installed")
    preset = f"medium-{world.partition('/')[0]}"
    arguments = ["run", "dreamgym", "--preset", preset, "--seeds", "100"]
    assert main([*arguments, "--out", str(tmp_path / "run")]) != 0
    assert f'pip install "mindseye[{missing.extra}]"' in capsys.readouterr().err

import os
import subprocess
import sys
from importlib import import_module

import pytest

from mindseye.cli import main
from mindseye.cli.main import VERBS


def python(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


def test_the_verbs_are_these():
    assert list(VERBS) == [
        "recipes", "run", "train", "collect", "fit", "fit-language", "plan", "play", "studio",
        "compare", "data", "bench", "doctor",
    ]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_lives_in_the_file_of_its_name(verb):
    assert callable(import_module(f"mindseye.cli.{verb.replace('-', '_')}").main)


@pytest.mark.parametrize("verb", [v for v in VERBS if v not in ("run", "data")])
def test_the_help_of_a_verb_shows_examples(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert f"  mindseye {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["run", "data"])
def test_the_help_of_a_verb_with_a_second_word_shows_examples(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"  mindseye {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_without_a_verb_there_is_one_screen(arguments, capsys):
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb}" in shown for verb in VERBS)
    assert len(shown.splitlines()) < 24
    assert max(map(len, shown.splitlines())) <= 100


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["recipes"], ["recipes", "dreamer4"], ["doctor", "--help"]]
)
def test_looking_around_does_not_import_torch(arguments):
    code = (
        "import sys\n"
        "from mindseye.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert python("-c", code).returncode == 0


def test_doctor_does_not_import_torch_into_its_own_process(tmp_path):
    code = (
        "import sys\n"
        "from mindseye.cli import main\n"
        f"main(['doctor', '--out', {str(tmp_path)!r}])\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert python("-c", code).returncode == 0


def test_the_recipes_are_listed_at_once():
    before = os.times()
    assert python("-m", "mindseye", "recipes").returncode == 0
    after = os.times()
    spent = after.children_user + after.children_system
    assert spent - before.children_user - before.children_system < 0.5


def test_as_a_module_it_is_the_same():
    assert (
        python("-m", "mindseye").stdout
        == python("-c", "from mindseye.cli import main; main([])").stdout
    )

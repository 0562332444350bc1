"""Which verb was asked for, and what becomes of errors. Imports nothing heavy."""

import difflib
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module

from mindseye.core.errors import MindseyeError

VERBS = {
    "recipes": "the 44 published systems and their evidence; with a name, one of them",
    "run": "one published system, at a preset, over one or more seeds",
    "train": "the whole loop on a world: experience, model, dream, agent, truth report",
    "collect": "experience from a world",
    "fit": "a world model from experience",
    "fit-language": "the small language model, on texts of our own worlds",
    "plan": "act by searching in a world model, or in the true simulator",
    "play": "step inside a dream in the browser, with reality beside it",
    "studio": "runs, reports, claims and episodes in the browser",
    "compare": "the truth report of a model and several agents",
    "data": "import, export, inspect or preview experience",
    "bench": "how fast the parts are on this machine",
    "doctor": "what works on this machine and what is missing",
}
"""Every verb and what it is about. Each lives in the file of its name."""

_SCREEN = """\
mindseye turns experience into worlds you can step, trains agents inside them,
and measures in the real world how far each dream can be trusted.

{verbs}

Begin with one of these:
  mindseye train                              the demonstration, about four minutes on two cores
  mindseye train --world CartPole-v1          the same on any Gymnasium world
  mindseye train --data FOLDER                on recorded episodes, without a world
  mindseye recipes                            what has been rebuilt from the literature
  mindseye VERB --help                        options and examples"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; those of the process unless given.

    Returns:
        Exit code: 0 done, 1 found wanting, 2 wrong input, 130 stopped by Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        print(screen())
        return 0
    verb, rest = given[0], given[1:]
    if verb == "--version":
        from importlib.metadata import version

        print(version("mindseye"))
        return 0
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"verbs are {', '.join(VERBS)}"
        return _refuse(f"no verb {verb!r}; {hint}")
    # Threads that wait by spinning steal the cores from each other on a busy machine: measured 6 to
    # 12 times slower there. It must be said before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    warnings.showwarning = _warn
    try:
        return import_module(f"mindseye.cli.{verb.replace('-', '_')}").main(rest)
    except MindseyeError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        print("\nstopped; run the same command again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has left; what Python would still flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def screen() -> str:
    """What is here, in one screen."""
    return _SCREEN.format(verbs="\n".join(f"  {k:14}{what}" for k, what in VERBS.items()))


def _warn(message: Warning | str, *_: object) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _refuse(cause: str) -> int:
    print(f"error: {cause}", file=sys.stderr)
    return 2

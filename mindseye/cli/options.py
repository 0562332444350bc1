"""Options from words of a command line, by the types and docstrings of a class."""

from collections.abc import Sequence
from inspect import cleandoc
from typing import TypeVar

import tyro

Options = TypeVar("Options")


def parse(
    verb: str,
    options: type[Options],
    arguments: Sequence[str],
    examples: Sequence[str],
    default: Options | None = None,
) -> Options:
    """Read options; a wrong one, or --help, ends the process with a message.

    Args:
        verb: As typed, for messages.
        options: A dataclass whose docstring says what the verb does.
        examples: Command lines without the program's name, shown by --help.
        default: Values of what is not given.

    Raises:
        SystemExit: With code 2 for a wrong option, 0 after --help.
    """
    shown = "\n".join(f"  mindseye {example}" for example in examples)
    description = f"{cleandoc(options.__doc__ or verb)}\n\nexamples:\n{shown}"
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    prog = f"mindseye {verb}"
    if default is None:
        return tyro.cli(options, prog=prog, args=arguments, description=description, config=config)
    return tyro.cli(
        options, prog=prog, args=arguments, description=description, config=config, default=default
    )


def chosen(observation: str) -> str | None:
    """What `make` is told: nothing where the world's own observation is wanted."""
    return None if observation == "default" else observation

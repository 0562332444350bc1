"""What language models are asked, in files that people can read.

`NAME.md` is a Jinja2 template with two parts: `## system` tells any model what is wanted and in
which form; `## user` holds the case at hand. The small model reads the second part only.
"""

from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Messages

__all__ = ["render", "template_names"]

_HERE = Path(__file__).parent
_PARTS = ("system", "user")


def template_names() -> list[str]:
    """All prompts there are."""
    return sorted(path.stem for path in _HERE.glob("*.md"))


def render(name: str, **values: Any) -> Messages:
    """The prompt of that name with values filled in.

    Raises:
        ConfigError: If there is no such prompt, or a value it needs is missing.
    """
    try:
        return [
            {"role": part, "content": template.render(values).strip()}
            for part, template in zip(_PARTS, _templates(name), strict=True)
        ]
    except jinja2.UndefinedError as error:
        raise ConfigError(f"prompt {name}: {error}; hand it over by name") from error


@cache
def _templates(name: str) -> tuple[jinja2.Template, ...]:
    path = _HERE / f"{name}.md"
    if not path.exists():
        raise ConfigError(f"prompt: no {name!r}; there are {', '.join(template_names())}")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    head, _, user = path.read_text().partition("\n## user\n")
    system = head.removeprefix("## system\n")
    if not user or system == head:
        raise ConfigError(f"{path}: expected parts '## system' and '## user'; see another prompt")
    return tuple(environment.from_string(part) for part in (system, user))

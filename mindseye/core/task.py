"""What to attempt, as data."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """One thing to attempt; enters a world by `reset(options=task.options, seed=task.seed)`."""

    instruction: str = ""
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """JSON values only; handed to `reset`."""
    parent: str | None = None
    """Id of the task this one was mutated from."""
    author: str = "hand"
    """hand | mined | written | self-play"""
    id: str = ""
    """Stable: a hash of the content unless given."""

    def __post_init__(self):
        if not self.id:
            content = [self.instruction, self.seed, dict(self.options), self.parent, self.author]
            digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
            object.__setattr__(self, "id", digest[:16])

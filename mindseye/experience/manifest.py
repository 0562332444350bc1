"""`schema.json`: what a folder of experience holds, replaced as a whole when it changes."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import gymnasium

from mindseye.core.errors import DataError
from mindseye.core.space_json import space_from_json, space_to_json
from mindseye.experience.schema import ColumnSpec

FILE_NAME = "schema.json"
VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """Spaces, extra columns, and where the kept rows begin."""

    observation_space: gymnasium.Space
    action_space: gymnasium.Space
    file_bytes: int
    """Size at which a column starts its next file."""
    kept_from: int = 0
    """First row whose files were not deleted."""
    extras: Mapping[str, ColumnSpec] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Replace the file atomically."""
        content = {
            "version": VERSION,
            "observation_space": space_to_json(self.observation_space),
            "action_space": space_to_json(self.action_space),
            "file_bytes": self.file_bytes,
            "kept_from": self.kept_from,
            "extras": [spec.to_json() for spec in self.extras.values()],
        }
        temporary = folder / f"{FILE_NAME}.tmp"
        with open(temporary, "w") as file:
            file.write(json.dumps(content, indent=1, allow_nan=False))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / FILE_NAME)

    @staticmethod
    def read(folder: Path) -> "Manifest":
        """Read a folder's file.

        Raises:
            DataError: If there is none, or it is damaged.
        """
        path = folder / FILE_NAME
        try:
            raw = json.loads(path.read_text())
        except OSError as error:
            raise DataError(f"{path}: cannot be read; not a folder of experience") from error
        except ValueError as error:
            raise DataError(f"{path}: damaged ({error}); restore the file") from error
        try:
            if raw["version"] != VERSION:
                raise DataError(f"{path}: expected version {VERSION}, got {raw['version']}")
            specs = map(ColumnSpec.from_json, raw["extras"])
            return Manifest(
                space_from_json(raw["observation_space"], str(path)),
                space_from_json(raw["action_space"], str(path)),
                int(raw["file_bytes"]),
                int(raw["kept_from"]),
                {spec.name: spec for spec in specs},
            )
        except (KeyError, TypeError) as error:
            raise DataError(f"{path}: damaged ({error!r}); restore the file") from error

"""What has been shown about a recipe, read from results/SLUG.json. Imports nothing heavy."""

import json
from pathlib import Path

from mindseye.core.errors import DataError
from mindseye.evaluation.verdict import level

RESULTS = Path("results")


def evidence(slug: str, folder: Path = RESULTS) -> str:
    """Level of evidence in words; empty where there are no results.

    Raises:
        DataError: If the file is not a report.
    """
    path = folder / f"{slug}.json"
    if not path.exists():
        return ""
    try:
        found = json.loads(path.read_text())
        held = [bool(claim["holds"]) for claim in found["claims"]]
        return level(found["preset"], len(found["seeds"]), held)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not results of a recipe ({error!r}); run it again") from error

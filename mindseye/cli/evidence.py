"""What has been shown about a recipe, read from results/SLUG.json. Imports nothing heavy."""

import json
from pathlib import Path

from mindseye.core.errors import DataError

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
        claims, seeds = found["claims"], len(found["seeds"])
        kept = sum(bool(claim["holds"]) for claim in claims)
        preset = found["preset"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not results of a recipe ({error!r}); run it again") from error
    counts = f"({kept}/{len(claims)} claims, {seeds} seed{'s' * (seeds != 1)})"
    if preset == "smoke" or not claims:
        return f"wired {counts}"
    where = "on CPU" if preset == "cpu" else "at scale"
    return f"holds {where} {counts}" if kept == len(claims) else f"holds in part {where} {counts}"

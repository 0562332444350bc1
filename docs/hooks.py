"""Fill `{{ results:NAME }}` lines of the docs with tables made from results/NAME.json."""

import re
from pathlib import Path

from mindseye.evaluation.tables import results_table

RESULTS = Path(__file__).parent.parent / "results"


def on_page_markdown(markdown, **_):
    return re.sub(
        r"^\{\{ results:(\w+) \}\}$",
        lambda found: results_table(RESULTS / f"{found[1]}.json"),
        markdown,
        flags=re.MULTILINE,
    )


def refresh_readme():
    """Rewrite the README's table from results/."""
    from mindseye.evaluation.tables import fill, systems_table

    path = RESULTS.parent / "README.md"
    path.write_text(fill(path.read_text(), systems_table(RESULTS)))


if __name__ == "__main__":
    refresh_readme()

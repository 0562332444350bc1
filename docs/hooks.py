"""Fill `{{ results:NAME }}` lines of the docs with tables made from results/NAME.json."""

import json
import re
from pathlib import Path

from mindseye.evaluation.tables import results_table

RESULTS = Path(__file__).parent.parent / "results"


def bench_table(path):
    """Markdown of results/bench.json; a sentence if there is none."""
    if not path.exists():
        return "*No figures yet: run `mindseye bench --save results/bench.json`.*"
    figures = json.loads(path.read_text())
    hardware, versions = figures["machine"]["hardware"], figures["machine"]["versions"]
    lines = [f"{hardware['processor']}, torch {versions['torch']}, one thread.", ""]
    lines += ["| what | candidate | median rate | ours is faster by |", "| --- | --- | --- | --- |"]
    for group in figures["groups"].values():
        what = group["what"].strip() + (f" ({group['note']})" if group["note"] else "")
        for candidate, rate in group["rate"].items():
            over = group["speed_of_first_over"].get(candidate)
            factor = f"{over['median']:.2f}" if over else ""
            lines.append(
                f"| {what} | {candidate} | {rate['median']:,.3g} {group['unit']} | {factor} |"
            )
            what = ""
    return "\n".join(lines)


def on_page_markdown(markdown, **_):
    markdown = markdown.replace("{{ bench }}", bench_table(RESULTS / "bench.json"))
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

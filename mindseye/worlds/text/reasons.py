"""Why a step led where it led, in one line: what an annotator would write beside it."""

import re

_TASK = re.compile(r"Task: buy a (\w+) (\w+) (\w+)(?:, (\w+))?(?:, for at most (\d+))?\.")
_WORD, _SMALL = re.compile(r"[a-z]{3,}"), {"and", "from", "the", "with", "you"}
_PRODUCT = re.compile(r"Item (\d+): (\w+) (\w+) (\w+), (\d+)\. Sizes: [\w, ]+\. Chosen: (\w+)\.")


def explain(task: str, state: str, action: str, after: str, reward: float) -> str:
    """A line for one real step of `text/shop`, told from its texts alone.

    What is bought is compared with what was asked for, one thing after the other; beside each
    stands whether all so far is right.
    """
    verb, _, thing = action.partition(" ")
    product = _PRODUCT.search(state)
    wanted = _TASK.match(task)
    if after.startswith("Nothing happens."):
        return "that cannot be done here."
    if verb == "search":
        return f"it shows what is found for {thing}."
    if verb == "click":
        return f"{thing} is opened."
    if verb == "choose":
        return f"{thing} is chosen."
    if verb == "buy" and product and wanted:
        return _compared(wanted, product, reward)
    return f"{action} was done."


def explain_by_task(task: str, state: str, action: str, after: str, reward: float) -> str:
    """A line for a step of any world of words: what of the task it touches, and whether that does.

    For worlds whose sentences are not ours; it tells less than `explain` does of the shop.
    """
    if after.startswith("Nothing happens."):
        return "that cannot be done here."
    asked = set(_WORD.findall(task.lower())) - _SMALL
    touched = [word for word in _WORD.findall(action.lower()) if word in asked]
    of_use = f"the task names {', '.join(dict.fromkeys(touched))}" if touched else "not in the task"
    return f"{action}: {of_use}; {'all is done' if reward > 0 else 'more is to be done'}."


def _compared(wanted: re.Match, product: re.Match, reward: float) -> str:
    pairs = [(wanted[1], product[2]), (wanted[2], product[3])]
    pairs += [(wanted[4], product[6])] if wanted[4] else []
    compared = [(w, p, w == p) for w, p in pairs]
    if wanted[5]:
        compared.append((wanted[5], product[5], int(product[5]) <= int(wanted[5])))
    told, so_far = [], True
    for w, p, holds in compared:
        so_far &= holds
        told.append(f"{w} / {p} {'yes' if holds else 'no'}, {'right' if so_far else 'wrong'}")
    return f"wanted / bought: {'; '.join(told)}; so it is {'right' if reward else 'wrong'}."

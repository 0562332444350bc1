"""Planning with a memory of what was tried: recall, say what is needed, plan, foresee, refine, act.

All knowledge of the world comes from reading: the language model is shown attempts, as lines, and
says what a command needs and what will become of it. Code only puts its answers in order.

Source: MINDSTORES (Chari et al. 2025, arXiv 2501.19318): insights from experience tuples, a plan,
    its predicted outcome, bounded refinement. How attempts are found and told is ours.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import cycle

from mindseye.agents.language.agent import Asking, LanguageAgent, Mind
from mindseye.agents.language.drafts import (
    DEEPEST,
    Draft,
    about_needs,
    counted,
    hands_of,
    line_of,
    together,
)
from mindseye.agents.language.recall import Episode, Life
from mindseye.experience.memory import Attempt

_DONE = "You did "


def mindful(ask: Asking, lives: Sequence[Life]) -> LanguageAgent:
    """An agent of one row per life. Call `settle` at the end of every episode.

    Raises:
        WorldError: When acting, if observations are not those of a workshop.
    """
    turn = cycle(lives)
    return LanguageAgent(ask, [_notice, _plan, _follow], begin=lambda: {"now": Episode(next(turn))})


def settle(mind: Mind, text: str) -> None:
    """Learn from an episode that ended with `text`: attempts go into the memory of its life."""
    episode: Episode = mind.facts["now"]
    if not episode.is_over:
        _learn(mind.moved_on(text))
    episode.life.memory.add(episode.life.keeps(episode.tried))


def _notice(minds: Sequence[Mind], ask: Asking) -> None:
    for mind in minds:
        if mind.step > 1 and not mind.facts["now"].is_over:
            _learn(mind)


def _learn(mind: Mind) -> None:
    """What became of the last command."""
    episode: Episode = mind.facts["now"]
    before, after = hands_of(mind.previous), hands_of(mind.observation)
    news = mind.observation.split("\n", 1)[0]
    success = news.startswith(_DONE)
    if success:
        spent = Counter(before.held)
        spent.subtract(after.held)
        outcome = f"done, used {counted({name: n for name, n in spent.items() if n > 0})}"
    else:
        outcome = news.partition(": ")[2].removesuffix(".") or news.removesuffix(".")
    plan = ", ".join(
        [*(attempt.task for attempt in episode.tried if attempt.success), mind.command]
    )
    step, reason = ("", "") if success else (mind.command, outcome)
    episode.tried.append(
        Attempt(before.text, mind.command, plan, outcome, success, step=step, reason=reason)
    )
    mind.trace.append(f"attempt: {line_of(episode.tried[-1])}")
    if episode.said:
        episode.life.trust[episode.said.pop(0)].add(success)
    if not success:
        episode.plan = None
        episode.failures += 1
        episode.is_over = episode.failures >= episode.life.patience


def _follow(minds: Sequence[Mind], ask: Asking) -> None:
    for mind in minds:
        plan = mind.facts["now"].plan
        # who has given up waits; a command that means nothing changes nothing
        mind.command = plan.pop(0) if plan else "wait"


def _plan(minds: Sequence[Mind], ask: Asking) -> None:
    """Plans for all rows that have none."""
    open_ = [m for m in minds if not m.facts["now"].is_over and not m.facts["now"].plan]
    drafts = [Draft(mind) for mind in open_]
    for _ in range(DEEPEST):
        wanted = [draft.unasked() for draft in drafts]
        if not any(wanted):
            break
        pairs = [
            [(c, line) for c in few for line in d.lines(c)]
            for d, few in zip(drafts, wanted, strict=True)
        ]
        asked = [[about_needs(command, line) for command, line in row] for row in pairs]
        for draft, few, row, answers in zip(drafts, wanted, pairs, ask(open_, asked), strict=True):
            for command in few:
                told = [a for (c, _), a in zip(row, answers, strict=True) if c == command]
                draft.needs[command] = together(told)
    for draft in drafts:
        draft.compose()
    _foresee(drafts, ask)
    for draft in drafts:
        episode: Episode = draft.mind.facts["now"]
        (episode.plan, chance), episode.said = draft.best, draft.said
        episode.foreseen.append(chance)
        episode.voted.append(draft.vote())
        draft.mind.trace.append(f"plan: {', '.join(episode.plan)}; chance {chance:.2f}")


def _foresee(drafts: Sequence[Draft], ask: Asking) -> None:
    """Foresee and mend, as often as each life allows."""
    live = [draft for draft in drafts if draft.mind.facts["now"].life.rounds]
    for draft in live:
        draft.left = draft.mind.facts["now"].life.rounds
    while live:
        asked = [draft.questions() for draft in live]
        answers = ask([draft.mind for draft in live], asked)
        for draft, told in zip(live, answers, strict=True):
            draft.judge(told)
        live = [draft for draft in live if draft.mend()]

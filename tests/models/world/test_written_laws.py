"""Laws from a real server on loopback: some right, some wrong, some hostile."""

import importlib.util
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from mindseye.core.errors import ModelError
from mindseye.core.run import Run
from mindseye.learners.law_fitting import LawFitting
from mindseye.models.language.cache import AnswerCache
from mindseye.models.language.remote import RemoteLanguageModel
from mindseye.models.world.laws import Opinions
from mindseye.models.world.program import ProgramWorldModel
from mindseye.models.world.written_laws import WrittenLaws, propose_laws
from mindseye.recipes import onelife

_spec = importlib.util.spec_from_file_location(
    "chat_server", Path(__file__).parents[1] / "language" / "chat_server.py"
)
server = importlib.util.module_from_spec(_spec)
sys.modules["chat_server"] = server
_spec.loader.exec_module(server)

CONFIG = replace(
    onelife.PRESETS["smoke"],
    seed=100, life=150, most_questions=6, situations=1, held_out_lives=1, plan_worlds=2,
    plan_steps=8,
)  # fmt: skip


def law(condition, effect, before=""):
    return (
        f"{before}\ndef precondition(state, action):\n    return {condition}\n\n"
        f"def effect(state, action):\n    return {effect}\n"
    )


MOVES = {
    way: law(
        f"action == '{way}' and cell_ahead(state, action) in ('grass', 'sand', 'path')",
        "{'player': [[cell_number_ahead(state, action), 1.0]]}",
    )
    for way in ("up", "down", "left", "right")
}
DRINKS = law(
    "cell_ahead(state, action) == 'water'",
    "{'vitals.drink': [[min(9, state['vitals']['drink'] + 1), 0.95]]}",
)
WRONG = {
    "flies": law("action == 'up'", "{'player': [[state['player'] % state['size'], 1.0]]}"),
    "thirsts": law("cell_ahead(state, action) == 'water'", "{'vitals.drink': [[0, 1.0]]}"),
}
HOSTILE = {
    "imports": law("True", "{}", "import os"),
    "reads": law("open('/etc/passwd')", "{}"),
    "walks": law("().__class__.__base__.__subclasses__()", "{}"),
    "never ends": law("spin()", "{}", "def spin():\n    while True:\n        pass"),
    "never begins": law("True", "{}", "while True:\n    pass"),
    "hoards": law("'x' * 10 ** 9 * 9", "{}"),
    "nests": law("-" * 900 + "1", "{}"),
    "is infinite": law("True", "{'items.wood': [[1e400, 1.0]]}"),
    "is no law": "print('hello')",
    "sees ghosts": law("state['dragon']", "{}"),
    "names ghosts": law("True", "{'items.dragon': [[1, 1.0]]}"),
}
HUGE = law("True", "{'items.wood': [[10 ** 30, 1.0]]}")
SHOUTS = law("action == 'stay'", "{'player': [[0, 1e300]]}")
TAKES_OVER = law("False", "{}", "cell_ahead = lambda state, action: 'water'")
WRITTEN = [*MOVES.values(), DRINKS, *WRONG.values(), HUGE, SHOUTS, TAKES_OVER]


def told(*sources):
    return "I saw a thing.\n" + "\nThen:\n".join(f"```python\n{source}\n```" for source in sources)


def answers(count=6):
    """All laws, dealt out to so many answers, by the order of the questions."""
    laws = [*WRITTEN, *HOSTILE.values()]
    return [told(*laws[i::count]) for i in range(count)]


def serving(said):
    """A server that gives each different question an answer of its own."""
    known = {}

    def answer(body, number):
        question = body["messages"][-1]["content"]
        return server.completion(said[known.setdefault(question, len(known)) % len(said)])

    return server.serving(answer)


@pytest.fixture(scope="module")
def lived():
    facts = onelife.land(CONFIG)
    return facts, onelife.live(CONFIG, facts, 1, 100)


@pytest.fixture(scope="module")
def written(lived):
    facts, life = lived
    with serving(answers()) as (url, _):
        language = RemoteLanguageModel("coder", url)
        sources = propose_laws(language, facts.layout, *life, most=6)
        assert language.ledger.calls == 6
    assert len(sources) == len(WRITTEN) + len(HOSTILE)
    return WrittenLaws(facts.layout, sources, *life[:2])


def number(laws, source):
    return [s.strip() for s in laws.sources].index(source.strip())


def test_what_may_not_run_is_refused_and_named(written):
    assert len(written.dropped) == len(HOSTILE)
    assert len(written.sources) == len(WRITTEN)
    why = " ".join(written.dropped)
    causes = ("Import", "open", "__", "took longer", "memory", "recursion", "not JSON", "dragon")
    assert [cause for cause in causes if cause not in why] == []


def test_the_rest_is_weighted_by_likelihood(lived, written):
    facts, life = lived
    model = ProgramWorldModel(written, facts.observation_space, facts.action_space, facts.outcome)
    before = -model.log_prob(*life).mean()
    LawFitting(model, price=1.0, rounds=8).fit(*life)
    weights = model.weights.detach().numpy()
    assert -model.log_prob(*life).mean() < before
    spoke = set(written.opine(*life[:2]).law.tolist())
    right = [n for source in MOVES.values() if (n := number(written, source)) in spoke]
    assert len(right) >= 3
    assert min(weights[n] for n in right) > 0.3
    assert weights[number(written, WRONG["flies"])] < 0.1
    assert weights[number(written, SHOUTS)] < 0.1


def test_no_law_can_put_its_own_in_place_of_what_others_use(lived, written):
    facts, (before, actions, _) = lived
    alone = WrittenLaws(facts.layout, [DRINKS], before, actions)
    mine, all_ = alone.opine(before, actions), written.opine(before, actions)
    rows = all_.row[all_.law == number(written, DRINKS)]
    assert rows.tolist() == mine.row.tolist()


MEDDLES = """
def precondition(state, action):
    state["terrain"][:] = ["water"] * len(state["terrain"])
    return False

def effect(state, action):
    return {}
"""
FAILS_LATER = law("state['vitals']['drink'] // (state['vitals']['drink'] - 1) >= 0", "{}")


@pytest.mark.parametrize("rogue", [MEDDLES, FAILS_LATER])
def test_a_law_that_meddles_or_fails_does_not_touch_the_others(lived, rogue):
    facts, (before, actions, _) = lived
    drinks = before[:, facts.layout.names.index("vitals.drink")]
    thirsty = before[drinks > 1], actions[drinks > 1]
    alone = WrittenLaws(facts.layout, [DRINKS], *thirsty)
    laws = WrittenLaws(facts.layout, [rogue, DRINKS], *thirsty)
    assert laws.dropped == []
    dry = before.copy()
    dry[:4, facts.layout.names.index("vitals.drink")] = 1
    said, expected = laws.opine(dry, actions), alone.opine(dry, actions)
    assert len(expected.row)
    assert said.row.tolist() == expected.row.tolist()
    assert set(said.law.tolist()) == {1}
    assert laws.failures == (rogue == FAILS_LATER)


def test_numbers_beyond_all_facts_are_not_listed(lived, written):
    _, (before, actions, _) = lived
    said: Opinions = written.opine(before, actions)
    assert number(written, HUGE) not in said.law
    assert said.value.dtype == np.int64
    assert said.score.max() == 0.0


def test_many_laws_need_not_fit_into_one_program(lived):
    facts, (before, actions, _) = lived
    long = "# " + "so " * 200
    sources = [
        law(f"action == 'up' and {n} >= 0", f"{{'items.wood': [[{n % 9}, {long!r} and 1.0]]}}")
        for n in range(60)
    ]
    laws = WrittenLaws(facts.layout, sources, before[:4], actions[:4])
    assert laws.dropped == []
    up = np.full(1, list(facts.layout.actions).index("up"))
    assert laws.opine(before[:1], up).value.tolist() == [n % 9 for n in range(60)]


def test_what_was_answered_before_the_server_broke_is_not_asked_again(lived, tmp_path):
    facts, life = lived
    said, is_broken = answers(), [True]

    def answer(body, number):
        if is_broken[0] and number > 3:
            raise server.Bad(500)
        return server.completion(said[number % 6])

    with server.serving(answer) as (url, heard):
        options = {"cache": AnswerCache(tmp_path), "concurrency": 1, "backoff": 0.001, "retries": 1}
        language = RemoteLanguageModel("coder", url, **options)
        with pytest.raises(ModelError, match="answers so far are kept"):
            propose_laws(language, facts.layout, *life, most=6, seed=1)
        is_broken[0], asked = False, len(heard)
        again = RemoteLanguageModel("coder", url, **options)
        sources = propose_laws(again, facts.layout, *life, most=6, seed=1)
    assert (again.ledger.calls, again.ledger.cache_hits, len(heard) - asked) == (6, 3, 3)
    assert any("precondition" in source for source in sources)


def test_onelife_asks_the_server_that_is_named_and_goes_on_from_its_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("MINDSEYE_CACHE", str(tmp_path / "cache"))

    with serving(answers()) as (url, heard):
        config = replace(CONFIG, plan_worlds=1, plan_steps=4, language=f"remote:coder@{url}")
        with Run(tmp_path / "run", name="onelife", config=asdict(config), seed=100) as record:
            report = onelife.run(config, record)
            seed = record.seed_for("life")
        facts = onelife.land(config)
        programs, cost = onelife.learn(config, facts, onelife.live(config, facts, 1, seed))
        assert len(heard) == 6
    assert all(body["model"] == "coder" for *_, body in heard)
    assert report.measure("laws/written").value == len(WRITTEN)
    assert report.measure("laws/dropped").value == len(HOSTILE)
    assert report.measure("language/calls").value == 6
    assert {m.name: m.value for m in cost}["language/cache_hits"] == 6
    assert onelife.readable(programs["fitted"]) == report.details["laws"]
    assert any("cell_ahead(state, action)" in text for _, text in report.details["laws"])

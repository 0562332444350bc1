import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.core.errors import ConfigError, DataError
from mindseye.experience.embedding import HashedWords, canonical
from mindseye.experience.memory import LINES, Attempt, Memory

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
attempts = st.builds(Attempt, state=words, task=words, plan=words, outcome=words,
                     success=st.booleans(), step=words, reason=words)  # fmt: skip


def attempt(task, success=False, state="you hold nothing", **more):
    return Attempt(state, task, f"craft {task}", "done" if success else "failed", success, **more)


def test_the_most_alike_are_found_first():
    memory = Memory()
    memory.add([attempt(name) for name in ("kelm", "zat", "lomik", "fip")])
    for name in ("zat", "fip"):
        [[first, *_]] = memory.nearest([("you hold nothing", name)], k=3)
        assert first.attempt.task == name
        assert first.likeness == pytest.approx(1, abs=1e-5)


def test_state_decides_between_attempts_at_the_same_task():
    memory = Memory()
    memory.add([
        attempt("fip", state="you hold 1 zat , beside lomik", reason="a"),
        attempt("fip", state="you hold 2 kelm", reason="b"),
    ])  # fmt: skip
    found = memory.nearest([("you hold 3 kelm", "fip"), ("beside lomik", "fip")], k=1)
    assert [row[0].attempt.reason for row in found] == ["b", "a"]


def test_counts_are_bucketed():
    assert canonical("You hold 3 Zat, 12 kelm, 0 fip.") == "you hold few zat many kelm 0 fip"
    assert canonical("1 a 2 b 4 c 9 d") == "1 a 2 b few c some d"


def test_rare_words_weigh_more():
    memory = Memory(task_share=1.0)
    memory.add([attempt(f"craft it w{i}") for i in range(20)] + [attempt("build it zat")])
    [[first, *_]] = memory.nearest([("", "craft it zat")], k=1)
    assert first.attempt.task == "build it zat"


def test_what_tells_the_same_is_kept_once():
    memory = Memory()
    same = [attempt("fip", state=f"{i} a", step="craft fip", reason="no zat") for i in range(9)]
    memory.add([*same, attempt("fip", step="craft fip", reason="no kelm")])
    memory.add([attempt("fip", True, "you hold 3 zat"), attempt("fip", True, "you hold 4 zat")])
    assert len(memory) == 3
    assert {a.state for a in memory.attempts} == {"8 a", "you hold nothing", "you hold 4 zat"}


def test_outcomes_are_balanced_when_asked():
    memory = Memory()
    memory.add([attempt("fip", reason=str(i)) for i in range(9)])
    memory.add([attempt("fip", True, f"kelm{i}") for i in range(2)])
    plain, even = (
        memory.nearest([("you hold nothing", "fip")], k=6, balanced=b)[0] for b in (False, True)
    )
    assert sum(found.attempt.success for found in plain) == 0
    assert sum(found.attempt.success for found in even) == 2
    assert len(even) == 6
    assert [f.likeness for f in even] == sorted((f.likeness for f in even), reverse=True)


def test_outcomes_are_foreseen_by_a_vote_of_the_alike():
    memory = Memory()
    assert memory.foresee([("a", "b")]).tolist() == [0.5]
    memory.add([attempt("fip", True, f"beside lomik {i} k{i}") for i in range(3)])
    memory.add([attempt("zat", state=f"in rain {i} q{i}", reason=str(i)) for i in range(3)])
    good, bad, unknown = memory.foresee(
        [("beside lomik", "fip"), ("in rain", "zat"), ("elsewhere", "vol")]
    )
    assert good > 0.8
    assert bad < 0.2
    assert unknown == pytest.approx(0.5, abs=0.1)


def test_it_is_bounded_and_forgets_the_oldest_of_the_more_frequent():
    memory = Memory(capacity=4)
    memory.add([attempt("a", True)])
    memory.add([attempt(f"t{i}") for i in range(10)])
    assert [a.task for a in memory.attempts] == ["a", "t7", "t8", "t9"]
    [[first, *_]] = memory.nearest([("you hold nothing", "t9")], k=1)
    assert first.attempt.task == "t9"


def test_any_embedding_will_do():
    def lengths(texts):
        return np.array([[len(text), 1.0] for text in texts])

    memory = Memory(embed=lengths, task_share=1.0)
    memory.add([attempt("a" * n) for n in (1, 4, 40)])
    [[first, *_]] = memory.nearest([("", "b" * 5)], k=1)
    assert first.attempt.task == "aaaa"


def test_hashing_is_the_same_in_every_process():
    found = HashedWords(8)(["a b a", ""])
    expected = [[0, 0, 0, 1, 0, 0, 0, 0], [0] * 8]
    assert found.shape == (2, 8)
    assert found[1].tolist() == expected[1]
    assert HashedWords(8)(["a b a"])[0].tolist() == found[0].tolist()
    assert np.abs(found[0]).sum() > 0


@settings(max_examples=40, deadline=None)
@given(st.lists(attempts, max_size=12), st.integers(2, 20))
def test_what_is_saved_comes_back(known, capacity):
    with tempfile.TemporaryDirectory() as folder:
        memory, again = Memory(capacity=capacity), Memory(capacity=capacity)
        again.add([attempt("other")])
        memory.add(known)
        memory.save(Path(folder))
        again.load(Path(folder))
        assert again.attempts == memory.attempts
        queries = [(a.state, a.task) for a in known[:3]]
        for row, other in zip(memory.nearest(queries, 4), again.nearest(queries, 4), strict=True):
            likeness = [found.likeness for found in other]
            assert [found.likeness for found in row] == pytest.approx(likeness, abs=1e-5)
        assert len(list(Path(folder).iterdir())) == 2


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 400), st.booleans())
def test_damage_is_named_and_refused(junk, at, in_lines):
    with tempfile.TemporaryDirectory() as folder:
        memory = Memory()
        memory.add([attempt("a"), attempt("b", True)])
        memory.save(Path(folder))
        path = Path(folder) / LINES if in_lines else next(Path(folder).glob("*.npy"))
        whole = path.read_bytes()
        at = min(at, len(whole))
        damaged = whole[:at] + junk
        if damaged == whole:
            return
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=path.name):
            memory.load(Path(folder))


def test_missing_files_and_other_embeddings_are_refused(tmp_path):
    memory = Memory()
    with pytest.raises(DataError, match=r"attempts.jsonl: cannot read"):
        memory.load(tmp_path)
    memory.add([attempt("a")])
    memory.save(tmp_path)
    with pytest.raises(DataError, match="the embedding it was saved with"):
        Memory(embed=HashedWords(64)).load(tmp_path)
    next(tmp_path.glob("*.npy")).unlink()
    with pytest.raises(DataError, match="npy: cannot read"):
        memory.load(tmp_path)


def test_impossible_options_are_refused():
    for options in ({"task_share": 2}, {"capacity": 1}):
        with pytest.raises(ConfigError):
            Memory(**options)


def test_an_index_finds_what_exact_search_finds(tmp_path):
    pytest.importorskip("usearch")
    from mindseye.experience.usearch import UsearchIndex

    exact, fast = (
        Memory(embed=HashedWords(64), capacity=250, index=index)
        for index in (None, UsearchIndex(128))
    )
    known = [attempt(f"craft w{i}", i % 3 == 0, f"beside p{i % 7}") for i in range(300)]
    queries = [(a.state, a.task) for a in known[200:240]]
    for memory in (exact, fast):
        memory.add(known)
        memory.add([replace(known[250], plan="other")])
    fast.save(tmp_path)
    for _ in range(2):
        pairs = zip(exact.nearest(queries, 3), fast.nearest(queries, 3), strict=True)
        same = [a[0].attempt == b[0].attempt for a, b in pairs]
        assert np.mean(same) > 0.95
        fast.load(tmp_path)

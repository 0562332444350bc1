import numpy as np

from mindseye.core.episode import Episode, Origin
from mindseye.core.task import Task
from mindseye.tasks import VarianceCurriculum, exchange_words

SEEDS = [Task(f"Task: buy a {colour} {kind}.\nYou can: buy {kind}.")
         for colour in ("red", "blue", "green") for kind in ("hat", "bag")]  # fmt: skip


def attempt(task, reward):
    return Episode(["a", "b"], ["x"], np.array([reward], np.float32), True, False,
                   Origin("imagined", "dream"), task=task)  # fmt: skip


def test_a_variation_differs_by_one_word_of_a_like_task():
    rng = np.random.default_rng(0)
    for task in exchange_words(SEEDS[:1], 20, rng, pool=SEEDS):
        assert task.instruction in {
            "Task: buy a blue hat.\nYou can: buy hat.",
            "Task: buy a green hat.\nYou can: buy hat.",
        }
        assert (task.parent, task.author) == (SEEDS[0].id, "written")
    alone = Task("Task: something else.\nYou can: look.")
    assert exchange_words([alone], 2, rng, pool=SEEDS) == [alone, alone]


def source():
    def vary(tasks, count, rng):
        return exchange_words(tasks, count, rng, pool=SEEDS)

    return VarianceCurriculum(SEEDS, vary=vary, best=1)


def test_tasks_solved_now_and_then_are_varied():
    curriculum = source()
    assert {task.id for task in curriculum.sample(6, np.random.default_rng(0))} <= {
        task.id for task in SEEDS
    }
    half, always, never = SEEDS[1], SEEDS[2], SEEDS[3]
    curriculum.observe([attempt(half, 0.0), attempt(half, 1.0)])
    curriculum.observe([attempt(always, 1.0), attempt(always, 1.0), attempt(never, 0.0)])
    sampled = curriculum.sample(6, np.random.default_rng(1))
    assert [task.parent for task in sampled[:3]] == [half.id] * 3
    assert all(task.parent is None for task in sampled[3:])


def test_what_was_learned_is_kept():
    curriculum, other = source(), source()
    curriculum.observe([attempt(SEEDS[0], 0.0), attempt(SEEDS[0], 1.0)])
    other.load_state_dict(curriculum.state_dict())
    assert other.values == curriculum.values

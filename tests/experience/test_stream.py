import numpy as np
import pytest

from mindseye.core.errors import CheckpointError, ConfigError
from mindseye.experience.stream import Stream
from mindseye.worlds.grids import build


def flute(rows=1):
    return build("grid/pan-flute-3", rows)


def live(stream, steps, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        stream.step(rng.integers(3, size=1))


def test_what_was_sampled_happened():
    stream, shadow = Stream(flute(), num_steps=40, seed=5), flute()
    observation, pairs = shadow.reset(seed=5)[0], set()
    for action in np.random.default_rng(0).integers(3, size=(40, 1)):
        stream.step(action)
        after, reward, *_ = shadow.step(action)
        pairs.add((observation.tobytes(), int(action[0]), after.tobytes(), float(reward[0])))
        observation = after
    batch = stream.sample(200, np.random.default_rng(1))
    for row in range(200):
        before, after = batch["observation"][row].numpy()
        key = (before.tobytes(), int(batch["action"][row, 1]), after.tobytes())
        assert (*key, float(batch["reward"][row, 1])) in pairs


def test_the_present_is_the_last_observation():
    stream, shadow = Stream(flute(), num_steps=3, seed=5), flute()
    shadow.reset(seed=5)
    stream.step(np.array([1]))
    assert np.array_equal(stream.observation, shadow.step(np.array([1]))[0])


def test_no_pair_reaches_across_episodes():
    world = build("grid/ring-5", 1, max_steps=3)
    stream = Stream(world, num_steps=20, seed=0)
    for _ in range(20):
        stream.step(np.array([1]))
    batch = stream.sample(500, np.random.default_rng(0))
    assert not batch["is_first"][:, 1].any()
    assert batch["is_first"][:, 0].any()
    assert len(stream) == 20


def test_termination_is_remembered_once_and_life_goes_on():
    stream = Stream(build("grid/proc-maze-2", 1), num_steps=200, seed=0)
    live(stream, 200)
    batch = stream.sample(2000, np.random.default_rng(0))
    ended = batch["continuation"][:, 1] == 0
    assert 0 < ended.sum() < 2000
    assert (batch["continuation"][:, 0] == 1).all()


def test_every_step_is_drawn_equally_often():
    stream = Stream(build("grid/ring-4", 1, max_steps=2), num_steps=8, seed=0)
    for action in (1, 1, 0, 1, 1, 0, 0, 0):
        stream.step(np.array([action]))
    batch = stream.sample(8000, np.random.default_rng(0))
    assert batch["action"][:, 1].float().mean() == pytest.approx(0.5, abs=0.03)


def test_a_restored_stream_goes_on_alike():
    whole = Stream(flute(), num_steps=60, seed=2)
    live(whole, 30)
    again = Stream(flute(), num_steps=60, seed=2)
    live(again, 3, seed=9)  # forgotten
    again.load_state_dict(whole.state_dict())
    live(whole, 30, seed=1)
    live(again, 30, seed=1)
    for mine, theirs in zip(
        whole.sample(50, np.random.default_rng(0)).values(),
        again.sample(50, np.random.default_rng(0)).values(),
        strict=True,
    ):
        assert mine.equal(theirs)


def test_a_stream_of_several_rows_is_refused():
    with pytest.raises(ConfigError, match="1 row"):
        Stream(flute(2), num_steps=5, seed=0)


def test_sampling_before_the_first_step_is_refused():
    with pytest.raises(ConfigError, match="act first"):
        Stream(flute(), num_steps=5, seed=0).sample(1, np.random.default_rng(0))


def test_too_long_a_past_is_refused():
    long, short = Stream(flute(), num_steps=9, seed=0), Stream(flute(), num_steps=4, seed=0)
    live(long, 9)
    with pytest.raises(CheckpointError, match="at most 4"):
        short.load_state_dict(long.state_dict())

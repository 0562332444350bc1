import numpy as np
import pytest

from mindseye.core.errors import ConfigError
from mindseye.worlds.grids import Dodge, Ring, build
from mindseye.worlds.grids.dodge import HEIGHT, WIDTH, DodgeState
from mindseye.worlds.rules.randomness import Draws


class Quiet(Draws):
    """Numbers that launch nothing."""

    def uniform(self, count, use=0):
        return np.full((len(self.keys), count), 0.999)


def quiet():
    return Quiet(np.zeros(1, np.uint64), np.zeros(1, np.int64))


def under_fire(place, *fireballs):
    fire, is_lit = np.zeros((1, 16, 4)), np.zeros((1, 16), bool)
    for slot, ball in enumerate(fireballs):
        fire[0, slot], is_lit[0, slot] = ball, True
    return DodgeState(np.array([float(place)]), fire, is_lit, np.zeros(1, np.int64))


def test_a_second_lap_shows_the_same_colours():
    world = build("grid/ring-48", 4)
    seen = [world.reset(seed=0)[0]]
    for _ in range(95):
        seen.append(world.step(np.ones(4, int))[0])
    assert (np.array(seen[:48]) == np.array(seen[48:])).all()


def test_staying_shows_the_same_colour():
    world = build("grid/ring-5", 3)
    first, _ = world.reset(seed=0)
    assert (world.step(np.zeros(3, int))[0] == first).all()


def test_a_ring_lasts_four_laps():
    world = build("grid/ring-48", 1)
    world.reset(seed=0)
    truncated = [bool(world.step(np.array([1]))[3][0]) for _ in range(192)]
    assert truncated == [False] * 191 + [True]


def test_a_ring_needs_two_colours():
    with pytest.raises(ConfigError, match="colours"):
        Ring(4, 1)


def test_colours_are_drawn_evenly():
    world = build("grid/ring-48", 500)
    world.reset(seed=0)
    counts = np.bincount(world.save().state.colours.ravel(), minlength=4)
    # Binomial(24 000, 1/4) has a standard deviation of 67.
    assert np.abs(counts - 6000).max() < 5 * 67


def test_fire_moves_by_its_speed():
    state, _, _ = Dodge().transition(under_fire(6, (3, 5, 0.25, -0.5)), np.array([1]), quiet())
    assert state.fire[0, 0].tolist() == [3.25, 4.5, 0.25, -0.5]


def test_a_hit_ends_and_pays_nothing():
    _, reward, terminated = Dodge().transition(
        under_fire(6, (6, 1.2, 0, -0.5)), np.array([1]), quiet()
    )
    assert (reward[0], terminated[0]) == (0, True)


def test_stepping_aside_saves():
    _, reward, terminated = Dodge().transition(
        under_fire(6, (5.8, 1.2, 0, -0.5)), np.array([2]), quiet()
    )
    assert (reward[0], terminated[0]) == (1, False)


def test_fire_that_has_passed_goes_out():
    state, _, _ = Dodge().transition(under_fire(6, (1, 0.2, 0, -0.5)), np.array([1]), quiet())
    assert not state.is_lit.any()


def test_the_arena_stops_the_agent():
    state, _, _ = Dodge().transition(under_fire(0.6), np.array([0]), quiet())
    assert state.place[0] == 0.5


def test_the_nearest_fire_comes_first_and_speed_stays_hidden():
    state = under_fire(6, (6, 9, 0.1, -0.5), (3, 5, 0.2, -0.6))
    seen = Dodge().observe(state)[0]
    far, near = (0, 0.9, 1), (-3 / WIDTH, 5 / HEIGHT, 1)
    assert seen == pytest.approx([0, *near, *far, *[0] * 12], abs=1e-6)


def test_pixels_show_fire_where_it_is():
    frame = Dodge(observation="pixels").observe(under_fire(1, (6, 5, 0, 0)))[0]
    assert frame[16, 16].tolist() == [255, 120, 0]
    assert frame[31, 1].tolist() == [60, 220, 90]


def survived(policy, num_worlds=200, max_steps=500):
    """Mean reward of episodes; the policy sees the observation and the true state."""
    world = build("grid/dodge", num_worlds, max_steps=max_steps)
    observation, _ = world.reset(seed=0)
    total = np.zeros(num_worlds)
    for _ in range(max_steps):
        actions = policy(observation, world.save().state)
        observation, reward, terminated, truncated, _ = world.step(actions)
        total += reward
        if (terminated | truncated).all():
            break
    return total.mean()


def guess(observation, state):
    rows = np.arange(len(observation), dtype=np.uint64)
    return Draws(rows, state.steps).integers(3, 1)[:, 0]


def side_step(observation, state):
    """Leave the path of the nearest fire; go home to the middle if there is none near."""
    dx, dy, lit = observation[:, 1], observation[:, 2], observation[:, 3]
    away = np.where(dx > 0, 0, 2)
    home = np.where(observation[:, 0] > 0.1, 0, np.where(observation[:, 0] < -0.1, 2, 1))
    return np.where((lit > 0) & (np.abs(dx) * WIDTH < 1.5) & (dy < 0.5), away, home)


def foresee(observation, state):
    """Walk to the place with the least fire on the way, speeds known."""
    best, choice = np.full(len(state.place), -np.inf), np.ones(len(state.place), int)
    for target in np.linspace(0.5, WIDTH - 0.5, 8):
        place, fire, score = state.place.copy(), state.fire.copy(), np.zeros(len(state.place))
        for step in range(18):
            way = np.clip(np.round((target - place) / 0.6), -1, 1)
            first = way if step == 0 else first
            place = place + 0.6 * way
            fire[..., :2] += fire[..., 2:]
            low = state.is_lit & (fire[..., 1] < 1) & (fire[..., 1] > 0)
            score -= (low & (np.abs(fire[..., 0] - place[:, None]) < 0.9)).any(axis=1) * 0.9**step
        score -= 0.01 * np.abs(target - WIDTH / 2)
        choice = np.where(score > best, first.astype(int) + 1, choice)
        best = np.maximum(best, score)
    return choice


def test_random_agents_live_for_some_dozens_of_steps():
    assert 35 < survived(guess) < 80


def test_watching_the_fire_lengthens_life():
    assert survived(side_step) > 1.5 * survived(guess)


def test_knowing_the_speeds_lengthens_it_to_hundreds():
    assert survived(foresee, num_worlds=16, max_steps=250) > 200

from dataclasses import replace

import numpy as np
import pytest

from mindseye.core.errors import ConfigError, WorldError
from mindseye.worlds import check_snapshot, check_world, make
from mindseye.worlds.rules import Draws
from mindseye.worlds.scenes import (
    FAULTS,
    LAWS,
    Discs,
    build,
    film,
    names,
    plant,
    pushes,
    segments,
    visible,
)
from mindseye.worlds.scenes.law import DiscState, move

CALM = replace(LAWS["bounce"], kick=0.0)
IDLE = np.zeros(1, np.int64)


def still(law):
    return np.zeros((1, len(law.radii), 2))


def state(positions, velocities=None):
    position = np.array([positions], np.float64)
    velocity = np.zeros_like(position) if velocities is None else np.array([velocities], np.float64)
    return DiscState(position, velocity)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("observation", ["pixels", "state", "text"])
def test_scenes_keep_the_house_rules(name, observation):
    world = make(name, 3, observation=observation, max_steps=15, size=16)
    check_world(world, steps=20)
    check_snapshot(world, steps=5)


def test_free_fall_is_exact():
    before = state([(0.3, 0.6), (0.7, 0.6)])
    after = move(CALM, move(CALM, before, IDLE, still(CALM)), IDLE, still(CALM))
    first = move(CALM, before, IDLE, still(CALM))
    second_difference = after.position - 2 * first.position + before.position
    assert second_difference[0, :, 1] == pytest.approx([-CALM.gravity] * 2)
    assert second_difference[0, :, 0] == pytest.approx([0, 0])


@pytest.mark.parametrize(
    ("action", "expected"), [(0, (0, 0)), (1, (-1, 0)), (2, (1, 0)), (3, (0, 1)), (4, (0, -1))]
)
def test_an_action_pushes_the_first_disc_alone(action, expected):
    law = replace(CALM, gravity=0.0)
    after = move(law, state([(0.3, 0.5), (0.7, 0.5)]), np.array([action]), still(law))
    assert after.velocity[0, 0] == pytest.approx(law.push * np.array(expected))
    assert after.velocity[0, 1].tolist() == [0, 0]
    assert pushes(law, np.array([action]))[0, 0] == pytest.approx(after.velocity[0, 0])


def test_a_head_on_touch_of_equal_discs_swaps_their_speeds():
    law = replace(CALM, gravity=0.0, bounce=1.0)
    before = state([(0.4, 0.5), (0.57, 0.5)], [(0.02, 0), (-0.01, 0)])
    after = move(law, before, IDLE, still(law))
    assert after.velocity[0] == pytest.approx(np.array([(-0.01, 0), (0.02, 0)]), abs=1e-9)


def test_unequal_discs_keep_momentum_and_energy():
    law = replace(CALM, gravity=0.0, bounce=1.0, radii=(0.05, 0.1))
    before = state([(0.4, 0.5), (0.54, 0.52)], [(0.03, 0.01), (-0.01, 0)])
    after = move(law, before, IDLE, still(law))
    mass = np.array(law.radii)[:, None] ** 2
    for of in (lambda v: (mass * v[0]).sum(0), lambda v: (mass * v[0] ** 2).sum()):
        assert of(after.velocity) == pytest.approx(of(before.velocity))
    assert not np.allclose(after.velocity, before.velocity)


@pytest.mark.parametrize("name", sorted(LAWS))
def test_discs_stay_inside_and_out_of_each_other(name):
    law, rng = LAWS[name], np.random.default_rng(0)
    made = film(law, rng.integers(5, size=(16, 60)), seed=1, size=16)
    radii = np.array(law.radii)
    assert (made.positions >= radii[:, None] - 1e-9).all()
    assert (made.positions <= 1 - radii[:, None] + 1e-9).all()
    for i, j in zip(*np.triu_indices(len(radii), 1), strict=True):
        gap = np.linalg.norm(made.positions[..., i, :] - made.positions[..., j, :], axis=-1)
        assert gap.min() > 0.75 * (radii[i] + radii[j])


def test_takes_begin_alike_and_then_differ_a_little():
    actions = np.zeros((8, 20), np.int64)
    one, other = (film(LAWS["bounce"], actions, seed=3, take=t, size=16).positions for t in (0, 1))
    assert (one[:, 0] == other[:, 0]).all()
    gap = np.linalg.norm(one - other, axis=-1).mean((0, 2))
    assert 0 < gap[1] < gap[-1] < 0.3


def test_a_film_shows_what_a_world_of_the_same_seed_and_take_shows():
    actions = np.random.default_rng(0).integers(5, size=(4, 10))
    made = film(LAWS["fall"], actions, seed=7, take=2, size=20)
    world = build("scenes/fall", 4, size=20, take=2)
    seen = [world.reset(seed=7)[0]] + [world.step(actions[:, t])[0] for t in range(10)]
    assert (made.frames == np.stack(seen, 1)).all()


def test_the_scored_disc_pays_in_the_right_third():
    law = replace(CALM, gravity=0.0)
    rules = Discs(law)
    both = DiscState(
        np.array([[(0.7, 0.5), (0.3, 0.5)], [(0.6, 0.5), (0.9, 0.5)]]), np.zeros((2, 2, 2))
    )
    any_luck = Draws(np.zeros(2, np.uint64), np.zeros(2, np.int64))
    _, reward, _ = rules.transition(both, np.zeros(2, np.int64), any_luck)
    assert reward.tolist() == [1, 0]


def test_a_disc_behind_the_panel_is_neither_drawn_nor_visible_and_is_said_to_be_hidden():
    law = LAWS["occluder"]
    behind = state([(0.5, 0.5), (0.15, 0.5)])
    assert visible(law, behind.position)[0].tolist() == [False, True]
    picture = Discs(law, size=48).observe(behind)[0]
    red = (picture[..., 0].astype(int) - picture[..., 2] > 60).sum()
    assert red == 0
    said = Discs(law, observation="text").observe(behind)[0]
    assert said == "red is hidden; blue at 15 50 going nowhere"


def test_a_disc_is_as_large_as_its_radius_says():
    picture = Discs(CALM, size=100).observe(state([(0.3, 0.5), (0.7, 0.5)]))[0].astype(float)
    ground = picture[0, 0]
    cover = (picture - ground)[:, :50, 0].sum() / (225 - ground[0])
    assert cover / 100**2 == pytest.approx(np.pi * 0.09**2, rel=0.02)


def test_up_is_up_in_the_picture():
    picture = Discs(CALM, size=48).observe(state([(0.25, 0.8), (0.75, 0.2)]))[0]
    assert picture[int(0.2 * 48), 12].tolist() == [225, 70, 50]
    assert picture[int(0.8 * 48), 36].tolist() == [60, 120, 235]


CONTEXT = 4
ACTIONS = np.random.default_rng(5).integers(5, size=(6, 29))
TRUE = film(LAWS["bounce"], ACTIONS, seed=11, take=1, size=32)


def planted(fault):
    return plant(fault, LAWS["bounce"], ACTIONS, seed=11, take=1, size=32, context=CONTEXT)


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_fault_begins_after_the_context_and_is_there(fault):
    made = planted(fault)
    assert (made.frames[:, :CONTEXT] == TRUE.frames[:, :CONTEXT]).all()
    assert (made.frames[:, CONTEXT:] != TRUE.frames[:, CONTEXT:]).any((1, 2, 3, 4)).all()
    assert (made.actions == ACTIONS).all()


def test_a_frozen_film_goes_on_where_it_should_be():
    made = planted("freeze")
    assert (made.frames[:, -1] == TRUE.frames[:, -1]).all()
    still = (made.frames[:, 1:] == made.frames[:, :-1]).all((2, 3, 4)).sum(1)
    assert (still >= 7).all()


def test_a_teleport_goes_far_in_one_frame():
    steps = np.linalg.norm(np.diff(planted("teleport").positions[:, :, 0], axis=1), axis=-1)
    assert (steps.max(1) > 0.2).all()


def test_a_vanished_disc_leaves_no_red():
    last = planted("vanish").frames[:, -1].astype(int)
    assert (last[..., 0] - last[..., 2] < 60).all()


def test_flipped_things_fall_up():
    idle = np.zeros((6, 29), np.int64)
    made = plant("flipped", LAWS["bounce"], idle, seed=11, size=16, context=CONTEXT)
    assert made.positions[:, 20:, :, 1].mean() > 0.7


def test_mistakes_are_named():
    with pytest.raises(WorldError, match="scenes/bounce"):
        build("scenes/none", 1)
    with pytest.raises(ConfigError, match="no option 'colour'"):
        build("scenes/bounce", 1, colour=1)
    for wrong in ({"observation": "smell"}, {"size": 2}, {"take": -1}):
        with pytest.raises(ConfigError, match="scenes"):
            build("scenes/bounce", 1, **wrong)
    with pytest.raises(ConfigError, match="faults"):
        plant("none", LAWS["bounce"], ACTIONS, seed=0, context=4)
    with pytest.raises(ConfigError, match="too few"):
        plant("noise", LAWS["bounce"], ACTIONS[:, :5], seed=0, context=4)


def test_segments_carry_the_action_that_led_to_each_frame():
    actions = np.arange(2 * 9).reshape(2, 9) % 5
    shot = film(LAWS["toss"], actions, seed=1, size=24)
    batch = segments(LAWS["toss"], shot, np.random.default_rng(0), 5, 4)
    assert batch["action"][:, 0].tolist() == [0] * 5
    assert batch["is_first"].tolist() == [[True, False, False, False]] * 5
    for row in range(5):
        frames = batch["observation"][row]
        places = [(c, t) for c in range(2) for t in range(7)]
        clip, at = next(p for p in places if (shot.frames[p[0], p[1] : p[1] + 4] == frames).all())
        assert batch["action"][row, 1:].tolist() == actions[clip, at : at + 3].tolist()

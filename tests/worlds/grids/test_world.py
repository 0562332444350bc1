"""What holds for every small world: seeds, resets, snapshots, spaces, pictures."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from mindseye.core.errors import ConfigError, WorldError
from mindseye.core.protocols import Snapshots
from mindseye.core.tree import leaves, named_leaves, take
from mindseye.worlds.check import check_snapshot, check_world
from mindseye.worlds.grids import build, names

FACES = [(name, None) for name in names()] + [
    ("grid/door-key-6x6", "pixels"),
    ("grid/door-key-6x6", "text"),
    ("grid/fetch-8x8", "pixels"),
    ("grid/fetch-8x8", "text"),
    ("grid/noisy-tv", "pixels"),
    ("grid/dodge", "pixels"),
]


def made(name, num_worlds, observation=None, **options):
    return build(name, num_worlds, observation=observation, **options)


def same(first, second) -> bool:
    pairs = zip(named_leaves(first), named_leaves(second), strict=True)
    return all(a == b and np.array_equal(x, y) for (a, x), (b, y) in pairs)


def actions_of(world, steps, seed=0):
    shape = (steps, world.num_envs)
    return np.random.default_rng(seed).integers(0, world.single_action_space.n, shape)


def played(world, actions):
    """Everything that the steps returned, finished rows restarted."""
    record = []
    for action in actions:
        observation, reward, terminated, truncated, infos = world.step(action)
        record.append((observation, reward, terminated, truncated, infos))
        done = terminated | truncated
        if done.any():
            record.append(world.reset(options={"reset_mask": done}))
    return record


@pytest.mark.parametrize(("name", "face"), FACES)
def test_worlds_keep_the_house_rules(name, face):
    check_world(made(name, 4, face), steps=30)
    check_snapshot(made(name, 4, face))


@pytest.mark.parametrize(("name", "face"), FACES)
def test_observations_lie_in_their_space(name, face):
    world = made(name, 5, face)
    observation, _ = world.reset(seed=1)
    assert world.observation_space.contains(observation)
    for action in actions_of(world, 20):
        observation, reward, terminated, truncated, _ = world.step(action)
        assert world.observation_space.contains(observation)
        assert (reward.dtype, terminated.dtype, truncated.dtype) == (np.float32, bool, bool)


@pytest.mark.parametrize(("name", "face"), FACES)
def test_the_same_seed_tells_the_same_story(name, face):
    first, second = made(name, 3, face), made(name, 3, face)
    actions = actions_of(first, 60)
    assert same(first.reset(seed=7)[0], second.reset(seed=7)[0])
    assert same(tuple(played(first, actions)), tuple(played(second, actions)))


@pytest.mark.parametrize(("name", "face"), FACES)
def test_a_row_depends_on_its_own_seed_alone(name, face):
    alone, together = made(name, 1, face, max_steps=25), made(name, 2, face, max_steps=25)
    actions = actions_of(together, 80)
    assert same(alone.reset(seed=[5])[0], take(together.reset(seed=[3, 5])[0], slice(1, 2)))
    for action in actions:
        one, both = alone.step(action[1:]), together.step(action)
        assert same(one[0], take(both[0], slice(1, 2)))
        assert one[1:4] == tuple(part[1:] for part in both[1:4])
        finished = both[2] | both[3]
        if finished.any():
            after = together.reset(options={"reset_mask": finished})[0]
            if finished[1]:
                assert same(alone.reset()[0], take(after, slice(1, 2)))


def test_row_i_of_a_batch_does_not_depend_on_its_size():
    small, large = made("grid/fetch-8x8", 2), made("grid/fetch-8x8", 5)
    assert same(small.reset(seed=9)[0], take(large.reset(seed=9)[0], slice(0, 2)))


def test_one_number_and_a_list_of_one_agree_for_a_single_world():
    first, second = made("grid/four-rooms", 1), made("grid/four-rooms", 1)
    assert same(first.reset(seed=11)[0], second.reset(seed=[11])[0])


def test_neighbouring_seeds_share_no_rows():
    world = made("grid/ring-48", 64)
    world.reset(seed=0)
    first = {colours.tobytes() for colours in world.save().state.colours}
    world.reset(seed=1)
    second = {colours.tobytes() for colours in world.save().state.colours}
    assert not first & second


@pytest.mark.parametrize(("name", "face"), FACES)
def test_only_masked_rows_reset(name, face):
    world = made(name, 3, face)
    world.reset(seed=2)
    for action in actions_of(world, 7):
        before = world.step(action)[0]
    options = {"reset_mask": np.array([False, True, False])}
    after, _ = world.reset(options=options)
    assert same(take(before, np.array([0, 2])), take(after, np.array([0, 2])))
    assert list(options) == ["reset_mask"]


def test_every_episode_of_a_row_starts_differently():
    world = made("grid/ring-48", 1)
    starts = set()
    world.reset(seed=4)
    for _ in range(5):
        starts.add(world.save().state.colours.tobytes())
        world.reset()
    assert len(starts) == 5


def test_a_seed_given_again_starts_over():
    world = made("grid/ring-48", 2)
    world.reset(seed=4)
    first = world.save().state.colours
    world.reset()
    world.reset(seed=4)
    assert (world.save().state.colours == first).all()


def test_none_among_the_seeds_keeps_that_row_going():
    world, like = made("grid/ring-48", 2), made("grid/ring-48", 2)
    world.reset(seed=[1, 2])
    like.reset(seed=[1, 2])
    world.reset(seed=[5, None])
    like.reset()
    assert (world.save().state.colours[1] == like.save().state.colours[1]).all()


@pytest.mark.parametrize(("name", "face"), FACES)
def test_finished_rows_stand_still(name, face):
    world = made(name, 4, face, max_steps=3)
    world.reset(seed=0)
    actions = actions_of(world, 6)
    for action in actions[:3]:
        last = world.step(action)
    assert (last[2] | last[3]).all()
    for action in actions[3:]:
        observation, reward, terminated, truncated, infos = world.step(action)
        assert same(observation, last[0])
        assert (reward == 0).all()
        assert (terminated == last[2]).all()
        assert (truncated == last[3]).all()
        assert not any(infos[key].any() for key in infos if key.startswith("_"))


@pytest.mark.parametrize(("name", "face"), FACES)
def test_a_loaded_moment_replays_exactly(name, face):
    world = made(name, 3, face)
    world.reset(seed=3)
    played(world, actions_of(world, 10, seed=1))
    moment = world.save()
    actions = actions_of(world, 30, seed=2)
    first = played(world, actions)
    world.load(moment, np.arange(3))
    assert same(tuple(played(world, actions)), tuple(first))


@pytest.mark.parametrize(("name", "face"), FACES)
def test_one_row_branches_into_many(name, face):
    world = made(name, 3, face)
    world.reset(seed=3)
    played(world, actions_of(world, 5))
    moment = world.save()
    action = actions_of(world, 1)[0]
    expected = world.step(action)[0]
    world.load(moment, np.array([1, 1, 1]))
    observation = world.step(np.full(3, action[1]))[0]
    for row in range(3):
        assert same(take(observation, [row]), take(expected, [1]))


def test_branches_part_when_actions_do():
    world = made("grid/open-grid-4", 2)
    world.reset(seed=[3, 4])
    world.load(world.save(), np.array([0, 0]))
    observation = world.step(np.array([2, 4]))[0]
    assert not np.array_equal(observation[0], observation[1])


@pytest.mark.parametrize(("name", "face"), FACES)
def test_returned_observations_belong_to_the_caller(name, face):
    world, like = made(name, 2, face), made(name, 2, face)
    spoiled, _ = world.reset(seed=1)
    like.reset(seed=1)
    for leaf in leaves(spoiled):
        if isinstance(leaf, np.ndarray):
            leaf[:] = 1
    action = actions_of(world, 1)[0]
    assert same(world.step(action)[0], like.step(action)[0])


@pytest.mark.parametrize("name", names())
def test_every_world_can_be_looked_at(name):
    world = made(name, 2)
    world.reset(seed=0)
    frames = world.render()
    assert len(frames) == 2
    assert all(frame.dtype == np.uint8 and frame.shape[2:] == (3,) for frame in frames)
    assert all(frame.any() for frame in frames)


def test_worlds_declare_the_house_mode():
    assert made("grid/ring-48", 1).metadata["autoreset_mode"] is AutoresetMode.DISABLED


def test_worlds_offer_snapshots():
    assert isinstance(made("grid/ring-48", 1), Snapshots)


def test_truncation_comes_at_the_limit():
    world = made("grid/ring-48", 1, max_steps=2)
    world.reset(seed=0)
    assert [bool(world.step(np.array([1]))[3][0]) for _ in range(2)] == [False, True]


def test_unknown_names_meet_similar_ones():
    with pytest.raises(WorldError, match="grid/door-key-6x6"):
        build("grid/doorkey-6x6", 1)


def test_oblong_sizes_are_unknown():
    with pytest.raises(WorldError, match="no world"):
        build("grid/door-key-6x7", 1)


def test_unknown_options_meet_the_valid_ones():
    with pytest.raises(ConfigError, match="num_pipes, entangle"):
        build("grid/pan-flute-5", 1, pipes=3)


def test_a_world_with_one_face_refuses_another():
    with pytest.raises(ConfigError, match="observation"):
        build("grid/ring-48", 1, observation="pixels")


def test_the_size_cannot_be_given_twice():
    with pytest.raises(ConfigError, match="leave out one"):
        build("grid/ring-48", 1, num_cells=3)


@pytest.mark.parametrize(
    "actions", [np.array([0]), np.array([0, 7]), np.array([0, -1]), np.array([0.0, 1.0])]
)
def test_impossible_actions_are_refused(actions):
    world = made("grid/door-key-6x6", 2)
    world.reset(seed=0)
    with pytest.raises(WorldError, match="step"):
        world.step(actions)


def test_stepping_before_the_first_reset_is_refused():
    with pytest.raises(WorldError, match="reset"):
        made("grid/ring-48", 1).step(np.array([0]))


@pytest.mark.parametrize("mask", [np.array([1, 0]), np.array([True])])
def test_a_mask_that_does_not_fit_is_refused(mask):
    world = made("grid/ring-48", 2)
    world.reset(seed=0)
    with pytest.raises(WorldError, match="reset_mask"):
        world.reset(options={"reset_mask": mask})


def test_the_first_reset_must_start_every_row():
    with pytest.raises(WorldError, match="never started"):
        made("grid/ring-48", 2).reset(options={"reset_mask": np.array([True, False])})


def test_unknown_reset_options_are_refused():
    with pytest.raises(WorldError, match="level"):
        made("grid/ring-48", 1).reset(options={"level": 3})


def test_loading_a_row_that_is_not_there_is_refused():
    world = made("grid/ring-48", 2)
    world.reset(seed=0)
    with pytest.raises(WorldError, match="load"):
        world.load(world.save(), np.array([0, 2]))

import numpy as np
import pytest

from mindseye.core.errors import ConfigError, WorldError
from mindseye.core.spaces import commands
from mindseye.worlds import check_snapshot, check_world, make
from mindseye.worlds.text.catalogue import SIZES, catalogue
from mindseye.worlds.text.shop import COLOUR, KIND, SIZE


def shop(**options):
    world = make("text/shop", 1, **options)
    return world, world.reset(seed=3)[0][0]


def buy(world, is_right):
    """Walk to a product that is right (or of the wrong size) and buy it."""
    rules, goal = world.rules, world.save().state.goal[0]
    goods = rules.catalogue
    query = commands(world.reset(seed=3)[0][0])[goal[COLOUR]]
    world.step([query])
    for product in goods.results[goal[KIND], goal[COLOUR]]:
        world.step([f"click {product + 1}"])
        sizes = [i for i in range(len(SIZES)) if goods.sizes[product, i]]
        size = goal[SIZE] if goal[SIZE] in sizes else sizes[0]
        if not is_right:
            size = next(i for i in sizes if i != goal[SIZE])
        _, _, _, _, _ = world.step([f"choose {SIZES[size]}"])
        state = world.save().state
        if rules.fits(state)[0] == is_right:
            return world.step(["buy"])
        world.step(["back"])
        world.step([query])
    raise AssertionError("no product is right")


@pytest.mark.parametrize("observation", ["text", "symbols"])
def test_the_shop_keeps_the_rules(observation):
    world = make("text/shop", 3, observation=observation)
    check_world(world)
    check_snapshot(world)


def test_pages_offer_what_can_be_done():
    world, text = shop()
    task, page, _ = text.splitlines()
    assert task.startswith("Task: buy a ")
    assert page == "You are at the search page."
    assert commands(text)[0].startswith("search red ")
    (text,), *_ = world.step([commands(text)[0]])
    assert text.splitlines()[1].startswith("Results for red ")
    (text,), *_ = world.step([commands(text)[0]])
    assert text.splitlines()[1].startswith("Item ")
    assert "buy" in commands(text)
    (text,), *_ = world.step(["back"])
    assert "You are at the search page." in text


def test_what_is_not_offered_changes_nothing_and_is_said():
    world, text = shop()
    for said in ("buy", "click 1", "search nonsense", "", "open door"):
        (after,), reward, terminated, _, infos = world.step([said])
        assert after.replace("Nothing happens.\n", "") == text
        assert (reward[0], terminated[0], infos["failed"][0]) == (0.0, False, 1.0)


def test_only_the_right_product_in_the_right_size_pays():
    world, _ = shop(max_steps=40)
    (text,), reward, terminated, _, _ = buy(world, True)
    assert (reward[0], terminated[0]) == (1.0, True)
    assert "You bought item" in text
    _, reward, terminated, _, _ = buy(world, False)
    assert (reward[0], terminated[0]) == (0.0, True)


def test_every_task_can_be_fulfilled():
    world = make("text/shop", 256)
    world.reset(seed=0)
    goal, goods = world.save().state.goal, world.rules.catalogue
    for kind, colour, material, size, limit in goal.tolist():
        shown = goods.results[kind, colour]
        shown = shown[shown >= 0]
        right = (goods.material[shown] == material) & (goods.price[shown] <= limit)
        assert (right & goods.sizes[shown, size]).any()


def test_a_catalogue_depends_on_its_seed_alone():
    first, again, other = catalogue(1, 200), catalogue(1, 200), catalogue(2, 200)
    assert np.array_equal(first.price, again.price)
    assert not np.array_equal(first.price, other.price)
    assert np.bincount(first.kind * 5 + first.colour).tolist() == [4] * 50


def test_easier_shops_ask_for_less():
    _, text = shop(difficulty=1)
    assert "at most" not in text
    _, text = shop(difficulty=2)
    assert "at most" in text
    assert not any(size in text.splitlines()[0] for size in SIZES)


def test_impossible_shops_are_refused():
    with pytest.raises(ConfigError, match="products"):
        make("text/shop", num_products=10)
    with pytest.raises(ConfigError, match="difficulty"):
        make("text/shop", difficulty=4)
    with pytest.raises(ConfigError, match="symbols"):
        make("text/shop", observation="pixels")
    with pytest.raises(WorldError, match="text/shop"):
        make("text/shopping")


def test_texts_as_actions_are_counted():
    world, _ = shop()
    for wrong in ("buy", ["buy", "buy"], [3]):
        with pytest.raises(WorldError, match="1 texts"):
            world.step(wrong)


def test_a_page_can_be_looked_at():
    world, _ = shop()
    assert world.render()[0].shape == (160, 320, 3)

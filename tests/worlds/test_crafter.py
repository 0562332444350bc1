import numpy as np
import pytest

from mindseye.core.errors import ConfigError
from mindseye.worlds import check_world, make

pytest.importorskip("crafter")


def test_crafter_keeps_the_rules():
    check_world(make("crafter", 2, max_steps=30), steps=12)


def test_the_limit_truncates():
    world = make("crafter", 1, max_steps=3)
    world.reset(seed=0)
    ends = [world.step(np.zeros(1, np.int64))[2:4] for _ in range(3)]
    assert [bool(truncated[0]) for _, truncated in ends] == [False, False, True]
    assert not any(terminated[0] for terminated, _ in ends)


def test_another_face_is_refused():
    with pytest.raises(ConfigError, match="choose pixels"):
        make("crafter", 1, observation="text")

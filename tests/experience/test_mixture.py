import numpy as np
import pytest
from gymnasium import spaces

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import ConfigError, DataError
from mindseye.experience import Mixture, Replay


def episode_of(kind, size=1):
    observations = np.full((11, size), {"real": 0, "imagined": 1, "written": 2}[kind], np.float32)
    rewards = np.zeros(10, np.float32)
    return Episode(observations, np.zeros(10, int), rewards, True, False, Origin(kind, "chain"))


def store(folder, kind, size=1):
    replay = Replay(folder, spaces.Box(0, 9, (size,), np.float32), spaces.Discrete(2))
    replay.add([episode_of(kind, size)])
    return replay


@pytest.fixture
def real(tmp_path):
    return store(tmp_path / "real", "real")


@pytest.fixture
def imagined(tmp_path):
    return store(tmp_path / "imagined", "imagined")


def test_weights_split_the_batch(real, imagined):
    mixture = Mixture({"real": (real, 1.0), "imagined": (imagined, 3.0)})
    batch = mixture.sample(8, 4, np.random.default_rng(0))
    assert batch["origin"][:, 0].tolist() == [0, 0, 1, 1, 1, 1, 1, 1]


def test_the_origin_tells_whose_rows_they_are(real, imagined):
    mixture = Mixture({"real": (real, 1.0), "imagined": (imagined, 1.0)})
    batch = mixture.sample(4, 4, np.random.default_rng(0))
    assert batch["observation"][:, :, 0].tolist() == batch["origin"].tolist()


def test_odd_segments_go_to_stores_in_the_long_run_by_weight(real, imagined):
    mixture = Mixture({"real": (real, 1.0), "imagined": (imagined, 3.0)})
    rng = np.random.default_rng(0)
    counts = [mixture.counts(1, rng)["imagined"] for _ in range(2000)]
    assert np.mean(counts) == pytest.approx(0.75, abs=0.04)


def test_tenths_are_rounded_as_tenths(real, imagined):
    mixture = Mixture({"real": (real, 0.1), "imagined": (imagined, 0.9)})
    assert mixture.counts(10, np.random.default_rng(0)) == {"real": 1, "imagined": 9}


def test_an_empty_store_leaves_its_share_to_the_others(real, tmp_path):
    empty = Replay(tmp_path / "none", real.observation_space, real.action_space)
    mixture = Mixture({"real": (real, 1.0), "imagined": (empty, 1.0)})
    batch = mixture.sample(4, 4, np.random.default_rng(0))
    assert batch["origin"][:, 0].tolist() == [0, 0, 0, 0]


def test_the_same_store_may_appear_twice(real):
    mixture = Mixture({"a": (real, 1.0), "b": (real, 1.0)})
    assert mixture.sample(4, 4, np.random.default_rng(0))["mask"].shape == (4, 4)


def test_episodes_go_to_the_store_of_their_origin(real, imagined):
    mixture = Mixture({"real": (real, 1.0), "imagined": (imagined, 1.0)})
    mixture.add([episode_of("imagined")])
    assert (real.num_episodes, imagined.num_episodes) == (1, 2)


def test_an_episode_without_a_store_is_refused(real):
    with pytest.raises(DataError, match="no store named"):
        Mixture({"real": (real, 1.0)}).add([episode_of("written")])


def test_stores_of_other_spaces_do_not_mix(real, tmp_path):
    wide = store(tmp_path / "wide", "imagined", size=2)
    mixture = Mixture({"real": (real, 1.0), "imagined": (wide, 1.0)})
    with pytest.raises(DataError, match="does not match"):
        mixture.sample(4, 4, np.random.default_rng(0))


def test_only_empty_stores_are_refused(real, tmp_path):
    empty = Replay(tmp_path / "none", real.observation_space, real.action_space)
    with pytest.raises(DataError, match="empty"):
        Mixture({"real": (empty, 1.0)}).sample(1, 1, np.random.default_rng(0))


def test_a_weight_of_nothing_is_refused(real):
    with pytest.raises(ConfigError, match="weights above 0"):
        Mixture({"real": (real, 0.0)})


def test_a_mixture_counts_and_iterates_over_all_stores(real, imagined):
    mixture = Mixture({"real": (real, 1.0), "imagined": (imagined, 1.0)})
    assert len(mixture) == 20
    assert [episode.origin.kind for episode in mixture] == ["real", "imagined"]

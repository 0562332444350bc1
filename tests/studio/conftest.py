import pytest

from tests.studio.playing import Counting, Driven, counting_stage, latent_stage


@pytest.fixture
def counting():
    model = Counting()
    driven = Driven(counting_stage(model))
    driven.model = model
    return driven


@pytest.fixture(scope="session")
def empty_room():
    return latent_stage()

import numpy as np
import pytest

from mindseye.core.errors import DataError
from mindseye.evaluation.video import (
    PROBES,
    PhysicsReport,
    Scene,
    Tracks,
    fit_limits,
    probe_physics,
)

GRAVITY = 0.004
SCENE = Scene(radii=np.array([0.05, 0.05]), gravity=GRAVITY, nearness=0.03)
FRAMES = 9


def thrown(x=0.2, y=0.4, speed=(0.02, 0.03), gravity=GRAVITY, pushes=None):
    """Positions of an object in free flight, (frames, 2)."""
    place, velocity, seen = np.array([x, y]), np.array(speed), []
    for t in range(FRAMES):
        seen.append(place)
        if pushes is not None and t < FRAMES - 1:
            velocity = velocity + pushes[t]
        velocity = velocity - (0, gravity)
        place = place + velocity
    return np.stack(seen)


def tracks(*objects, seen=None):
    positions = np.stack(objects, 1)[None]
    everywhere = np.ones(positions.shape[:3], bool)
    return Tracks(positions, everywhere if seen is None else seen)


REST = np.tile([0.8, 0.05], (FRAMES, 1))
LAWFUL = tracks(thrown(), REST)
NO_PUSH = np.zeros((1, FRAMES - 1, 2, 2))


def ask(probe, found, pushes=NO_PUSH, scene=SCENE):
    return probe_physics(found, pushes, scene)[probe][0]


@pytest.mark.parametrize("probe", sorted(set(PROBES) - {"continuity", "response"}))
def test_a_lawful_throw_breaks_nothing(probe):
    assert ask(probe, LAWFUL) == pytest.approx(0, abs=1e-9)


def test_continuity_is_the_farthest_step():
    path = thrown()
    path[5:] += (0.3, 0.4)
    step = path[5] - path[4]
    assert ask("continuity", tracks(path, REST)) == pytest.approx(np.hypot(*step))


def test_permanence_counts_the_longest_absence_in_frames():
    seen = np.ones((1, FRAMES, 2), bool)
    seen[0, 2:3, 0] = seen[0, 5:8, 0] = False
    assert ask("permanence", tracks(thrown(), REST, seen=seen)) == 3


def test_permanence_excuses_what_went_behind_the_panel():
    seen = np.ones((1, FRAMES, 2), bool)
    seen[0, 4:7, 0] = False
    path = thrown(x=0.4, speed=(0.03, 0.03))
    behind = Scene(SCENE.radii, GRAVITY, SCENE.nearness, hidden=(0.5, 0.6))
    elsewhere = Scene(SCENE.radii, GRAVITY, SCENE.nearness, hidden=(0.8, 0.9))
    assert ask("permanence", tracks(path, REST, seen=seen), scene=behind) == 0
    assert ask("permanence", tracks(path, REST, seen=seen), scene=elsewhere) == 3


def test_gravity_upside_down_is_wrong_by_twice_itself():
    found = tracks(thrown(y=0.3, speed=(0.02, 0), gravity=-GRAVITY), REST)
    assert ask("gravity", found) == pytest.approx(2)


def test_gravity_cannot_tell_without_flight():
    assert np.isnan(ask("gravity", tracks(REST - (0.5, 0), REST)))


def test_inertia_notices_a_turn_in_mid_air():
    path = thrown()
    path[4:, 0] -= 0.04 * np.arange(FRAMES - 4)
    assert ask("inertia", tracks(path, REST)) == pytest.approx(0.04)


def test_inertia_excuses_a_turn_beside_another_object():
    path = thrown()
    path[4:, 0] -= 0.04 * np.arange(FRAMES - 4)
    beside = path + np.array([0.11, 0])
    assert ask("inertia", tracks(path, beside)) == 0


def test_solidity_is_the_depth_of_the_overlap():
    # centres 0.06 apart, radii 0.05 each
    assert ask("solidity", tracks(thrown(), thrown(x=0.26))) == pytest.approx(0.4)


def test_energy_notices_a_boost():
    path = thrown()
    path[4:] += np.outer(np.arange(FRAMES - 4), (0.02, 0.02))
    assert ask("energy", tracks(path, REST)) > 1e-4


def test_response_is_nothing_when_actions_act_and_one_when_they_are_ignored():
    pushes = np.zeros((FRAMES - 1, 2))
    pushes[2:6] = (0.02, 0.0)
    given = NO_PUSH.copy()
    given[0, :, 0] = pushes
    obeyed, ignored = thrown(pushes=pushes), thrown()
    assert ask("response", tracks(obeyed, REST), given) == pytest.approx(0, abs=1e-9)
    assert ask("response", tracks(ignored, REST), given) == pytest.approx(1)
    assert np.isnan(ask("response", tracks(ignored, REST)))


def test_liveness_counts_frames_of_hanging_in_the_air():
    path = thrown()
    path[3:] = path[3]
    assert ask("liveness", tracks(path, REST)) == FRAMES - 4


def test_without_gravity_its_probes_cannot_tell_and_others_can():
    table = Scene(SCENE.radii, 0.0, SCENE.nearness)
    found = tracks(thrown(gravity=0.0), REST)
    assert np.isnan(ask("gravity", found, scene=table))
    assert ask("inertia", found, scene=table) == pytest.approx(0, abs=1e-9)


def test_limits_are_the_worst_real_clip_with_slack():
    real = {"gravity": np.array([0.1, np.nan, 0.4]), "energy": np.full(2, np.nan)}
    limits = fit_limits(real, slack=1.5)
    assert limits.most["gravity"] == pytest.approx(0.6)
    report = PhysicsReport({"gravity": np.array([0.5, 0.7, np.nan])}, limits)
    assert report.tripped("gravity").tolist() == [False, True, False]
    assert report.lawful().tolist() == [1, 0, 1]
    assert report.measures("x")[0].name == "broken/gravity/x"


def test_a_law_never_seen_in_real_clips_never_trips():
    limits = fit_limits({"energy": np.full(2, np.nan)})
    assert not PhysicsReport({"energy": np.array([9.0])}, limits).tripped("energy")[0]


def test_pushes_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="pushes"):
        probe_physics(LAWFUL, NO_PUSH[:, 1:], SCENE)

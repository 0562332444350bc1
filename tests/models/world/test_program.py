import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from mindseye.core.errors import LearnerError, SpecError
from mindseye.learners.law_fitting import LawFitting, steps_of
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.models.world.enumeration import Law, ReadLaws, enumerate_laws, tell
from mindseye.models.world.lands import LandReader
from mindseye.models.world.laws import AllLaws, Laws, Opinions, Product
from mindseye.models.world.program import ProgramWorldModel
from mindseye.models.world.written_laws import WrittenLaws, as_json, propose_laws
from mindseye.worlds import DreamWorld, check_snapshot, check_world
from mindseye.worlds.minicraft import FULL, Minicraft
from mindseye.worlds.minicraft.facts import Facts
from mindseye.worlds.rules import RulesWorld

FLIPS, STAYS, FAIR = range(3)


class Switches(Laws):
    """Nine laws of three switches: one that flips, one that is a coin, one that does nothing."""

    def __init__(self, *, is_gated=True):
        self.is_gated = is_gated
        self.names = [
            f"{s} {h}" for s in ("first", "coin", "dead") for h in ("flips", "stays", "?")
        ]

    def opine(self, states, actions):
        said = []
        for switch in range(3):
            rows = np.flatnonzero((actions == switch) | (not self.is_gated))
            now, fact = states[rows, switch], np.full(len(rows), switch)
            for law, value in ((FLIPS, 1 - now), (STAYS, now), (FAIR, now), (FAIR, 1 - now)):
                number = np.full(len(rows), 3 * switch + law)
                said.append(Opinions(rows, number, fact, value, np.zeros(len(rows), np.float32)))
        return Opinions.joined(said)


def pressed(count, rng):
    actions, states = rng.integers(3, size=count), [np.zeros(3, np.int64)]
    for action in actions:
        now = states[-1].copy()
        now[0] = 1 - now[0] if action == 0 else now[0]
        now[1] = rng.integers(2) if action == 1 else now[1]
        states.append(now)
    return np.array(states[:-1]), actions, np.array(states[1:])


def nothing(before, after):
    return np.zeros(len(before), np.float32), np.zeros(len(before), bool)


def switches(**options):
    return ProgramWorldModel(Switches(**options), MultiDiscrete([2, 2, 2]), Discrete(3), nothing)


def land(size=8):
    minicraft = Minicraft(
        FULL, size=size, view=0, is_wild=True, has_needs=True, observation="symbols", cell=4,
        max_steps=500,
    )  # fmt: skip
    return Facts(minicraft)


def life(facts, seed, steps=200):
    world, rng = RulesWorld(facts, 8), np.random.default_rng(seed)
    seen, done, actions = [world.reset(seed=seed)[0]], [np.zeros(8, bool)], []
    for _ in range(steps):
        actions.append(rng.integers(len(facts.layout.actions), size=8))
        observed, _, terminated, truncated, _ = world.step(actions[-1])
        seen.append(observed)
        done.append(terminated | truncated)
    alive = ~np.stack(done[:-1]).ravel()
    width = seen[0].shape[1]
    before, after = (np.stack(x).reshape(-1, width) for x in (seen[:-1], seen[1:]))
    return before[alive], np.stack(actions).ravel()[alive], after[alive]


@pytest.fixture(scope="module")
def lived():
    facts = land()
    steps = life(facts, 100)
    reader = LandReader(facts.layout)
    return facts, reader, steps, enumerate_laws(reader, *steps)


def read_model(facts, reader, laws, **options):
    return ProgramWorldModel(
        ReadLaws(reader, laws, **options),
        facts.observation_space,
        facts.action_space,
        facts.outcome,
    )


def test_a_product_is_what_the_equation_says():
    opinions = Opinions(
        row=np.array([0, 0, 0]),
        law=np.array([0, 0, 1]),
        fact=np.array([1, 1, 1]),
        value=np.array([0, 2, 2]),
        score=np.log(np.array([0.25, 0.75, 1.0], np.float32)),
    )
    weights = torch.tensor([2.0, 0.5])
    phi = torch.tensor([[np.log(0.25), -10, np.log(0.75), -10], [-10.0, -10, 0, -10]])
    expected = torch.log_softmax((weights[:, None] * phi).sum(0), 0)
    product = Product(opinions, np.array([3, 4]))
    for value in range(4):
        after = np.array([[0, value]])
        assert product.log_prob(weights, after).item() == pytest.approx(
            expected[value].item(), abs=1e-5
        )
    assert product.best(weights).tolist() == [2]


def test_silence_leaves_things_as_they_are():
    model = switches()
    after, product = model.next(np.array([[1, 1, 1]]), np.array([2]))
    assert product.fact.tolist() == [2]
    assert after[0, :2].tolist() == [1, 1]
    kept, changed = np.array([[1, 1, 1]]), np.array([[0, 1, 1]])
    action = np.array([2])
    cost = model.log_prob(kept, action, changed) - model.log_prob(kept, action, kept)
    assert cost[0] == pytest.approx(-1.0)


@pytest.mark.parametrize("count", [50, 100])
def test_fitted_weights_beat_equal_ones_and_those_beat_no_preconditions(count):
    rng = np.random.default_rng(100 + count)
    seen, unseen = pressed(count, rng), pressed(300, rng)
    fitted, open_ended = switches(), switches(is_gated=False)
    equal = -fitted.log_prob(*unseen).mean() / 3
    LawFitting(fitted).fit(*seen)
    LawFitting(open_ended).fit(*seen)
    found = -fitted.log_prob(*unseen).mean() / 3
    ungated = -open_ended.log_prob(*unseen).mean() / 3
    assert equal == pytest.approx(np.log(2) / 3, abs=1e-4)
    assert found < 0.1 < equal < ungated


def test_right_laws_gain_weight_and_a_coin_is_left_alone():
    model = switches()
    LawFitting(model).fit(*pressed(100, np.random.default_rng(0)))
    weights = model.weights.detach()
    assert weights[FLIPS] > 0.7 > 0.3 > weights[STAYS]
    assert weights[6 + STAYS] > 0.7 > 0.3 > weights[6 + FLIPS]
    assert (weights[3:6] - 0.5).abs().max() < 0.1


def test_fitting_goes_on_from_its_state_and_refuses_what_is_not_finite():
    model = switches()
    learner = LawFitting(model)
    learner.fit(*pressed(20, np.random.default_rng(0)))
    other = LawFitting(switches())
    other.load_state_dict(learner.state_dict())
    assert torch.equal(other.model.weights, model.weights)
    with torch.no_grad():
        model.weights[0] = float("nan")
    with pytest.raises(LearnerError, match="not finite"):
        learner.fit(*pressed(20, np.random.default_rng(0)))


def test_steps_of_a_batch_skip_padding_and_first_rows():
    batch = {
        "observation": torch.arange(4).reshape(1, 4, 1),
        "action": torch.tensor([[0, 5, 0, 6]]),
        "is_first": torch.tensor([[True, False, True, False]]),
        "mask": torch.tensor([[1.0, 1.0, 1.0, 0.0]]),
    }
    before, actions, after = steps_of(batch)
    assert (before.tolist(), actions.tolist(), after.tolist()) == ([[0]], [5], [[1]])


def test_facts_and_states_are_two_ways_to_say_the_same():
    facts = land()
    before, *_ = life(facts, 101, steps=60)
    assert (facts.observe(facts.state(before)) == before).all()
    assert len(facts.layout.names) == before.shape[1] == len(facts.layout.domains)
    world = RulesWorld(facts, 3)
    check_world(world)
    check_snapshot(world)
    seen, _ = world.reset(seed=4)
    for action in range(12):
        now, reward, ended, _, _ = world.step(np.full(3, action))
        told, ends = facts.outcome(seen, now)
        np.testing.assert_allclose(told, reward)
        assert (ends == ended).all()
        seen = now


def test_laws_are_read_off_what_happened(lived):
    _, reader, _, laws = lived
    told = [tell(reader.kinds[law.kind], law) for law in laws]
    assert any(t.startswith("wood: +1") and "one walks into tree" in t for t in told)
    assert any(t.startswith("player: ahead") and "one walks into grass" in t for t in told)
    assert any(t.startswith("drink: ") and "walks into water" in t for t in told)


def test_reading_fits_unseen_lives_better_with_weights_conditions_and_chance(lived):
    facts, reader, steps, laws = lived
    unseen = life(facts, 900, steps=100)
    soft = read_model(facts, reader, laws)
    equal = -soft.log_prob(*unseen).mean()
    LawFitting(soft).fit(*steps)
    fitted = -soft.log_prob(*unseen).mean()
    hard = read_model(facts, reader, enumerate_laws(reader, *steps, is_soft=False))
    LawFitting(hard).fit(*steps)
    bare = read_model(facts, reader, laws, is_gated=False)
    LawFitting(bare).fit(*steps)
    assert fitted < equal
    assert fitted < -hard.log_prob(*unseen).mean()
    assert fitted < -bare.log_prob(*unseen).mean()


def test_a_program_dreams(lived):
    facts, reader, steps, laws = lived
    model = read_model(facts, reader, laws)
    LawFitting(model).fit(*steps)
    firsts = steps[0][::50]

    def starts(n, rng):
        rows = rng.integers(len(firsts), size=n)
        return {
            "observation": firsts[rows][:, None],
            "action": np.zeros((n, 1), np.int64),
            "is_first": np.ones((n, 1), bool),
        }

    dream = DreamWorld(model, 3, starts=starts, horizon=30)
    check_world(dream, steps=30)
    check_snapshot(dream, steps=10)


def test_a_program_needs_facts_and_choices():
    with pytest.raises(SpecError, match="choices"):
        ProgramWorldModel(Switches(), Box(0, 1, (3,)), Discrete(3), nothing)  # type: ignore
    with pytest.raises(SpecError, match="actions"):
        ProgramWorldModel(Switches(), MultiDiscrete([2]), Box(0, 1, (3,)), nothing)  # type: ignore


DRINKS = """
def thirst(state):
    return state["vitals"]["drink"]

def precondition(state, action):
    return cell_ahead(state, action) == "water"

def effect(state, action):
    return {"vitals.drink": [[thirst(state) + 1, 0.9], [thirst(state), 0.1]]}
"""
LAYS = """
def precondition(state, action):
    return action == "build table" and state["items"]["wood"] >= 2

def effect(state, action):
    here = state["player"]
    left = state["items"]["wood"] - 2
    return {"terrain." + str(here): [["table", 1.0]], "items.wood": [[left, 1]]}
"""
BAD = [
    "import os\ndef precondition(s, a):\n    return True\ndef effect(s, a):\n    return {}",
    "def precondition(state, a):\n    return state['moon']\ndef effect(s, a):\n    return {}",
    "def effect(state, action):\n    return {}",
    "def precondition(state, action) return",
    "def precondition(s, a):\n    return True\ndef effect(s, a):\n    return {'gold': [[1, 1]]}",
]


def test_written_laws_run_in_the_sandbox_and_bad_ones_are_dropped(lived):
    facts, reader, (before, actions, after), laws = lived
    told = [f"So:\n```python\n{source}\n```" for source in (DRINKS, LAYS, *BAD)]
    language = ScriptedLanguageModel(lambda messages: told.pop(0) if told else "no idea")
    sources = propose_laws(language, facts.layout, before, actions, after, most=8)
    assert len(sources) == 7
    assert "vitals" in language.heard[0][1]["content"]
    written = WrittenLaws(facts.layout, sources, before[:64], actions[:64])
    assert len(written.dropped) == 5
    assert written.names[0] == "cell_ahead(state, action) == 'water'"
    state = before[:1].copy()
    names = facts.layout.names
    state[0, names.index("items.wood")] = 5
    both = AllLaws([ReadLaws(reader, laws), written])
    said = both.opine(state, np.array([list(facts.layout.actions).index("build table")]))
    mine = said.law == len(laws) + 1
    assert {names[fact]: v for fact, v in zip(said.fact[mine], said.value[mine], strict=True)} == {
        "items.wood": 3,
        f"terrain.{as_json(facts.layout, state[0])['player']}": 4,
    }
    assert written.failures == 0


def test_a_law_reads_as_a_sentence():
    reader = LandReader(land().layout)
    kind = next(i for i, kind in enumerate(reader.kinds) if kind.name == "player")
    law = Law(kind, (0,), (np.log(0.25), np.log(0.75)))
    assert tell(reader.kinds[kind], law) == (
        "player: ahead (75%), or no change (25%), if the action is stay"
    )

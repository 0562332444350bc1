from copy import deepcopy

import numpy as np
import pytest
import torch

from mindseye.agents.reading import ReadingAgent
from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import LearnerError, SpecError
from mindseye.learners.group_policy import GroupPolicy, decisions
from mindseye.learners.text_cloning import TextCloning
from mindseye.models.policy.text import TextPolicy
from mindseye.ops.groups import group_normalised, group_variance, has_contrast, leave_one_out

COLOURS = ("red", "blue", "green", "white")


def ask(colour):
    listed = "; ".join(f"take {name}" for name in COLOURS)
    return f"Task: find {colour}.\nThere are boxes.\nYou can: {listed}."


def attempt(policy, colours, group_size, seed):
    """One decision per episode, paid if the colour is right."""
    texts = [ask(colour) for colour in colours for _ in range(group_size)]
    agent = ReadingAgent(policy, seed=seed)
    said, _, extras = agent.act(texts, None, explore=True)
    wanted = [colour for colour in colours for _ in range(group_size)]
    episodes = [
        Episode(
            observations=[text, "over"],
            actions=[one],
            rewards=np.array([one == f"take {colour}"], np.float32),
            terminated=True,
            truncated=False,
            origin=Origin("real", "boxes"),
            extras={"log_prob": extras["log_prob"][i : i + 1]},
        )
        for i, (text, one, colour) in enumerate(zip(texts, said, wanted, strict=True))
    ]
    return decisions(episodes, np.repeat(np.arange(len(colours)), group_size))


def test_advantages_are_those_of_the_formulas():
    return_ = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 3.0])
    group = torch.tensor([7, 7, 2, 2, 2, 5])
    spread = (2 / 9) ** 0.5
    expected = [1.0, -1.0, (2 / 3) / spread, -(1 / 3) / spread, -(1 / 3) / spread, 0.0]
    assert torch.allclose(group_normalised(return_, group), torch.tensor(expected))
    assert leave_one_out(return_, group).tolist() == [1.0, -1.0, 1.0, -0.5, -0.5, 0.0]
    assert torch.allclose(
        group_variance(return_, group), torch.tensor([0.25, 0.25, 2 / 9, 2 / 9, 2 / 9, 0.0])
    )
    assert has_contrast(return_, group).tolist() == [True] * 5 + [False]


def test_groups_without_contrast_teach_nothing():
    torch.manual_seed(0)
    policy = TextPolicy(16)
    batch = attempt(policy, ["red", "blue"], 4, seed=0)
    batch["return_"] = torch.ones(8)
    before = [p.clone() for p in policy.parameters()]
    told = GroupPolicy(policy, seed=0).update(batch)
    assert told["groups/contrast"] == 0.0
    assert all(torch.equal(a, b) for a, b in zip(before, policy.parameters(), strict=True))


@pytest.mark.parametrize("advantage", [group_normalised, leave_one_out])
def test_it_learns_which_of_the_texts_pays(advantage):
    torch.manual_seed(0)
    policy = TextPolicy(32)
    learner = GroupPolicy(policy, seed=0, advantage=advantage, learning_rate=3e-3)
    for step in range(60):
        told = learner.update(attempt(policy, COLOURS, 16, seed=step))
    assert told["return"] > 0.9
    assert policy([ask(colour) for colour in COLOURS]).mode() == [f"take {c}" for c in COLOURS]


def test_a_reference_holds_the_policy_back():
    moved = []
    for weight in (0.0, 10.0):
        torch.manual_seed(0)
        policy, reference = TextPolicy(16), TextPolicy(16)
        reference.load_state_dict(policy.state_dict())
        learner = GroupPolicy(
            policy, seed=0, reference=reference, kl_weight=weight, learning_rate=3e-3
        )
        for step in range(15):
            told = learner.update(attempt(policy, COLOURS, 8, seed=step))
        moved.append(told["policy/kl"])
    assert moved[1] < moved[0] / 2


def test_an_update_that_is_not_finite_leaves_the_policy_as_it_was():
    torch.manual_seed(0)
    policy = TextPolicy(16)
    batch = attempt(policy, COLOURS, 8, seed=0)
    batch["log_prob"] = torch.full_like(batch["log_prob"], float("nan"))
    before = [p.clone() for p in policy.parameters()]
    with pytest.raises(LearnerError, match="group policy"):
        GroupPolicy(policy, seed=0).update(batch)
    assert all(torch.equal(a, b) for a, b in zip(before, policy.parameters(), strict=True))


def test_it_goes_on_exactly_where_it_stopped():
    torch.manual_seed(0)
    policies = TextPolicy(16), TextPolicy(16)
    first, second = (GroupPolicy(policy, seed=1) for policy in policies)
    batch = attempt(policies[0], COLOURS, 8, seed=0)
    first.update(batch)
    second.load_state_dict(deepcopy(first.state_dict()))
    assert first.update(batch) == second.update(batch)


def test_cloning_learns_what_was_said():
    torch.manual_seed(0)
    policy = TextPolicy(32)
    learner = TextCloning(policy)
    batch = {"observation": [ask(c) for c in COLOURS], "action": [f"take {c}" for c in COLOURS]}
    for _ in range(40):
        told = learner.update(batch)
    assert told["cloning/agreement"] == 1.0


def test_a_policy_says_only_what_is_listed():
    policy = TextPolicy(8)
    with pytest.raises(SpecError, match="You can"):
        policy(["nothing to be done"])
    choices = policy([ask("red"), "Task: x.\nYou can: look."])
    assert choices.log_probs[1].tolist()[0] == 0.0
    assert choices.entropy()[1] == 0.0
    with pytest.raises(SpecError, match="listed"):
        choices.log_prob(["take red", "take red"])

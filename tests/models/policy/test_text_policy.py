import torch

from mindseye.core.spaces import with_commands
from mindseye.models.policy import text as module
from mindseye.models.policy.text import TextPolicy

TEXTS = [
    with_commands(f"Task: take the {thing}.\nA {thing} lies here. {'Nothing else. ' * i}", can)
    for i, (thing, can) in enumerate(
        [("pen", ["take pen", "look"]), ("cup", ["take cup", "take pen", "go"]), ("hat", ["look"])]
    )
]


def scores(policy):
    policy.zero_grad()
    choices = policy(TEXTS)
    choices.log_prob(["take pen", "go", "look"]).sum().backward()
    return choices.log_probs.detach(), policy.embedding.weight.grad.clone()


def test_what_is_read_in_parts_is_judged_the_same(monkeypatch):
    torch.manual_seed(0)
    policy = TextPolicy(units=8)
    whole = scores(policy)
    monkeypatch.setattr(module, "_MOST_WORDS", 24)
    for one, other in zip(whole, scores(policy), strict=True):
        torch.testing.assert_close(one, other)

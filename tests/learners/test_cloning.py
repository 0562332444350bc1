import numpy as np
import torch
from gymnasium import spaces

from mindseye.agents.policy import PolicyNetwork
from mindseye.learners.cloning import clone

READ = spaces.Box(-1, 1, (2,), np.float32)
DONE = spaces.Box(-1, 1, (1,), np.float32)


def cloned(*sources):
    torch.manual_seed(0)
    network = PolicyNetwork(READ, DONE, units=32)
    clone(network, sources, updates=150, batch=64, rng=np.random.default_rng(0))
    return network


def said(network, x):
    with torch.no_grad():
        return network(torch.tensor([x])).mode()[0, 0].item()


def test_a_clone_does_as_its_examples_do():
    seen = np.random.default_rng(0).uniform(-1, 1, (500, 2)).astype(np.float32)
    network = cloned((seen, np.where(seen[:, :1] > 0, 0.6, -0.6).astype(np.float32)))
    assert said(network, [0.5, 0.0]) > 0.4
    assert said(network, [-0.5, 0.0]) < -0.4


def test_small_sources_count_as_much_as_large_ones():
    seen = np.zeros((400, 2), np.float32)
    large = seen, np.full((400, 1), 0.8, np.float32)
    small = seen[:4], np.full((4, 1), -0.8, np.float32)
    assert abs(said(cloned(large, small), [0.0, 0.0])) < 0.25

"""PPO in one file, trained inside a dream, tested in the real world.

The file knows nothing of world models: it asks Gymnasium for a vector of worlds, and gets dreams.
Point `--world` at any Gymnasium id instead and it trains in reality; nothing else changes.

    mindseye train --world CartPole-v1 --steps 4000 --out runs/cartpole
    python examples/ppo_in_dream.py --run runs/cartpole --real CartPole-v1
"""

from dataclasses import dataclass

import gymnasium
import numpy as np
import torch
import tyro
from gymnasium.vector import AutoresetMode
from torch import nn
from torch.distributions import Categorical

from mindseye.experience import Replay
from mindseye.models.files import load_model
from mindseye.worlds import starts_from


@dataclass
class Args:
    run: str = ""
    """Folder of a `mindseye train` run: dream in its world model."""
    world: str = ""
    """Or: train in this world instead."""
    real: str = "CartPole-v1"
    """World of the test."""
    steps: int = 60_000
    """Steps of training, over all worlds."""
    worlds: int = 32
    """Worlds side by side."""
    rollout: int = 64
    """Steps per world and update."""
    horizon: int = 200
    """Longest dream."""
    learning_rate: float = 1e-3
    discount: float = 0.98
    seed: int = 0


class Network(nn.Module):
    def __init__(self, numbers: int, actions: int):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(numbers, 64), nn.Tanh(), nn.Linear(64, actions))
        self.critic = nn.Sequential(nn.Linear(numbers, 64), nn.Tanh(), nn.Linear(64, 1))

    def forward(self, observation):
        said = Categorical(logits=self.actor(observation))
        return said, self.critic(observation).squeeze(-1)


def make_worlds(args: Args) -> gymnasium.vector.VectorEnv:
    mode = AutoresetMode.SAME_STEP
    if args.world:
        return gymnasium.make_vec(
            args.world,
            args.worlds,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": mode},
        )
    return gymnasium.make_vec(
        "mindseye/Dream-v0",
        num_envs=args.worlds,
        model=load_model(f"{args.run}/model"),
        starts=starts_from(Replay.open(f"{args.run}/episodes", read_only=True)),
        horizon=args.horizon,
        autoreset_mode=mode,
    )


def train(args: Args) -> Network:
    torch.manual_seed(args.seed)
    worlds = make_worlds(args)
    network = Network(
        int(np.prod(worlds.single_observation_space.shape)), int(worlds.single_action_space.n)
    )
    adam = torch.optim.Adam(network.parameters(), lr=args.learning_rate, eps=1e-5)
    observation = torch.from_numpy(worlds.reset(seed=args.seed)[0]).float()
    for _ in range(args.steps // (args.worlds * args.rollout)):
        memory = {
            name: [] for name in ("observation", "action", "log_prob", "value", "reward", "go")
        }
        with torch.no_grad():
            for _ in range(args.rollout):
                said, value = network(observation)
                action = said.sample()
                after, reward, terminated, truncated, infos = worlds.step(action.numpy())
                reward = torch.from_numpy(reward).float()
                # a truncated episode goes on in truth: pay what its last observation was worth
                if truncated.any():
                    last = np.stack([infos["final_obs"][i] for i in np.flatnonzero(truncated)])
                    worth = network(torch.from_numpy(last).float())[1]
                    reward[torch.from_numpy(truncated)] += args.discount * worth
                row = (observation, action, said.log_prob(action), value, reward)
                row = (*row, 1 - torch.from_numpy(terminated | truncated).float())
                for kept, x in zip(memory.values(), row, strict=True):
                    kept.append(x)
                observation = torch.from_numpy(after).float()
            following = network(observation)[1]
        batch = {name: torch.stack(rows) for name, rows in memory.items()}
        advantage, running = torch.zeros_like(batch["reward"]), torch.zeros(args.worlds)
        for t in reversed(range(args.rollout)):
            go = args.discount * batch["go"][t]
            delta = batch["reward"][t] + go * following - batch["value"][t]
            running = delta + 0.95 * go * running
            advantage[t], following = running, batch["value"][t]
        batch["target"] = advantage + batch["value"]
        batch["advantage"] = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        flat = {name: x.flatten(0, 1) for name, x in batch.items()}
        for _ in range(4):
            for index in torch.randperm(len(flat["action"])).split(512):
                rows = {name: x[index] for name, x in flat.items()}
                said, value = network(rows["observation"])
                ratio = (said.log_prob(rows["action"]) - rows["log_prob"]).exp()
                gain = torch.minimum(
                    ratio * rows["advantage"], ratio.clamp(0.8, 1.2) * rows["advantage"]
                )
                error = (value - rows["target"]).square()
                loss = -gain.mean() + 0.5 * error.mean() - 0.01 * said.entropy().mean()
                adam.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 0.5)
                adam.step()
    worlds.close()
    return network


def judge(network: Network, world: str, *, episodes: int = 20) -> float:
    """Mean real return."""
    env, returns = gymnasium.make(world), []
    for seed in range(episodes):
        observation, _ = env.reset(seed=seed)
        total, done = 0.0, False
        while not done:
            with torch.no_grad():
                action = network(torch.from_numpy(observation).float())[0].probs.argmax()
            observation, reward, terminated, truncated, _ = env.step(int(action))
            total, done = total + float(reward), terminated or truncated
        returns.append(total)
    return float(np.mean(returns))


if __name__ == "__main__":
    arguments = tyro.cli(Args, description=__doc__)
    print(f"mean real return: {judge(train(arguments), arguments.real):.1f}")

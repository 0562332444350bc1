"""What a dream-trained agent must beat: cloning the same data, and learning without a model."""

import gymnasium
from gymnasium.vector import VectorEnv

from mindseye.agents.policy import PolicyAgent, PolicyNetwork
from mindseye.core.episode import Origin
from mindseye.core.precision import fast_arithmetic
from mindseye.core.run import Run
from mindseye.core.tree import to_tensor
from mindseye.experience import Replay, SuccessShare, rollout
from mindseye.experience.collate import collate
from mindseye.learners.imitation import BehaviourCloning
from mindseye.learners.policy_gradient import PPO
from mindseye.stages.collect import Counter
from mindseye.stages.fit import longest


def clone(
    run: Run,
    replay: Replay,
    *,
    updates: int,
    batch_size: int = 32,
    length: int = 24,
    success_share: float = 1.0,
    stage: str = "imitation",
) -> PolicyAgent:
    """Clone the successful episodes of the same data; where there are none, all of it."""
    network = PolicyNetwork(replay.observation_space, replay.action_space).to(run.device)
    learner = BehaviourCloning(network)
    replay.strategy = SuccessShare(success_share)
    rng, length = run.rng(stage), min(length, longest(replay))
    for _ in run.steps(stage, updates, keep={"learner": learner, "rng": rng}):
        batch = replay.sample(batch_size, max(2, length), rng, crossing=False)
        with fast_arithmetic(run.device):
            run.log(learner.update(to_tensor(batch, run.device)))
    return PolicyAgent(network)


def model_free(
    run: Run,
    world: VectorEnv,
    *,
    steps: int,
    name: str,
    discount: float = 0.99,
    origin: str = "real",
    stage: str = "model_free",
) -> PolicyAgent:
    """PPO in a world, real or dreamed, until whole episodes add up to at least `steps` steps."""
    space: gymnasium.Space = world.single_observation_space
    network = PolicyNetwork(space, world.single_action_space).to(run.device)
    learner = PPO(network, space, seed=run.seed_for(stage), discount=discount)
    agent, taken = PolicyAgent(network), Counter()
    first_seed = run.seed_for(stage) % 2**30
    came_from = Origin(origin, name, agent="ppo")  # type: ignore[arg-type]
    for index in run.steps(stage, steps, keep={"learner": learner, "taken": taken}):
        seed = first_seed + index * world.num_envs
        episodes = rollout(
            agent, world, origin=came_from, episodes=world.num_envs, seed=seed, explore=True
        )
        taken.count += sum(len(e) for e in episodes)
        metrics = learner.update(to_tensor(collate(episodes), run.device))
        returns = [e.total_reward for e in episodes]
        run.log(metrics | {f"{origin}/return": sum(returns) / len(returns)})
        run.report_progress(taken.count, steps)
        if taken.count >= steps:
            run.end_stage()
    return agent

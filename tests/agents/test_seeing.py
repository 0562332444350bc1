import numpy as np

from mindseye.agents.seeing import SeeingAgent


class Parrot:
    """Acts by doing nothing and keeps what it was told."""

    def __init__(self):
        self.told = []

    def initial(self, batch_size):
        return {"steps": np.zeros(batch_size, np.int64)}

    def act(self, observation, memory, *, explore=False):
        self.told.append(observation)
        steps = memory["steps"] + 1
        return np.zeros((len(observation), 2), np.float32), {"steps": steps}, {"explored": steps}


def find(pictures):
    """Mover at (a, a) and goal at (b, b), where a and b are the first two colours."""
    return np.repeat(pictures[:, 0, 0, :2, None].astype(np.float64), 2, 2)


def look(mover, goal):
    picture = np.zeros((1, 2, 2, 3), np.uint8)
    picture[0, 0, 0] = mover, goal, 0
    return {"top": picture, "pose": np.array([[0.5, -0.5]], np.float32)}


def test_an_agent_is_told_pose_mover_its_change_and_the_goal():
    parrot = Parrot()
    agent = SeeingAgent(parrot, find, camera="top")
    _, memory, _ = agent.act(look(3, 7), agent.initial(1))
    agent.act(look(5, 7), memory)
    assert parrot.told[0].tolist() == [[0.5, -0.5, 3, 3, 0, 0, 7, 7]]
    assert parrot.told[1].tolist() == [[0.5, -0.5, 5, 5, 2, 2, 7, 7]]


def test_a_relative_agent_is_told_differences_and_they_are_recorded():
    parrot = Parrot()
    agent = SeeingAgent(parrot, find, camera="top", is_relative=True)
    _, memory, _ = agent.act(look(3, 7), agent.initial(1))
    _, _, extras = agent.act(look(5, 7), memory)
    # three times (5 - 0.5, 5 + 0.5), three times (5 - 3), and 7 - 5
    assert parrot.told[1].tolist() == [[0.5, -0.5, 13.5, 16.5, 6, 6, 2, 2]]
    assert np.array_equal(extras["numbers"], parrot.told[1])


def test_the_goal_stays_where_it_was_first_seen():
    parrot = Parrot()
    agent = SeeingAgent(parrot, find, camera="top")
    _, memory, _ = agent.act(look(3, 7), agent.initial(1))
    agent.act(look(3, 9), memory)
    assert parrot.told[1][0, 6:].tolist() == [7, 7]


def test_what_was_read_is_recorded_beside_the_agents_own_records():
    agent = SeeingAgent(Parrot(), find, camera="top")
    _, memory, extras = agent.act(look(3, 7), agent.initial(1))
    assert extras["numbers"].dtype == np.float32
    assert extras["explored"].tolist() == [1]
    assert memory["agent"]["steps"].tolist() == [1]

"""A studio of small dreams and of a folder of runs, as a process that can be killed."""

import sys
from pathlib import Path

from mindseye.agents.random import RandomAgent
from mindseye.cli.staging import Wanted, staged
from mindseye.recipes.catalogue import SYSTEMS
from mindseye.studio.browse import browse_router
from mindseye.studio.engine import Engine
from mindseye.studio.guard import Guard
from mindseye.studio.server import serve, studio_app
from tests.studio.playing import Counting, counting_stage, latent_stage

HOST = "127.0.0.1"


def main(port, folder):
    wanted = Wanted(saved=Path(folder))
    rooms = latent_stage(saved=Path(folder))
    rooms = latent_stage(saved=Path(folder), agents={"random": RandomAgent(rooms.action_space, 0)})
    stages = {
        "rooms": rooms,
        "same": staged("simulator:grid/door-key-5x5", wanted),
        "words": staged("simulator:text/household", wanted),
        "sliders": staged("simulator:Pendulum-v1", wanted),
        "counting": counting_stage(Counting()),
    }
    folder = Path(folder)
    pages = browse_router(folder / "runs", folder / "results", SYSTEMS)
    app = studio_app(Engine(stages), Guard.of(HOST), pages)
    serve(app, HOST, port, on_ready=lambda port: print(port, flush=True))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

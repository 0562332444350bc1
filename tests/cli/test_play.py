import json
import signal
import subprocess
import sys

import pytest
import torch

pytest.importorskip("fastapi")
from websockets.exceptions import ConnectionClosed

from mindseye.agents.random import RandomAgent
from mindseye.cli.play import main
from mindseye.cli.staging import Wanted, knobs_of, staged
from mindseye.core.episode import Origin
from mindseye.core.errors import ConfigError
from mindseye.experience import Replay, rollout
from mindseye.models.files import save_model, save_policy
from mindseye.models.perception.encoders import RandomPatches
from mindseye.models.policy import PolicyHead
from mindseye.models.world.diffusion import DiffusionWorldModel
from mindseye.models.world.features import FeatureWorldModel
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.sizes import SIZES, VIDEO_SIZES
from mindseye.models.world.video import VideoWorldModel
from mindseye.worlds import make
from tests.studio.playing import Driven, parsed

WORLD = "grid/door-key-5x5"


def played(stage, actions, seed=1):
    driven = Driven(stage)
    page = driven.open(seed=seed)
    assert page.last("error") is None
    for action in actions:
        driven.say(page, do="step", action=action)
    assert page.last("error") is None
    assert page.last("moment")["step"] == len(actions)
    return page


def saved_run(folder, model, policy=None, **config):
    save_model(folder / "model", model)
    if policy is not None:
        save_policy(folder / "policy", policy)
    (folder / "config.json").write_text(json.dumps({"name": "train", "seed": 0, **config}))


def pictures_of(world=WORLD, **options):
    made = make(world, 1, observation="pixels")
    return made.single_observation_space, made.single_action_space


def lively(model):
    with torch.no_grad():
        list(model.continuation.parameters())[-1].fill_(5.0)
    return model


@pytest.fixture
def latent_run(tmp_path):
    spaces = pictures_of()
    model = lively(LatentWorldModel(*spaces, **SIZES["tiny"].arguments()))
    policy = PolicyHead(spaces[1], features=model.num_features, units=8, layers=1)
    saved_run(tmp_path / "mine", model, policy, world=WORLD, observation="pixels")
    return tmp_path / "mine"


def test_a_latent_model_is_played_with_the_world_its_run_names(latent_run):
    stage = staged(str(latent_run), Wanted())
    assert (stage.world, list(stage.agents)) == (WORLD, ["dream", "random", "cem"])
    page = played(stage, [2, 0, 1])
    hello = page.last("hello")
    assert hello["kind"] == "picture"
    assert hello["has_real"]
    assert hello["action"]["names"][2] == "forward"
    assert [k["name"] for k in hello["knobs"]] == ["temperature"]
    assert page.last("moment")["dream"]["uncertainty"] is not None


def test_a_cold_dream_is_always_the_same(latent_run):
    stage = staged(str(latent_run), Wanted())
    seen = []
    for _ in range(2):
        driven = Driven(stage)
        page = driven.open(seed=1)
        driven.say(page, do="knob", name="temperature", value=0)
        driven.say(page, do="step", action=2)
        moment = page.last("moment")
        seen.append(moment["pictures"][: moment["dream"]["picture"]])
    assert seen[0] == seen[1]


def test_a_folder_without_a_world_needs_its_name(tmp_path):
    model = LatentWorldModel(*pictures_of(), **SIZES["tiny"].arguments())
    save_model(tmp_path / "model", model)
    with pytest.raises(ConfigError, match="--world"):
        staged(str(tmp_path), Wanted())
    stage = staged(str(tmp_path), Wanted(world=WORLD))
    assert stage.real is not None
    with pytest.raises(ConfigError, match="does not offer"):
        staged(str(tmp_path), Wanted(world="CartPole-v1"))


def test_a_folder_with_episodes_alone_is_played_without_reality(tmp_path):
    world = make("CartPole-v1", 2)
    spaces = world.single_observation_space, world.single_action_space
    replay = Replay(tmp_path / "episodes", *spaces)
    agent = RandomAgent(spaces[1], 0)
    replay.add(rollout(agent, world, origin=Origin("written", "film"), episodes=3, seed=7))
    save_model(tmp_path / "model", lively(LatentWorldModel(*spaces, **SIZES["tiny"].arguments())))
    page = played(staged(str(tmp_path), Wanted()), [0, 1])
    hello = page.last("hello")
    assert not hello["has_real"]
    assert "--world" in hello["why_no_real"]
    assert (hello["kind"], len(hello["numbers"])) == ("numbers", 4)
    assert len(hello["starts"]["episodes"]) == 3


def test_reality_of_episodes_that_train_collected_is_had_again(tmp_path):
    from mindseye.core.run import Run
    from mindseye.stages.collect import collect

    with Run(tmp_path / "run", name="train", config={"world": WORLD}, seed=3) as run:
        world = make(WORLD, 2, observation="pixels")
        spaces = world.single_observation_space, world.single_action_space
        replay = Replay(run.folder / "episodes", *spaces)
        collect(run, world, RandomAgent(spaces[1], 0), replay, steps=300, name=WORLD)
        save_model(run.folder / "model", LatentWorldModel(*spaces, **SIZES["tiny"].arguments()))
    driven = Driven(staged(str(tmp_path / "run"), Wanted()))
    last = replay.num_episodes - 1
    page = driven.open(start={"episode": last, "step": 5})
    assert page.last("hello")["has_real"], page.last("hello")["why_no_real"]
    assert page.last("moment")["apart"] == 0.0


def test_a_video_model_is_played_and_its_fineness_turned(tmp_path):
    world = "minicraft/plot"
    spaces = pictures_of(world)
    model = lively(VideoWorldModel(*spaces, **VIDEO_SIZES["plot"]))
    saved_run(tmp_path, model, world=world, observation="pixels")
    stage = staged(str(tmp_path), Wanted(agents=("random",)))
    (knob,) = knobs_of(model)
    assert knob.name == "fineness"
    driven = Driven(stage)
    pages = [driven.open(seed=i) for i in range(3)]
    driven.say(pages[2], do="knob", name="fineness", value=0)
    driven.together(*((page, {"do": "step", "action": 1}) for page in pages))
    assert [page.last("moment")["step"] for page in pages] == [1, 1, 1]


def test_a_diffusion_model_is_played(tmp_path):
    made = make("CartPole-v1", 1)
    spaces = made.single_observation_space, made.single_action_space
    model = lively(DiffusionWorldModel(*spaces, units=16, layers=1, noise_range=(4.0, 0.1)))
    save_model(tmp_path, model, world="CartPole-v1", options={"max_steps": 3})
    stage = staged(str(tmp_path), Wanted(saved=tmp_path / "kept"))
    assert [k.name for k in stage.knobs] == ["steps"]
    page = played(stage, [0, 1, 0])
    assert page.last("hello")["kind"] == "numbers"
    assert page.last("moment")["real"]["truncated"]


def test_features_are_played_decoded(tmp_path):
    spaces = pictures_of()
    encoder = RandomPatches(spaces[0].shape, patch=8, features=6)
    model = FeatureWorldModel(*spaces, encoder, width=16, heads=2)
    save_model(tmp_path, model, world=WORLD, options={"observation": "pixels"})
    stage = staged(str(tmp_path), Wanted(saved=tmp_path / "kept"))
    assert played(stage, [2, 1]).last("hello")["kind"] == "picture"


def test_laws_read_off_a_life_are_played_as_pictures(tmp_path):
    stage = staged("program:minicraft/yard", Wanted(saved=tmp_path))
    page = played(stage, [0, 1, 2, 3])
    hello = page.last("hello")
    assert hello["kind"] == "picture"
    assert len(hello["action"]["names"]) == len(set(hello["action"]["names"]))
    assert page.last("moment")["apart"] is not None


def test_a_world_of_words_is_imagined_by_the_language_model(tmp_path):
    stage = staged("language:text/household", Wanted(saved=tmp_path))
    driven = Driven(stage)
    page = driven.open(seed=3)
    hello, moment = page.last("hello"), page.last("moment")
    assert (hello["kind"], hello["action"]["kind"]) == ("text", "words")
    assert set(hello["agents"]) == {"random", "react"}
    assert moment["dream"]["text"] == moment["real"]["text"]
    can = moment["dream"]["commands"]
    assert len(can) > 1
    driven.say(page, do="step", action=can[0])
    driven.say(page, do="step", action="sing <b>loudly</b>")
    assert page.last("error") is None
    assert "Nothing" in page.last("moment")["dream"]["text"]
    driven.say(page, do="save", side="dream")
    # the small model may think that the episode ended
    assert page.last("saved")["steps"] in (1, 2)


@pytest.mark.parametrize("what", [WORLD, f"simulator:{WORLD}", "CartPole-v1", "text/household"])
def test_a_simulator_never_parts_from_itself(what, tmp_path):
    stage = staged(what, Wanted(saved=tmp_path))
    driven = Driven(stage)
    pages = [driven.open(seed=i) for i in range(3)]
    for _ in range(3):
        moves = []
        for page in pages:
            can = page.last("moment")["dream"]["commands"]
            moves.append((page, {"do": "step", "action": can[-1] if can else 1}))
        driven.together(*moves)
    for page in pages:
        assert page.last("error") is None
        assert [m["apart"] for m in page.all("moment")] == [0.0] * 4
    driven.say(pages[0], do="go", node=1)
    assert pages[0].last("moment")["apart"] == 0.0


def test_a_simulator_ends_when_the_world_does(tmp_path):
    driven = Driven(staged("CartPole-v1", Wanted(saved=tmp_path)))
    page = driven.open()
    for _ in range(12):
        driven.say(page, do="step", action=1)
    assert page.last("moment")["over"]
    assert page.last("moment")["dream"]["terminated"]


@pytest.mark.parametrize(
    "what", ["runs/nowhere", "nonsense-v0", "language:CartPole-v1", "program:x"]
)
def test_what_cannot_be_played_is_told_with_a_way_out(what):
    with pytest.raises(ConfigError, match=r"mindseye train|take text|minicraft"):
        staged(what, Wanted())


@pytest.fixture
def served():
    command = [sys.executable, "-m", "mindseye", "play", WORLD, "--port", "0", "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.send_signal(signal.SIGINT)
    assert server.wait(20) == 130
    server.stdout.close()


def test_the_command_serves_a_page_and_a_socket_until_stopped(served):
    websockets = pytest.importorskip("websockets.sync.client")
    assert served.startswith("http://127.0.0.1:")
    address = served.replace("http", "ws") + "/socket"
    with websockets.connect(address) as socket:
        socket.send('{"do":"open","seed":2}')
        assert parsed(socket.recv())["title"] == WORLD
        socket.send("x" * (1 << 17))
        with pytest.raises(ConnectionClosed) as closed:
            list(socket)
    assert closed.value.rcvd.code == 1009
    with websockets.connect(address) as socket:
        socket.send('{"do":"open"}')
        assert parsed(socket.recv())["is"] == "hello"
    port = served.rsplit(":", 1)[1].split("/")[0]
    with pytest.raises(ConfigError, match="another --port"):
        main([WORLD, "--port", port, "--no-browser"])


def test_nothing_to_play_names_a_way_to_begin():
    with pytest.raises(ConfigError, match="mindseye train"):
        main([])

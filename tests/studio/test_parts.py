import asyncio
import io
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from gymnasium import spaces
from PIL import Image

from mindseye.core.spaces import Words
from mindseye.studio import moments
from mindseye.studio.pictures import drawing, gif, mp4, nearest_frame, png, side_by_side
from mindseye.studio.seats import Haste, SocketSeat
from mindseye.studio.stage import Limits
from tests.studio.playing import parsed


@dataclass(frozen=True)
class Place:
    cells: np.ndarray


def whole():
    return {
        "state": {"memory": torch.arange(6.0).reshape(3, 2), "none": None},
        "pair": (np.arange(3), ["a", "b", "c"]),
        "place": Place(np.arange(12).reshape(3, 4)),
    }


def test_a_moment_taken_apart_and_joined_is_the_same():
    rows = [moments.row(whole(), i) for i in range(3)]
    again = moments.joined(rows)
    assert (again["state"]["memory"] == whole()["state"]["memory"]).all()
    assert again["state"]["none"] is None
    assert (again["pair"][0] == np.arange(3)).all()
    assert again["pair"][1] == ["a", "b", "c"]
    assert (again["place"].cells == whole()["place"].cells).all()


def test_a_row_shares_no_memory_with_the_whole():
    moment = whole()
    row = moments.row(moment, 1)
    moment["state"]["memory"].zero_()
    moment["place"].cells[:] = 0
    assert row["state"]["memory"].tolist() == [[2.0, 3.0]]
    assert row["place"].cells.tolist() == [[4, 5, 6, 7]]


def test_a_moment_weighs_at_least_its_arrays():
    assert moments.weight({"a": np.zeros(1000), "b": torch.zeros(1000)}) >= 12_000
    assert moments.weight(["x" * 100]) >= 100
    assert moments.weight([object()]) >= 1000


def test_pictures_are_written_as_any_reader_reads_them():
    picture = np.random.default_rng(0).integers(256, size=(5, 7, 3), dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(png(picture)))) == picture).all()


def test_what_is_seen_is_drawn_told_or_listed():
    image = spaces.Box(0, 255, (32, 32, 1), np.uint8)
    draw, names = drawing(spaces.Dict({"felt": spaces.Box(-1, 1, (2,)), "seen": image}))
    shown = draw({"felt": np.zeros(2), "seen": np.full((32, 32, 1), 9, np.uint8)})
    assert shown.shape == (32, 32, 3)
    assert names == []
    draw, _ = drawing(Words())
    assert draw("a door") == "a door"
    draw, names = drawing(spaces.Dict({"at": spaces.Discrete(4), "v": spaces.Box(-1, 1, (2,))}))
    assert names == ["at", "v[0]", "v[1]"]
    assert draw({"at": np.int64(3), "v": np.array([0.5, -0.5])}).tolist() == [3.0, 0.5, -0.5]
    view = spaces.MultiDiscrete(np.full((7, 7, 3), (11, 6, 3)))
    draw, _ = drawing(view)
    assert draw(np.ones((7, 7, 3), np.int64)).shape == (112, 112, 3)


def test_what_cannot_be_decoded_is_shown_as_the_nearest_frame():
    frames = np.stack([np.full((4, 4, 3), i, np.uint8) for i in range(3)])
    draw = nearest_frame(frames, np.array([[0.0], [1.0], [2.0]]), lambda observation: observation)
    assert draw(np.array([1.2]))[0, 0, 0] == 1


def test_a_film_has_all_frames_and_the_pace_asked_for():
    pictures = [np.full((8, 8, 3), 80 * i, np.uint8) for i in range(3)]
    film = Image.open(io.BytesIO(gif([side_by_side(p, p) for p in pictures], 10)))
    assert film.n_frames == 3
    assert film.info["duration"] == 100


def test_films_are_encoded_where_there_is_an_encoder():
    pytest.importorskip("imageio_ffmpeg")
    pictures = [np.full((9, 9, 3), 80 * i, np.uint8) for i in range(3)]
    assert b"ftyp" in mp4([side_by_side(p, None) for p in pictures], 10)[:32]


def sent_by(seat, loop):
    found = []

    async def send(what):
        found.append(parsed(what))

    seat.end()
    loop.run_until_complete(seat.serve(send))
    return found


@pytest.fixture
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_frames_of_a_watched_agent_give_way_but_the_tree_is_told(loop):
    seat = SocketSeat(loop)
    for i in range(4):
        seat.tell(f'{{"is":"moment","node":{i}}}', {"node": i})
    found = sent_by(seat, loop)
    assert [m["is"] for m in found] == ["tree", "moment"]
    assert [n["node"] for n in found[0]["nodes"]] == [0, 1, 2]
    assert found[1]["node"] == 3
    assert seat.left_out == 3


def test_answers_to_inputs_never_give_way(loop):
    seat = SocketSeat(loop)
    seat.tell('{"is":"moment","node":0}', {"node": 0})
    for i in range(1, 4):
        seat.tell(f'{{"is":"moment","node":{i}}}')
    seat.tell('{"is":"moment","node":4}', {"node": 4})
    assert [m["node"] for m in sent_by(seat, loop)] == [0, 1, 2, 3, 4]


def test_a_page_that_does_not_read_is_lost(loop):
    seat = SocketSeat(loop)
    for _ in range(600):
        seat.tell("{}")
    assert sent_by(seat, loop) == []
    assert seat.is_lost.is_set()


def test_haste_is_measured():
    haste = Haste(Limits(messages_per_second=1, burst=2))
    assert [haste.allows() for _ in range(4)] == [True, True, False, False]
    assert haste.refused == 2

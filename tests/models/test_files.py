import json

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from mindseye.core.errors import CheckpointError
from mindseye.models.files import load_model, save_model, world_of
from mindseye.models.perception.encoders import Pooled, RandomPatches, RawPatches
from mindseye.models.perception.vision import PatchTransformer
from mindseye.models.world.diffusion import DiffusionWorldModel
from mindseye.models.world.features import FeatureWorldModel

PICTURES = spaces.Box(0, 255, (16, 16, 3), np.uint8)
NUMBERS = spaces.Box(-1, 1, (6,), np.float32)
ACTIONS = spaces.Box(-1, 1, (2,), np.float32)
SIDES = (16, 16, 3)
ENCODERS = {
    "learned": lambda: PatchTransformer(SIDES, patch=8, features=8, layers=1, heads=2),
    "random": lambda: RandomPatches(SIDES, patch=8, features=6),
    "pixels": lambda: RawPatches(SIDES, patch=8),
}


def stirred(model: nn.Module) -> nn.Module:
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return model.eval()


def imagined(model, shape):
    torch.manual_seed(0)
    seen = (
        torch.randint(0, 256, (2, *shape)).to(torch.uint8) if len(shape) > 1 else torch.ones(2, 6)
    )
    state = model.observe(
        model.initial(2), torch.zeros(2, 2), seen, torch.ones(2, dtype=torch.bool)
    )
    torch.manual_seed(1)
    return model.predict(model.imagine(state, torch.full((2, 2), 0.3))).observation


@pytest.mark.parametrize("name", ENCODERS)
def test_features_and_their_encoder_are_read_back(name, tmp_path):
    model = stirred(FeatureWorldModel(PICTURES, ACTIONS, ENCODERS[name](), width=16, heads=2))
    save_model(tmp_path, model)
    assert torch.equal(imagined(load_model(tmp_path), SIDES), imagined(model, SIDES))


@pytest.mark.parametrize("space", [PICTURES, NUMBERS], ids=["pictures", "numbers"])
def test_diffusion_is_read_back(space, tmp_path):
    sizes = {"units": 16, "layers": 1, "widths": (8, 8), "action_bins": 3, "context": 2}
    if space is NUMBERS:
        sizes["differences"] = [(0, 2)]
    model = stirred(DiffusionWorldModel(space, ACTIONS, **sizes, reward="event"))
    save_model(tmp_path, model)
    assert torch.equal(imagined(load_model(tmp_path), space.shape), imagined(model, space.shape))


def test_a_model_knows_its_world(tmp_path):
    model = DiffusionWorldModel(NUMBERS, ACTIONS, units=8, layers=1)
    save_model(tmp_path / "with", model, world="tabletop/wall", options={"repeat": 2})
    save_model(tmp_path / "without", model)
    assert world_of(tmp_path / "with") == ("tabletop/wall", {"repeat": 2})
    assert world_of(tmp_path / "without") == ("", {})


def test_what_cannot_be_built_again_is_not_written(tmp_path):
    model = FeatureWorldModel(PICTURES, ACTIONS, Pooled(ENCODERS["random"]()), width=16, heads=2)
    with pytest.raises(CheckpointError, match="Pooled: cannot be saved"):
        save_model(tmp_path, model)
    assert not list(tmp_path.iterdir())


def test_what_no_card_can_say_replaces_nothing(tmp_path):
    model = DiffusionWorldModel(NUMBERS, ACTIONS, units=8, layers=1)
    save_model(tmp_path, model)
    before = (tmp_path / "weights.safetensors").read_bytes()
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_model(tmp_path, stirred(model), world="mine", options={"reward": print})
    assert (tmp_path / "weights.safetensors").read_bytes() == before


def test_a_card_without_end_is_refused(tmp_path):
    (tmp_path / "card.json").write_text("[" * 100_000)
    with pytest.raises(CheckpointError, match="damaged"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"encoder": None}, "tells of no encoder"),
        ({"encoder": {"name": "os.system", "arguments": {}}}, "unknown encoder os.system"),
        ({"world": 3}, "damaged world"),
    ],
)
def test_a_damaged_card_is_refused(change, told, tmp_path):
    save_model(tmp_path, FeatureWorldModel(PICTURES, ACTIONS, ENCODERS["pixels"](), width=16))
    card = tmp_path / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | change))
    read = world_of if "world" in change else load_model
    with pytest.raises(CheckpointError, match=told):
        read(tmp_path)


@pytest.mark.parametrize("name", ["observation_space", "action_space", "arguments"])
def test_a_card_that_lacks_something_is_refused(name, tmp_path):
    save_model(tmp_path, DiffusionWorldModel(NUMBERS, ACTIONS, units=8, layers=1))
    card = tmp_path / "card.json"
    told = json.loads(card.read_text())
    del told[name]
    card.write_text(json.dumps(told))
    with pytest.raises(CheckpointError, match=f"tells of no {name}"):
        load_model(tmp_path)

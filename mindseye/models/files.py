"""One folder, one model: weights as safetensors, everything else in a JSON card.

Loading builds the module from the card and fills it; nothing in a folder is ever executed.
"""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
from torch import nn

from mindseye.core.checkpoint import load_tree, save_tree, write_atomic
from mindseye.core.errors import CheckpointError
from mindseye.core.space_json import space_from_json, space_to_json
from mindseye.models.perception.encoders import RandomPatches, RawPatches
from mindseye.models.perception.vision import PatchTransformer
from mindseye.models.policy import PolicyHead
from mindseye.models.world.diffusion import DiffusionWorldModel
from mindseye.models.world.features import FeatureWorldModel
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.video import VideoWorldModel

CARD, WEIGHTS = "card.json", "weights.safetensors"

SavedModel = LatentWorldModel | VideoWorldModel | DiffusionWorldModel | FeatureWorldModel
"""World models that a folder can hold."""
_CLASSES: Mapping[str, Any] = {kind.__name__: kind for kind in SavedModel.__args__}
_ENCODERS: Mapping[str, Any] = {
    kind.__name__: kind for kind in (PatchTransformer, RandomPatches, RawPatches)
}


def save_model(
    folder: Path, model: SavedModel, *, world: str = "", options: Mapping[str, Any] | None = None
) -> None:
    """Write a world model; an earlier one in the folder is replaced.

    Args:
        folder: To write.
        model: With its encoder, where it has one of its own.
        world: What it is a model of, by the name that `make` knows.
        options: Further ones of `make`, as JSON.

    Raises:
        CheckpointError: If its encoder is another library's.
    """
    card = {
        "kind": "world model",
        "class": type(model).__name__,
        "observation_space": space_to_json(model.observation_space),
        "action_space": space_to_json(model.action_space),
        "arguments": model.arguments,
    }
    if isinstance(model, FeatureWorldModel):
        card["encoder"] = _encoder_card(model.encoder)
    if world:
        card["world"] = {"name": world, "options": dict(options or {})}
    _save(Path(folder), card, model)


def world_of(folder: Path) -> tuple[str, dict[str, Any]]:
    """The world that a saved model is one of, and options of `make`; no name where none was told.

    Raises:
        CheckpointError: If the folder holds no world model, or is damaged.
    """
    told = _card(Path(folder), "world model").get("world", {})
    try:
        return str(told.get("name", "")), dict(told.get("options", {}))
    except (AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(f"{Path(folder) / CARD}: damaged world ({error!r})") from error


def load_model(folder: Path) -> SavedModel:
    """Read a world model back.

    Raises:
        CheckpointError: If the folder holds none, is damaged, or its weights do not fit its card.
    """
    card = _card(Path(folder), "world model")
    where = str(Path(folder) / CARD)
    names = ("observation_space", "action_space")
    if lacking := [name for name in (*names, "arguments") if name not in card]:
        raise CheckpointError(f"{where}: tells of no {', '.join(lacking)}; save the model again")
    spaces = [space_from_json(card[name], where) for name in names]
    # cards written before there was a choice name no class
    kind = _CLASSES.get(card.get("class", "LatentWorldModel"))
    if kind is None:
        raise CheckpointError(f"{where}: unknown class {card['class']!r}; use {list(_CLASSES)}")
    known = inspect.signature(kind).parameters
    if unknown := sorted(set(card["arguments"]) - set(known)):
        raise CheckpointError(f"{where}: unknown arguments {unknown}; written by another version")
    if kind is FeatureWorldModel:
        spaces.append(_encoder_from(card.get("encoder"), where))
    model = kind(*spaces, **card["arguments"])
    _fill(Path(folder), model)
    return model.eval()


def save_policy(folder: Path, policy: PolicyHead) -> None:
    """Write a policy on a world model's features."""
    card = {"kind": "policy", "action_space": space_to_json(policy.space)}
    _save(Path(folder), {**card, "arguments": policy.arguments}, policy)


def load_policy(folder: Path, action_space: gymnasium.Space) -> PolicyHead:
    """Read a policy back.

    Raises:
        CheckpointError: If the folder holds none, is damaged, or acts in another space.
    """
    card = _card(Path(folder), "policy")
    space = space_from_json(card["action_space"], str(Path(folder) / CARD))
    if space != action_space:
        raise CheckpointError(f"{folder}: acts in {space}, expected {action_space}")
    policy = PolicyHead(space, **card["arguments"])
    _fill(Path(folder), policy)
    return policy.eval()


def save_encoder(folder: Path, encoder: PatchTransformer | RandomPatches) -> None:
    """Write an encoder of frames; those of other libraries have their own formats."""
    _save(Path(folder), {"kind": "frame encoder", **_encoder_card(encoder)}, encoder)


def load_encoder(folder: Path) -> PatchTransformer | RandomPatches:
    """Read an encoder back.

    Raises:
        CheckpointError: If the folder holds none, or is damaged.
    """
    encoder = _encoder_from(_card(Path(folder), "frame encoder"), str(folder))
    _fill(Path(folder), encoder)
    return encoder.eval()


def _encoder_card(encoder: nn.Module) -> dict[str, Any]:
    name = type(encoder).__name__
    if name not in _ENCODERS:
        raise CheckpointError(f"{name}: cannot be saved; encoders that can are {list(_ENCODERS)}")
    return {"name": name, "arguments": encoder.arguments}


def _encoder_from(card: Any, where: str) -> Any:
    """An encoder as its card tells, weights aside."""
    try:
        name, arguments = card["name"], card["arguments"]
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{where}: tells of no encoder ({error!r})") from error
    if name not in _ENCODERS:
        raise CheckpointError(f"{where}: unknown encoder {name}; known are {list(_ENCODERS)}")
    return _ENCODERS[name](**arguments)


def _save(folder: Path, card: dict[str, Any], module: nn.Module) -> None:
    # what is no JSON is told before anything is replaced
    text = json.dumps(card, indent=1)
    save_tree(folder / WEIGHTS, dict(module.state_dict()))
    write_atomic(folder / CARD, text)


def _card(folder: Path, kind: str) -> dict[str, Any]:
    path = folder / CARD
    try:
        card = json.loads(path.read_text())
        found = card["kind"]
    except OSError as error:
        raise CheckpointError(f"{folder}: no {kind} here ({path.name} is missing)") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged ({error!r}); save the {kind} again") from error
    if found != kind:
        raise CheckpointError(f"{folder}: holds a {found}, expected a {kind}")
    return card


def _fill(folder: Path, module: nn.Module) -> None:
    weights = load_tree(folder / WEIGHTS)
    try:
        module.load_state_dict(weights)
    except (RuntimeError, TypeError) as error:
        cause = str(error).strip().splitlines()[-1].strip()
        raise CheckpointError(f"{folder}: weights of another architecture ({cause})") from error

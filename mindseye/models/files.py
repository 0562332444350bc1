"""One folder, one model: weights as safetensors, everything else in a JSON card.

Loading builds the module from the card and fills it; nothing in a folder is ever executed.
"""

import inspect
import json
from pathlib import Path
from typing import Any

import gymnasium
from torch import nn

from mindseye.core.checkpoint import load_tree, save_tree, write_atomic
from mindseye.core.errors import CheckpointError
from mindseye.core.space_json import space_from_json, space_to_json
from mindseye.models.perception.encoders import RandomPatches
from mindseye.models.perception.vision import PatchTransformer
from mindseye.models.policy import PolicyHead
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.video import VideoWorldModel

CARD, WEIGHTS = "card.json", "weights.safetensors"


_CLASSES = {model.__name__: model for model in (LatentWorldModel, VideoWorldModel)}


def save_model(folder: Path, model: LatentWorldModel | VideoWorldModel) -> None:
    """Write a world model; an earlier one in the folder is replaced."""
    spaces = {
        "observation_space": space_to_json(model.observation_space),
        "action_space": space_to_json(model.action_space),
    }
    card = {"kind": "world model", "class": type(model).__name__, **spaces}
    _save(Path(folder), {**card, "arguments": model.arguments}, model)


def load_model(folder: Path) -> LatentWorldModel | VideoWorldModel:
    """Read a world model back.

    Raises:
        CheckpointError: If the folder holds none, is damaged, or its weights do not fit its card.
    """
    card = _card(Path(folder), "world model")
    where = str(Path(folder) / CARD)
    spaces = [space_from_json(card[k], where) for k in ("observation_space", "action_space")]
    # cards written before there was a choice name no class
    kind = _CLASSES.get(card.get("class", "LatentWorldModel"))
    if kind is None:
        raise CheckpointError(f"{where}: unknown class {card['class']!r}; use {list(_CLASSES)}")
    known = inspect.signature(kind).parameters
    if unknown := sorted(set(card["arguments"]) - set(known)):
        raise CheckpointError(f"{where}: unknown arguments {unknown}; written by another version")
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
    kind = {"kind": "frame encoder", "name": type(encoder).__name__}
    _save(Path(folder), {**kind, "arguments": encoder.arguments}, encoder)


def load_encoder(folder: Path) -> PatchTransformer | RandomPatches:
    """Read an encoder back.

    Raises:
        CheckpointError: If the folder holds none, or is damaged.
    """
    card = _card(Path(folder), "frame encoder")
    known = {kind.__name__: kind for kind in (PatchTransformer, RandomPatches)}
    if card["name"] not in known:
        raise CheckpointError(f"{folder}: unknown encoder {card['name']}; known are {list(known)}")
    encoder = known[card["name"]](**card["arguments"])
    _fill(Path(folder), encoder)
    return encoder.eval()


def _save(folder: Path, card: dict[str, Any], module: nn.Module) -> None:
    save_tree(folder / WEIGHTS, dict(module.state_dict()))
    write_atomic(folder / CARD, json.dumps(card, indent=1))


def _card(folder: Path, kind: str) -> dict[str, Any]:
    path = folder / CARD
    try:
        card = json.loads(path.read_text())
        found = card["kind"]
    except OSError as error:
        raise CheckpointError(f"{folder}: no {kind} here ({path.name} is missing)") from error
    except (ValueError, KeyError, TypeError) as error:
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

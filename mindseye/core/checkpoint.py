"""Trees of tensors and plain values on disk: safetensors with the structure as JSON in its header.

Loading never executes anything. Writing is atomic: a file under its final name is always whole.
"""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as encode_tensors

from mindseye.core.errors import CheckpointError, DataError


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a whole file or nothing: temporary file, fsync, rename.

    Raises:
        DataError: If the disk is full or the folder cannot be written; the old file stays.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise DataError(
            f"{path}: cannot write ({error.strerror}); free space or choose another folder"
        ) from error


def save_tree(path: Path, tree: Any) -> None:
    """Save nested dicts, lists and tuples of tensors, arrays and JSON values.

    Raises:
        CheckpointError: If a leaf is of another kind.
        DataError: If it cannot be written.
    """
    tensors: dict[str, torch.Tensor] = {}
    structure = json.dumps(_encode(tree, tensors))
    write_atomic(Path(path), encode_tensors(tensors, metadata={"structure": structure}))


def load_tree(path: Path) -> Any:
    """Inverse of save_tree. Arrays and tensors come back as what they were, on the CPU.

    Raises:
        CheckpointError: If the file is missing, damaged, or a pickle.
    """
    path = Path(path)
    refuse_pickle(path)
    try:
        with safe_open(path, framework="pt") as file:
            structure = json.loads(file.metadata()["structure"])
            return _decode(structure, file.get_tensor)
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"{path}: damaged or not a mindseye checkpoint ({error}); delete it"
        ) from error


def refuse_pickle(path: Path) -> None:
    """Raise CheckpointError when the file is missing, or holds a pickle (bare, or in a zip)."""
    try:
        with open(path, "rb") as file:
            magic = file.read(9)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot read ({error.strerror})") from error
    # a safetensors file may begin with the same byte as a pickle, but then a header follows
    is_header = (
        magic[8:] == b"{" and int.from_bytes(magic[:8], "little") < Path(path).stat().st_size
    )
    if not is_header and (magic[:2] == b"PK" or magic[:1] == b"\x80"):
        raise CheckpointError(
            f"{path}: is a pickle, which could execute code; convert it to safetensors first"
        )


def _encode(node: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(node, torch.Tensor | np.ndarray):
        name = str(len(tensors))
        is_array = isinstance(node, np.ndarray)
        tensor = torch.from_numpy(np.ascontiguousarray(node)) if is_array else node.detach()
        # safetensors refuses tensors that share storage
        tensors[name] = tensor.cpu().contiguous().clone()
        return {"@array" if is_array else "@tensor": name}
    if isinstance(node, dict):
        if all(isinstance(k, str) and not k.startswith("@") for k in node):
            return {k: _encode(v, tensors) for k, v in node.items()}
        return {"@dict": [[k, _encode(v, tensors)] for k, v in node.items()]}
    if isinstance(node, tuple):
        return {"@tuple": [_encode(v, tensors) for v in node]}
    if isinstance(node, list):
        return [_encode(v, tensors) for v in node]
    if isinstance(node, np.generic):
        return node.item()
    if node is None or isinstance(node, str | int | float | bool):
        return node
    raise CheckpointError(
        f"checkpoint: cannot store a {type(node).__name__}; keep tensors and plain values"
    )


def _decode(node: Any, tensor_of: Callable[[str], torch.Tensor]) -> Any:
    if isinstance(node, list):
        return [_decode(v, tensor_of) for v in node]
    if not isinstance(node, dict):
        return node
    if "@tensor" in node:
        return tensor_of(node["@tensor"])
    if "@array" in node:
        return tensor_of(node["@array"]).numpy()
    if "@tuple" in node:
        return tuple(_decode(v, tensor_of) for v in node["@tuple"])
    if "@dict" in node:
        return {k: _decode(v, tensor_of) for k, v in node["@dict"]}
    return {k: _decode(v, tensor_of) for k, v in node.items()}

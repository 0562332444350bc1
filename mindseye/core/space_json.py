"""Spaces as JSON, so that a dataset or a model can say what it is about."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.errors import DataError, SpecError
from mindseye.core.spaces import Words


def space_to_json(space: gymnasium.Space) -> dict[str, Any]:
    """Describe a space.

    Raises:
        SpecError: If it is not a Box, Discrete, MultiDiscrete, MultiBinary, Dict, Tuple or Words.
    """
    match space:
        case spaces.Box():
            low, high = _bounds(space.low), _bounds(space.high)
            return _typed(
                "Box", low=low, high=high, shape=list(space.shape), dtype=str(space.dtype)
            )
        case spaces.Discrete():
            return _typed(
                "Discrete", n=int(space.n), start=int(space.start), dtype=str(space.dtype)
            )
        case spaces.MultiDiscrete():
            nvec, start = space.nvec.tolist(), space.start.tolist()
            return _typed("MultiDiscrete", nvec=nvec, start=start, dtype=str(space.dtype))
        case spaces.MultiBinary():
            return _typed("MultiBinary", n=np.asarray(space.n).tolist())
        case spaces.Dict():
            parts = [[key, space_to_json(part)] for key, part in space.spaces.items()]
            return _typed("Dict", spaces=parts)
        case spaces.Tuple():
            return _typed("Tuple", spaces=[space_to_json(part) for part in space.spaces])
        case Words():
            return _typed("Words", max_length=space.max_length)
    raise SpecError(
        f"space {space}: cannot be stored; use Box, Discrete, MultiDiscrete, MultiBinary, "
        "Dict, Tuple or mindseye.core.spaces.Words"
    )


def _typed(type_name: str, **fields: Any) -> dict[str, Any]:
    return {"type": type_name, **fields}


def _bounds(limit: np.ndarray) -> Any:
    """One number where all entries agree; infinities as texts, for strict JSON."""
    if limit.size and (limit == limit.flat[0]).all():
        return _bound(limit.flat[0].item())
    return [_bound(x) for x in limit.ravel().tolist()]


def _bound(value: Any) -> Any:
    return value if np.isfinite(value) else str(value)


def space_from_json(raw: dict[str, Any], where: str = "space") -> gymnasium.Space:
    """Inverse of space_to_json.

    Raises:
        DataError: If `raw` does not describe a space; names `where`.
    """
    try:
        return _space(raw)
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise DataError(
            f"{where}: does not describe a space ({error!r}); restore the file"
        ) from error


def _space(raw: dict[str, Any]) -> gymnasium.Space:
    match raw["type"]:
        case "Box":
            shape, dtype = tuple(raw["shape"]), np.dtype(raw["dtype"])
            low, high = (_limit(raw[side], shape, dtype) for side in ("low", "high"))
            return spaces.Box(low, high, shape, dtype.type)
        case "Discrete":
            dtype = np.dtype(raw["dtype"]).type
            return spaces.Discrete(raw["n"], start=raw["start"], dtype=dtype)
        case "MultiDiscrete":
            dtype = np.dtype(raw["dtype"]).type
            return spaces.MultiDiscrete(np.array(raw["nvec"]), dtype, start=np.array(raw["start"]))
        case "MultiBinary":
            return spaces.MultiBinary(raw["n"])
        case "Dict":
            return spaces.Dict({key: _space(part) for key, part in raw["spaces"]})
        case "Tuple":
            return spaces.Tuple([_space(part) for part in raw["spaces"]])
        case "Words":
            return Words(raw["max_length"])
    raise DataError(f"unknown type {raw['type']!r}")


def _limit(raw: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    # Integers must not pass through floats: int64 bounds do not fit in a double.
    kind = np.float64 if dtype.kind == "f" else dtype
    if isinstance(raw, list):
        values = [float(x) if isinstance(x, str) else x for x in raw]
        return np.array(values, kind).reshape(shape).astype(dtype)
    return np.full(shape, float(raw) if isinstance(raw, str) else raw, kind).astype(dtype)

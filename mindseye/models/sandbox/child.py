"""The other process: the one place where a program written by a language model runs.

Started as a script without site packages, with nothing in its environment. Before it reads anything
it gives up, for good, whatever it could do harm with: memory, files, processes, the network. Then
it answers one JSON line per JSON line. It imports nothing of ours, so it starts in milliseconds.
"""

import builtins
import json
import math
import os
import sys
from types import CodeType, SimpleNamespace

BUILTINS = (
    "abs", "all", "any", "bool", "chr", "dict", "divmod", "enumerate", "filter", "float",
    "frozenset", "int", "isinstance", "iter", "len", "list", "map", "max", "min", "next", "ord",
    "pow", "range", "repr", "reversed", "round", "set", "sorted", "str", "sum", "tuple", "zip",
)  # fmt: skip
"""What programs may call beside `math`."""

MATHEMATICS = (
    "acos", "asin", "atan", "atan2", "ceil", "cos", "e", "exp", "fabs", "floor", "fmod", "gcd",
    "hypot", "inf", "isclose", "isfinite", "isinf", "isnan", "log", "log10", "log2", "pi", "sin",
    "sqrt", "tan",
)  # fmt: skip
"""What `math` holds for them."""

FILE = "<program>"
_NOBODY = 65534
_NO_NEW_PRIVILEGES, _NEW_USER, _NEW_NETWORK = 38, 0x10000000, 0x40000000


def main(megabytes: int, largest: int) -> None:
    """Answer until the parent is gone."""
    give_up_powers(megabytes)
    program: dict = {}
    print("ready", flush=True)
    for line in sys.stdin:
        answer = answer_to(json.loads(line), program)
        if len(answer) > largest:
            answer = json.dumps({"error": f"the answer is longer than {largest} characters"})
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def give_up_powers(megabytes: int) -> None:
    """Limits that hold from now on; a namespace without network where the system allows one."""
    import ctypes
    import resource

    library = ctypes.CDLL(None)
    if os.geteuid() == 0:
        # limits on processes do not bind root, and it may signal anyone
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    if sys.platform == "linux":
        library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        library.unshare(_NEW_USER | _NEW_NETWORK)
    limits = {"AS": megabytes << 20, "FSIZE": 0, "NPROC": 0, "NOFILE": 3, "CORE": 0}
    for name, most in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        resource.setrlimit(kind, (most, most))


def answer_to(asked: dict, program: dict) -> str:
    """JSON of the value, or of what went wrong."""
    _allow_seconds(asked["seconds"])
    try:
        if "load" in asked:
            program.clear()
            program.update(__builtins__=_given(), math=_mathematics())
            code = compile(asked["load"], FILE, "exec", dont_inherit=True)
            _run(code, program)
            missing = [name for name in asked["functions"] if not callable(program.get(name))]
            value = missing
        else:
            function = program[asked["call"]]
            value = [function(*arguments) for arguments in asked["rows"]]
        return json.dumps({"value": value}, allow_nan=False)
    except MemoryError:
        return json.dumps({"breach": "it used more memory than it may"})
    except BaseException as error:
        where = _line_of(error)
        said = f"{type(error).__name__}: {str(error)[:300]}"
        return json.dumps({"error": f"line {where}: {said}" if where else said})


def _run(code: CodeType, program: dict) -> None:
    exec(code, program)


def _given() -> dict:
    return {name: getattr(builtins, name) for name in BUILTINS}


def _mathematics() -> SimpleNamespace:
    return SimpleNamespace(**{name: getattr(math, name) for name in MATHEMATICS})


def _allow_seconds(seconds: float) -> None:
    """Also when the parent is gone, an endless loop ends."""
    import resource

    used = sum(os.times()[:2])
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used + seconds) + 1, most))


def _line_of(error: BaseException) -> int | None:
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

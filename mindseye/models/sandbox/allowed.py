"""What a program written by a language model may say: a short list; all else is refused unread.

The list is of kinds of syntax, of names of methods and of builtins. It does not have to foresee
attacks: whatever is not needed to compute with numbers, texts, lists and dicts is not on it.
"""

import ast
import builtins
import re
import warnings
from collections.abc import Iterator

from mindseye.core.errors import ModelError
from mindseye.models.sandbox.child import BUILTINS, MATHEMATICS

LONGEST = 20_000
"""Characters of a program."""

METHODS = frozenset((
    # of lists, dicts and sets
    "append", "extend", "insert", "pop", "remove", "index", "count", "sort", "reverse", "copy",
    "clear", "get", "items", "keys", "values", "update", "setdefault", "popitem", "add", "discard",
    "union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset",
    "isdisjoint",
    # of texts and numbers
    "join", "split", "rsplit", "splitlines", "strip", "lstrip", "rstrip", "lower", "upper", "title",
    "capitalize", "startswith", "endswith", "removeprefix", "removesuffix", "replace", "find",
    "rfind", "partition", "rpartition", "isdigit", "isalpha", "isalnum", "isspace", "islower",
    "isupper", "is_integer",
))  # fmt: skip

_NODES = (
    ast.Module, ast.FunctionDef, ast.Lambda, ast.arguments, ast.arg, ast.Return, ast.Expr, ast.Pass,
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.Delete, ast.For, ast.While, ast.If,
    ast.Break, ast.Continue, ast.Assert, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp,
    ast.Call, ast.keyword, ast.Starred, ast.Subscript, ast.Slice, ast.Attribute, ast.Name,
    ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.List, ast.Tuple, ast.Dict, ast.Set,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.expr_context,
    ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip
_CONSTANTS = (str, int, float, bool, type(None))
_PLAIN_FORMAT = re.compile(r"[<>^]?[+]?\d{0,2}(\.\d{1,2})?[dsfge%]?")
_GIVEN = frozenset({*BUILTINS, "math"})
_WITHHELD = frozenset(dir(builtins)) - _GIVEN


class SandboxError(ModelError):
    """A program may not run, broke a limit or failed; the message is meant for who wrote it."""


def check(source: str) -> None:
    """Refuse a program that says anything not on the list.

    Raises:
        SandboxError: Naming the line and the reason.
    """
    if len(source) > LONGEST:
        raise SandboxError(f"program: longer than {LONGEST} characters; write less")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in texts
            tree = ast.parse(source)
    except SyntaxError as error:
        raise SandboxError(f"program: line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SandboxError(f"program: cannot be read ({error}); write it simpler") from error
    bound = set(_bound(tree))
    line = 1
    for node in ast.walk(tree):
        line = getattr(node, "lineno", line)
        if reason := _objection(node, bound):
            raise SandboxError(f"program: line {line}: {reason}")


def _objection(node: ast.AST, bound: set[str]) -> str | None:
    if not isinstance(node, _NODES):
        return f"{type(node).__name__} is not allowed"
    match node:
        case ast.Attribute():
            return _about_attribute(node)
        case ast.Name(id=name):
            if name in _WITHHELD and name not in bound:
                return f"{name} is not available; there are {', '.join(BUILTINS)} and math"
            return _about_name(name)
        case ast.FunctionDef(name=name, decorator_list=decorators):
            return "decorators are not allowed" if decorators else _about_name(name)
        case ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return _about_name(name)
        case ast.Constant(value=value) if not isinstance(value, _CONSTANTS):
            return f"constants of type {type(value).__name__} are not allowed"
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=parts)):
            plain = all(
                isinstance(part, ast.Constant) and _PLAIN_FORMAT.fullmatch(str(part.value))
                for part in parts
            )
            return None if plain else "only plain formats such as :.2f are allowed"
    return None


def _about_attribute(node: ast.Attribute) -> str | None:
    if not isinstance(node.ctx, ast.Load):
        return "attributes cannot be set; use a dict"
    if isinstance(node.value, ast.Name) and node.value.id == "math":
        return None if node.attr in MATHEMATICS else f"math.{node.attr} is not available"
    return None if node.attr in METHODS else f"attribute {node.attr} is not allowed"


def _about_name(name: str) -> str | None:
    return f"name {name} is not allowed: two underscores" if "__" in name else None


def _bound(tree: ast.AST) -> Iterator[str]:
    """Names that the program itself gives."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef):
            yield node.name

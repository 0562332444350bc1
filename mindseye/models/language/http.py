"""One request to a chat completions server, and everything that can be wrong with its reply."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mindseye.core.protocols import Completion

_PASSING = frozenset({408, 409, 425, 429})
_ENDS = {"length": "max_tokens"}


class Trouble(RuntimeError):
    """A request that brought no completion.

    Args:
        cause: In a few words; holds nothing secret.
        passes: Whether it makes sense to try again.
        status: Of HTTP, 0 if there was none.
        retry_after: Seconds the server asks for.
    """

    def __init__(self, cause: str, *, passes: bool, status: int = 0, retry_after: float = 0.0):
        super().__init__(cause)
        self.passes, self.status, self.retry_after = passes, status, retry_after


@dataclass(frozen=True)
class Reply:
    """A completion and what it cost."""

    completion: Completion
    prompt_tokens: int
    completion_tokens: int


class _Stays(urllib.request.HTTPRedirectHandler):
    """Follows nobody: the key is meant for one server."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


_DOOR = urllib.request.build_opener(_Stays())


def post(url: str, body: Mapping[str, Any], key: str, timeout: float) -> Reply:
    """Send one request.

    Raises:
        Trouble: If no completion comes back.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    try:
        with _DOOR.open(request, timeout=timeout) as response:
            raw = response.read()
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error, key) from error
    except (TimeoutError, http.client.HTTPException, OSError) as error:
        cause = getattr(error, "reason", error)
        said = "no answer in time" if isinstance(cause, TimeoutError) else f"no answer ({cause!r})"
        raise Trouble(_without(key, said), passes=True) from error
    try:
        return _reply(json.loads(raw))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        start = _without(key, raw[:80].decode(errors="replace"))
        raise Trouble(f"its reply is no chat completion: {start!r}", passes=True) from error


def _reply(raw: Mapping[str, Any]) -> Reply:
    choice = raw["choices"][0]
    text = choice["message"]["content"]
    if not isinstance(text, str):
        raise TypeError("content is no text")
    listed = (choice.get("logprobs") or {}).get("content") or ()
    reason = choice.get("finish_reason") or "stop"
    usage = raw.get("usage") or {}
    return Reply(
        Completion(
            text,
            log_probs=[float(token["logprob"]) for token in listed],
            stop_reason=_ENDS.get(reason, reason),
        ),
        int(usage.get("prompt_tokens", 0)),
        int(usage.get("completion_tokens", 0)),
    )


def _refused(error: urllib.error.HTTPError, key: str) -> Trouble:
    try:
        said = error.read(2000).decode(errors="replace")
    except (http.client.HTTPException, OSError):
        said = ""
    try:
        raw = json.loads(said)
        said = raw.get("error", raw) if isinstance(raw, dict) else said
        said = said.get("message", said) if isinstance(said, dict) else said
    except ValueError:
        pass  # not every server explains itself in JSON
    return Trouble(
        _without(key, f"HTTP {error.code}: {str(said).strip()[:200] or error.reason}"),
        passes=error.code in _PASSING or error.code >= 500,
        status=error.code,
        retry_after=_seconds(error.headers.get("Retry-After", "")),
    )


def _seconds(given: str) -> float:
    """Of a Retry-After header: a number, or a date."""
    try:
        return max(0.0, float(given))
    except ValueError:
        pass  # then it is a date
    try:
        return max(0.0, (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _without(key: str, text: str) -> str:
    return text.replace(key, "***") if key else text

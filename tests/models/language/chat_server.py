"""A real server on loopback that speaks OpenAI's chat completions, well or badly."""

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Bad(Exception):
    """Answer with a status, headers and body instead."""

    def __init__(self, status, body=b"", **headers):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


class Cut(Exception):
    """Promise more bytes than are sent."""


class Silent(Exception):
    """Hang up without a word."""


def completion(text, **more):
    return {
        "object": "chat.completion",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2},
        **more,
    }


@contextmanager
def serving(answer):
    """Base URL, and requests so far; `answer(body, number)` gives the reply's JSON or raises."""
    heard, lock = [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                heard.append((self.path, dict(self.headers), body))
                number = len(heard)
            try:
                said = json.dumps(answer(body, number)).encode()
                self.reply(200, said, len(said))
            except Bad as bad:
                self.reply(bad.status, bad.body, len(bad.body), bad.headers)
            except Cut:
                self.reply(200, b'{"choices": [{"mess', 1000)
            except Silent:
                pass
            self.close_connection = True

        def reply(self, status, body, length, headers=None):
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            for name, value in (headers or {}).items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            with suppress(OSError):  # the other side may have lost patience
                self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 64

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

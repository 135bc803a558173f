"""A real server on a real socket, with real moods."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from jobs.errors import ContractError, EnvironmentFault, TransientFault, UsageError
from jobs.extract import pages
from jobs.extract.feed import FeedState, Landing, Window
from jobs.extract.feeds import extract
from jobs.extract.keys import Keys
from jobs.source_settings import Feed, Source

KEYS = Keys.from_master("k1", "0123456789abcdef")
WINDOW = Window(date(2024, 3, 10), datetime(2024, 3, 11, tzinfo=UTC))

Answer = tuple[int, dict[str, str], Any]
Responder = Callable[[str, dict[str, str]], Answer]


class Server:
    """Answers with ``self.responder(path, parameters)`` and keeps what it was asked."""

    def __init__(self) -> None:
        self.responder: Responder = lambda path, parameters: (200, {}, [])
        self.asked: list[dict[str, str]] = []
        self.tokens: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                parameters = dict(parse_qsl(parts.query))
                outer.asked.append(parameters)
                outer.tokens.append(self.headers.get("Authorization"))
                status, headers, body = outer.responder(parts.path, parameters)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def read(self, state: str | None = None, token: str | None = None, **feed: Any) -> tuple[list[Any], Landing]:
        settings = Feed(path="/orders", **feed)
        source = Source(
            kind="http",
            location=f"{self.url}/v1",
            feeds={"f": settings},
            token_variable=token,
            max_attempts=3,
        )
        extraction = extract("pos", source, "f", settings, FeedState(cursor=state), WINDOW, KEYS, "US")
        rows = [row for part in extraction if part.raw is not None for row in part.raw.to_pylist()]
        assert extraction.landing is not None
        return rows, extraction.landing


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(pages, "BACKOFF_SECONDS", 0.001)
    running = Server()
    yield running
    running.close()


def in_turn(*answers: Answer) -> Responder:
    left = list(answers)
    return lambda path, parameters: left.pop(0) if len(left) > 1 else left[0]


def ids(rows: list[Any]) -> list[str]:
    return [row["id"] for row in rows]


def test_values_keep_their_text(server: Server) -> None:
    server.responder = in_turn((200, {}, b'{"data": {"rows": [{"id": 1.10, "in": {"a": 2.50}, "ok": false}]}}'))
    rows, landing = server.read(records="data.rows")
    assert (rows[0]["id"], rows[0]["in_a"], rows[0]["ok"]) == ("1.10", "2.50", "false")
    assert (rows[0]["_file"], rows[0]["_row"]) == ("/orders", 1)
    assert landing.columns == ["id", "in_a", "ok"]


def test_429_with_retry_after_then_500s_then_an_answer(server: Server) -> None:
    server.responder = in_turn((429, {"Retry-After": "0"}, b""), (500, {}, b"oops"), (200, {}, [{"id": 1}]))
    rows, _ = server.read()
    assert ids(rows) == ["1"]
    assert len(server.asked) == 3


def test_patience_ends(server: Server) -> None:
    server.responder = in_turn((503, {}, b"secret words"))
    with pytest.raises(TransientFault, match="HTTP 503") as caught:
        server.read()
    assert len(server.asked) == 3
    assert "secret" not in str(caught.value)
    server.responder = in_turn((429, {"Retry-After": "86400"}, b""))
    with pytest.raises(TransientFault, match="86400"):
        server.read()
    server.close()
    with pytest.raises(TransientFault, match="no answer"):
        server.read()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_not_tried_again(server: Server, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POS_TOKEN", "canary-token")
    server.responder = in_turn((status, {}, b"canary-token is wrong"))
    with pytest.raises(EnvironmentFault) as caught:
        server.read(token="POS_TOKEN")
    assert server.tokens == ["Bearer canary-token"]
    assert "canary" not in str(caught.value) + caught.value.next_command


def test_a_missing_token_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POS_TOKEN", raising=False)
    with pytest.raises(UsageError, match="POS_TOKEN"):
        server.read(token="POS_TOKEN")


def test_cursor_pages_with_one_twice(server: Server) -> None:
    book = {"": ([1, 2], "b"), "b": ([3], "c"), "c": ([3], "d"), "d": ([], None)}

    def respond(path: str, parameters: dict[str, str]) -> Answer:
        numbers, after = book[parameters.get("cursor", "")]
        return 200, {}, {"rows": [{"id": n} for n in numbers], "meta": {"after": after}}

    server.responder = respond
    rows, _ = server.read(records="rows", pagination="cursor", next_page="meta.after", parameters={"size": "2"})
    assert ids(rows) == ["1", "2", "3", "3"]
    assert [row["_row"] for row in rows] == [1, 2, 3, 4]
    assert all(parameters["size"] == "2" for parameters in server.asked)


@pytest.mark.parametrize(
    ("pagination", "body"),
    [
        ("cursor", {"rows": [{"id": 1}], "next": "same"}),
        ("link", {"rows": [{"id": 1}], "next": "/v1/orders?p=1"}),
        ("page", {"rows": [{"id": 1}]}),
    ],
)
def test_a_circle_ends(server: Server, pagination: str, body: Any) -> None:
    server.responder = in_turn((200, {}, body))
    with pytest.raises(ContractError, match="circle"):
        server.read(records="rows", pagination=pagination)
    assert len(server.asked) <= 3


def test_numbered_pages_end_with_an_empty_one(server: Server) -> None:
    def respond(path: str, parameters: dict[str, str]) -> Answer:
        number = int(parameters["p"])
        return 200, {}, [{"id": number}] if number < 4 else []

    server.responder = respond
    assert ids(server.read(pagination="page", page_parameter="p")[0]) == ["1", "2", "3"]


def test_links_in_body_and_header(server: Server) -> None:
    def respond(path: str, parameters: dict[str, str]) -> Answer:
        number = int(parameters.get("p", "1"))
        if number == 1:
            return 200, {"Link": '</v1/orders?p=2>; rel="next"'}, {"rows": [{"id": 1}]}
        return (
            200,
            {},
            {"rows": [{"id": number}], "next": f"{server.url}/v1/orders?p=3" if number == 2 else None},
        )

    server.responder = respond
    assert ids(server.read(records="rows", pagination="link")[0]) == ["1", "2", "3"]


def test_the_token_does_not_leave_for_another_server(server: Server) -> None:
    server.responder = in_turn((200, {}, {"rows": [], "next": "http://evil.example/x"}))
    with pytest.raises(ContractError, match="another server"):
        server.read(records="rows", pagination="link")


def test_window_overlap_and_a_skewed_clock(server: Server) -> None:
    instants = [
        "2024-03-10T09:00:00+08:00",
        "2024-03-10T23:59:59.5Z",
        "2024-03-11T00:00:00Z",
        "2024-03-11T09:00:00Z",
    ]
    server.responder = in_turn((200, {}, [{"id": i, "at": at} for i, at in enumerate(instants)] + [{"id": 9}]))
    rows, landing = server.read(
        state="2024-03-09T00:10:00Z", cursor="at", since_parameter="since", until_parameter="until"
    )
    assert ids(rows) == ["0", "1", "9"]
    assert server.asked == [{"since": "2024-03-09T00:05:00Z", "until": "2024-03-11T00:00:00Z"}]
    assert landing.cursor_from == "2024-03-09T00:10:00Z"
    assert landing.cursor_to == "2024-03-10T23:59:59.500000Z"


def test_exploded_lists(server: Server) -> None:
    orders = [
        {"id": 1, "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]},
        {"id": 2, "lines": []},
        {"id": 3},
    ]
    server.responder = in_turn((200, {}, orders))
    rows, _ = server.read(explode="lines")
    assert [(row["id"], row["lines_sku"], row["lines_n"]) for row in rows] == [
        ("1", "a", "1"),
        ("1", "b", "2"),
        ("2", None, None),
        ("3", None, None),
    ]


@pytest.mark.parametrize("body", [b"<html>", {"other": []}, {"rows": 5}, {"rows": [1]}])
def test_answers_that_break_the_contract(server: Server, body: Any) -> None:
    server.responder = in_turn((200, {}, body))
    with pytest.raises(ContractError, match="/orders"):
        server.read(records="rows")
    server.responder = in_turn((404, {}, b""))
    with pytest.raises(ContractError, match="404"):
        server.read(records="rows")

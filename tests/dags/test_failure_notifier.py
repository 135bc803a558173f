"""The alert reaches a real HTTP server and a real SMTP server, and says what to do."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from failure_notifier import FailureNotifier

CONTEXT: Any = {
    "ti": SimpleNamespace(
        dag_id="nightly", task_id="extract", run_id="manual__1", xcom_pull=lambda task_ids: {"date": "2017-12-30"}
    ),
    "params": {"business_date": None},
    "source": "pos",
    "exception": AirflowFailException(
        "error: rule orders.quarantine_share failed in pos/receipts_1.csv\n next: regulars quarantine show"
    ),
}


class _Web(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes to be handed one message."""

    def handle(self) -> None:
        self._say("220 sink")
        letter: list[str] = []
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n").upper()
            if line == "DATA":
                self._say("354 go on")
                for part in iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), "."):
                    letter.append(part)
                self.server.received.append("\n".join(letter))  # type: ignore[attr-defined]
            self._say("221 bye" if line == "QUIT" else "250 ok")
            if line == "QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def listening(server: socketserver.TCPServer) -> Iterator[tuple[int, list[Any]]]:
    server.received = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], server.received  # type: ignore[attr-defined, misc]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def web() -> Iterator[tuple[int, list[Any]]]:
    with listening(HTTPServer(("127.0.0.1", 0), _Web)) as heard:
        yield heard


@pytest.fixture
def mail() -> Iterator[tuple[int, list[Any]]]:
    with listening(socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail)) as heard:
        yield heard


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REGULARS_ALERT_WEBHOOK", "REGULARS_ALERT_SMTP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_the_webhook_learns_what_failed_and_what_to_do(
    web: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, received = web
    monkeypatch.setenv("REGULARS_ALERT_WEBHOOK", f"http://127.0.0.1:{port}/hook")
    FailureNotifier()(CONTEXT)
    assert len(received) == 1
    assert received[0]["dag"] == "nightly"
    assert received[0]["task"] == "extract pos"
    assert received[0]["business_date"] == "2017-12-30"
    assert received[0]["error"] == "rule orders.quarantine_share failed in pos/receipts_1.csv"
    assert received[0]["next"] == "regulars quarantine show"
    assert "next: regulars quarantine show" in received[0]["text"]


def test_the_mail_says_the_same(mail: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    port, received = mail
    monkeypatch.setenv(
        "REGULARS_ALERT_SMTP", f"smtp://127.0.0.1:{port}/?to=night@example.com&from=regulars@example.com"
    )
    FailureNotifier()(CONTEXT)
    assert len(received) == 1
    assert "To: night@example.com" in received[0]
    assert "Subject: [regulars] extract pos failed for 2017-12-30" in received[0]
    for part in ("rule orders.quarantine_share failed in pos/receipts_1.csv", "next: regulars quarantine show"):
        assert part in received[0]


def test_a_deaf_webhook_does_not_keep_the_mail_back(
    mail: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, received = mail
    monkeypatch.setenv("REGULARS_ALERT_WEBHOOK", "http://127.0.0.1:9/hook")
    monkeypatch.setenv("REGULARS_ALERT_SMTP", f"smtp://127.0.0.1:{port}/?to=night@example.com")
    FailureNotifier()(CONTEXT)
    assert len(received) == 1


def test_a_task_without_a_message_is_told_too(web: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    port, received = web
    monkeypatch.setenv("REGULARS_ALERT_WEBHOOK", f"http://127.0.0.1:{port}/hook")
    FailureNotifier()({**CONTEXT, "exception": None, "source": None})
    assert received[0]["task"] == "extract"
    assert received[0]["next"] == "read the task's log"

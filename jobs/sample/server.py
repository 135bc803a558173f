"""The online shop's HTTP API over ``online.sqlite``.

Run as ``python -m jobs.sample.server --database PATH --port N``. ``GET /accounts`` and ``GET /orders``
answer ``{"data": [...], "next": cursor or null}``, ordered by (updated_at, id). Parameters:
``updated_since`` (inclusive) and ``updated_until`` (exclusive), ISO 8601 instants, UTC where they name no
offset; ``cursor``, the ``next`` of the page before; ``limit``, 500 unless told, at most 2000. Both want
``Authorization: Bearer`` with the value of ``ONLINE_API_TOKEN``; ``GET /health`` is open.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jobs.errors import RegularsError, UsageError

TOKEN_VARIABLE = "ONLINE_API_TOKEN"  # noqa: S105  # a name, not a secret
DEFAULT_LIMIT = 500
MAX_LIMIT = 2000
_RESOURCES = {"/accounts": "accounts", "/orders": "orders"}
_PARAMETERS = {"updated_since", "updated_until", "cursor", "limit"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OrderApi(ThreadingHTTPServer):
    """A server of one database; one thread per connection."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], database: Path, token: str) -> None:
        """Bind ``address``; port 0 takes any free one."""
        super().__init__(address, _Handler)
        self.database = database
        self.token = token

    def page(self, resource: str, parameters: dict[str, str]) -> str:
        """One page of a resource as JSON text.

        Raises:
            ValueError: a parameter is unknown or cannot be understood; the message says which.
        """
        if unknown := set(parameters) - _PARAMETERS:
            raise ValueError(f"unknown parameter {sorted(unknown)[0]}")
        limit = _limit(parameters.get("limit"))
        after = _position(parameters.get("cursor"))
        since = _microseconds("updated_since", parameters.get("updated_since"), -(2**62))
        until = _microseconds("updated_until", parameters.get("updated_until"), 2**62)
        rows = self._rows(resource, after, since, until, limit + 1)
        body = ",".join(document for _, _, document in rows[:limit])
        more = f"{rows[limit - 1][0]}.{rows[limit - 1][1]}" if len(rows) > limit else None
        return f'{{"data":[{body}],"next":{json.dumps(more)}}}'

    def _rows(
        self, resource: str, after: tuple[int, str], since: int, until: int, limit: int
    ) -> list[tuple[int, str, str]]:
        statement = (
            f"SELECT updated_us, id, document FROM {resource} WHERE (updated_us, id) > (?, ?)"
            " AND updated_us >= ? AND updated_us < ? ORDER BY updated_us, id LIMIT ?"
        )
        with closing(sqlite3.connect(f"{self.database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(statement, (*after, since, until, limit)).fetchall()


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError("limit must be a whole number from 1")
    return min(int(text), MAX_LIMIT)


def _position(cursor: str | None) -> tuple[int, str]:
    if not cursor:
        return -(2**62), ""
    microseconds, _, identifier = cursor.partition(".")
    if not microseconds.lstrip("-").isdigit() or not identifier:
        raise ValueError("cursor is not one that this server gave")
    return int(microseconds), identifier


def _microseconds(name: str, text: str | None, absent: int) -> int:
    if text is None:
        return absent
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{name} is not an ISO 8601 instant") from error
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # headers and body in one packet: unbuffered, delayed acknowledgements cost 40 ms a page
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: OrderApi

    def do_GET(self) -> None:
        """Answer a page, the health check, or what is wrong with the request."""
        address = urlsplit(self.path)
        if address.path == "/health":
            self._answer(200, '{"status":"ok"}')
        elif not self._is_allowed():
            self._answer(401, '{"error":"a valid bearer token is required"}')
        elif address.path not in _RESOURCES:
            self._answer(404, '{"error":"no such resource; there are /accounts and /orders"}')
        else:
            self._answer_page(_RESOURCES[address.path], dict(parse_qsl(address.query)))

    def _answer_page(self, resource: str, parameters: dict[str, str]) -> None:
        try:
            self._answer(200, self.server.page(resource, parameters))
        except ValueError as error:
            self._answer(400, json.dumps({"error": str(error)}))
        except sqlite3.Error as error:
            self._answer(500, json.dumps({"error": f"database: {type(error).__name__}"}))

    def _is_allowed(self) -> bool:
        given = self.headers.get("Authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {self.server.token}".encode())

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: request lines would fill the log of whoever started the server."""


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m jobs.sample.server", description="the online-order API")
    parser.add_argument("--database", type=Path, required=True, help="online.sqlite of a sample business")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it listens")
    return parser.parse_args(argv)


def open_server(database: Path, host: str, port: int) -> OrderApi:
    """Make the server; the token comes from the environment.

    Raises:
        UsageError: there is no such database, or no token.
    """
    if not database.is_file():
        raise UsageError(f"no database at {database}", next_command="python -m jobs.sample grocer --out DIR")
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise UsageError(f"{TOKEN_VARIABLE} is not set", next_command=f"export {TOKEN_VARIABLE}=...")
    return OrderApi((host, port), database, token)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    options = _arguments(argv)
    try:
        server = open_server(options.database, options.host, options.port)
    except RegularsError as error:
        print(f"{error.message}\nnext: {error.next_command}", file=sys.stderr)
        return error.exit_code
    port = server.server_address[1]
    if options.port_file:
        _write_whole(options.port_file, str(port))
    print(f"listening on {options.host}:{port}", flush=True)
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _write_whole(path: Path, text: str) -> None:
    """Put the file there at once, so that whoever waits for it never reads half a number."""
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(text)
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main())

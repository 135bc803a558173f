"""The online shop's database: accounts and orders as the JSON documents that its API hands out.

Documents are built once, here, so that the server only joins strings. ``updated_us`` (microseconds
since 1970, UTC) with the id is the order in which the API pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.sample.files import PRIMARY_KEY, Schema, write_database

_DOCUMENTS = {"id": "TEXT NOT NULL", "updated_us": "INTEGER NOT NULL", "document": "TEXT NOT NULL"}
SCHEMA: Schema = {name: {**_DOCUMENTS, PRIMARY_KEY: "(updated_us, id)"} for name in ("accounts", "orders")}
Document = tuple[str, int, str]


def account_document(account: Mapping[str, Any]) -> Document:
    """One row of ``accounts``."""
    return account["account_id"], _microseconds(account["updated_at"]), _json(account)


def order_document(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Document:
    """One row of ``orders``. Decimals of the lines become numbers with their own places: 3.50 stays 3.50."""
    body = ",".join("{" + ",".join(f'"{k}":{_number(v)}' for k, v in line.items()) + "}" for line in lines)
    return (
        order["order_id"],
        _microseconds(order["updated_at"]),
        f'{_json(order)[:-1]},"lines":[{body}]}}',
    )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _number(value: object) -> str:
    return "null" if value is None else str(value)


def _microseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def write_online(path: Path, accounts: Iterable[Document], orders: Iterable[Document]) -> None:
    """Create ``online.sqlite``."""
    write_database(path, SCHEMA, {"accounts": in_page_order(accounts), "orders": in_page_order(orders)})


def in_page_order(documents: Iterable[Document]) -> list[Document]:
    """Rows in page order, which makes the file compact and its bytes independent of the way here."""
    return sorted(documents, key=lambda row: (row[1], row[0]))

"""The SQL of this folder, by the name of its file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb


def run(database: duckdb.DuckDBPyConnection, name: str) -> None:
    """Execute the statements of a file."""
    database.execute(_text(name))


def rows(database: duckdb.DuckDBPyConnection, name: str) -> duckdb.DuckDBPyRelation:
    """What the one query of a file gives."""
    return database.sql(_text(name))


def given(database: duckdb.DuckDBPyConnection, **values: object) -> None:
    """Set the variables that the files speak of."""
    for name, value in values.items():
        database.execute(f"SET VARIABLE {name} = ?", [value])


@cache
def _text(name: str) -> str:
    return (Path(__file__).parent / f"{name}.sql").read_text("utf-8")

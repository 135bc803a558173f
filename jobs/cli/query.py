"""Queries over one snapshot's published tables: DuckDB in memory, which reads these files and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from jobs.definitions.published import TABLES, folder
from jobs.errors import ContractError, UsageError
from jobs.storage.night import Night
from jobs.storage.publish import RESTRICTED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH = 1000


@dataclass(frozen=True)
class Answer:
    """The columns of a query's result, and its rows as they come."""

    header: list[str]
    rows: Iterator[Sequence[Any]]


def connect(night: Night, *, restricted: bool) -> DuckDBPyConnection:
    """A database with a view per published table, restricted ones in schema ``restricted`` only if asked for.

    It can open the files behind its views and no other, write none, load no extension, and that
    cannot be changed from within.

    Raises:
        ContractError: a table's files cannot be read.
    """
    import duckdb

    database = duckdb.connect(config={"python_enable_replacements": "false"})
    database.execute("SET TimeZone = 'UTC'")
    if restricted:
        database.execute(f"CREATE SCHEMA {RESTRICTED}")
    allowed: list[str] = []
    for table in TABLES:
        if table.restricted and not restricted:
            continue
        parts = [str(part.resolve()) for part in night.parts("published", folder(table))]
        if parts:
            name = f"{RESTRICTED}.{table.name}" if table.restricted else table.name
            _view(database, name, parts)
            allowed += parts
    database.execute(f"SET allowed_paths = {_listed(allowed)}")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


def _view(database: DuckDBPyConnection, name: str, parts: list[str]) -> None:
    import duckdb

    try:
        database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({_listed(parts)})")
    except duckdb.Error as error:
        raise ContractError(
            f"table {name} cannot be read ({type(error).__name__})", next_command="regulars doctor --deep"
        ) from None


def _listed(paths: list[str]) -> str:
    return "[" + ", ".join("'" + path.replace("'", "''") + "'" for path in paths) + "]"


def ask(database: DuckDBPyConnection, query: str) -> Answer:
    """Run one reading statement.

    Raises:
        UsageError: it is none, or several, or cannot be run.
    """
    import duckdb

    try:
        statements = database.extract_statements(query)
        reading = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
        if len(statements) != 1 or statements[0].type not in reading:
            raise UsageError("one SELECT at a time; the published tables are only read", next_command="regulars tables")
        reader = database.sql(query).to_arrow_reader(BATCH)
        rows = _rows(reader)
        first = next(rows, None)
    except duckdb.Error as error:
        raise _refused(error) from None
    kept = rows if first is None else chain([first], rows)
    return Answer(_distinct(reader.schema.names), kept)


def _rows(reader: Any) -> Iterator[Sequence[Any]]:
    """Rows of Arrow batches, with which instants need no further package."""
    import duckdb
    import pyarrow as pa

    try:
        for batch in reader:
            yield from zip(*(_values(column) for column in batch.columns), strict=True)
    except (duckdb.Error, pa.ArrowException) as error:
        raise _refused(error) from None


def _values(column: Any) -> list[Any]:
    """Python values; a decimal without fraction, as sums of counts are, is a whole number."""
    import pyarrow as pa

    values: list[Any] = column.to_pylist()
    if pa.types.is_decimal(column.type) and column.type.scale == 0:
        return [None if value is None else int(value) for value in values]
    return values


def _refused(error: Exception) -> UsageError:
    """The message where it is about the query, its kind alone where it might quote a row."""
    import duckdb

    about_query = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.PermissionException,
                   duckdb.SyntaxException)  # fmt: skip
    kind = type(error).__name__.removesuffix("Exception")
    said = str(error).partition("\n\n")[0].replace("\n", " ") if isinstance(error, about_query) else f"{kind} error"
    return UsageError(f"the query failed: {said}", next_command="regulars tables, or regulars show TABLE")


def _distinct(names: list[str]) -> list[str]:
    """Names with a number behind those that come again."""
    found: list[str] = []
    for name in names:
        new, count = name, 1
        while new in found:
            count += 1
            new = f"{name}_{count}"
        found.append(new)
    return found

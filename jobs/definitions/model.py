"""The words that definitions are written in: columns, references, tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Type = Literal["STRING", "INT", "BIGINT", "DECIMAL(18,2)", "DECIMAL(18,4)", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN"]

MONEY: Type = "DECIMAL(18,2)"


def rounded(sql: str, *, unit: str | None = "share") -> str:
    """A DOUBLE with six decimals, half up, in SQL.

    By way of a decimal that is too short for the error of the last bit, in which engines differ, and long enough to be
    on the right side of a half: a share of b differs from any half by 1 / (2,000,000 b) or by nothing.
    """
    digits = 15 if unit == "share" else 13
    return f"CAST(CAST(CAST({sql} AS DECIMAL(38,{digits})) AS DECIMAL(28,6)) AS DOUBLE)"


def in_cents(sql: str) -> str:
    """A DOUBLE as an amount of money, half up, in SQL; see :func:`rounded`."""
    return f"CAST(CAST({sql} AS DECIMAL(38,10)) AS DECIMAL(18,2))"


def is_share(name: str) -> bool:
    """A column whose name says that it holds a share or a probability: people read it as per cent."""
    return name.endswith("_share") or "_probability" in name


@dataclass(frozen=True)
class Column:
    """One column: its name, its Spark SQL type, what it means and what it may hold."""

    name: str
    type: Type
    description: str
    required: bool = False  #: never null
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()  #: the only values it may hold
    unit: str | None = None
    default: str | None = None  #: SQL literal where the source says nothing
    contact: bool = False  #: identifies or reaches a person: replaced at extraction, the original in the vault only
    free_text: bool = False  #: typed by people; a contact value found in it sets the row aside


SOURCE = Column("source", "STRING", "Name of the source in the settings.", required=True)
UPDATED = Column("updated_at", "TIMESTAMP", "When the source last changed the row, UTC; newer wins over older.")


@dataclass(frozen=True)
class Reference:
    """A column that must name a row of another table."""

    column: str
    table: str
    target: str
    policy: str | None = None  #: the setting under ``policies`` that may allow unknown values


@dataclass(frozen=True)
class Entity:
    """A canonical input: what a source's rows become. One row per ``key``."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    description: str
    optional: bool = False  #: a chain may have no such feed
    dated: str | None = None  #: the column that leads to its business date; such an entity is partitioned by it
    references: tuple[Reference, ...] = ()

    @property
    def clean_columns(self) -> tuple[Column, ...]:
        """Its columns as they are kept: a contact column is the keyed hash ``<name>_hash``."""
        return tuple(replace(c, name=f"{c.name}_hash") if c.contact else c for c in self.columns)

    @property
    def whole(self) -> tuple[str, tuple[str, ...]]:
        """The entity that its rows are a part of, and the columns that name one: an order's lines are of the order."""
        for reference in self.references:
            if reference.column == self.dated:
                return reference.table, ("source", reference.column)
        return self.name, self.key


@dataclass(frozen=True)
class Table:
    """A published table. One row per ``key``, sorted by it; ``snapshot_date`` is a column of each."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    description: str
    load: Literal["replace", "merge"] = "replace"
    restricted: bool = False  #: below ``restricted/``, granted by role
    references: tuple[Reference, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in published order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")


def ddl(columns: tuple[Column, ...]) -> str:
    """Spark SQL column list, as in ``a STRING, b INT``."""
    return ", ".join(f"`{column.name}` {column.type}" for column in columns)

"""Arrow schemas from the definitions."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from jobs.definitions.model import Column

_ARROW: dict[str, pa.DataType] = {
    "STRING": pa.string(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "DECIMAL(18,2)": pa.decimal128(18, 2),
    "DECIMAL(18,4)": pa.decimal128(18, 4),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
    "BOOLEAN": pa.bool_(),
}


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The Arrow schema of declared columns, in their order."""
    return pa.schema([pa.field(column.name, _ARROW[column.type]) for column in columns])

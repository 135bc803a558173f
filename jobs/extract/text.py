"""Every value as text: Arrow columns of any type, and Python values, to string columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def parse_json(text: str | bytes) -> Any:
    """JSON with numbers kept as :class:`Number`.

    Raises:
        ValueError: not JSON, or not UTF-8.
    """
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)


def compact(value: Any) -> str:
    """A parsed JSON value as compact JSON, its numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact(str(key))}:{compact(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def as_text(value: Any) -> str | None:
    """One Python value as raw text."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict | list | tuple):
        return compact(value)
    return _instant_or_str(value)


def _instant_or_str(value: Any) -> str:
    if hasattr(value, "hour") and hasattr(value, "year"):
        return str(to_text(pa.array([value]))[0].as_py())
    return str(value)


def text_array(values: Sequence[Any]) -> pa.StringArray:
    """A column of Python values as strings; integers take a fast way."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64()).cast(pa.string())
        except (OverflowError, pa.ArrowInvalid):
            pass  # beyond 64 bits: one by one
    texts = values if kinds <= {str} else [as_text(value) for value in values]
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write and UTF-8 cannot
        return pa.array([_encodable(text) for text in texts], pa.string())


def _encodable(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def to_text(column: Any) -> pa.StringArray:
    """An Arrow column of any type as strings, by the rule in the package's docstring."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    kind = column.type
    if pt.is_dictionary(kind):
        return to_text(column.dictionary_decode())
    if pt.is_timestamp(kind):
        return _timestamps(column)
    if pt.is_decimal(kind):
        return _decimals(column)
    if _is_bytes(kind):
        return _bytes(column)
    if pt.is_nested(kind):
        return text_array(column.to_pylist())
    try:
        return column.cast(pa.string())
    except pa.ArrowNotImplementedError:
        return text_array(column.to_pylist())


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_fixed_size_binary(kind))


def _timestamps(column: Any) -> pa.StringArray:
    naive = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.timestamp("us"))
    text = pc.replace_substring(naive.cast(pa.string()), " ", "T")
    return text if column.type.tz is None else pc.binary_join_element_wise(text, "Z", "")


def _decimals(column: Any) -> pa.StringArray:
    text = column.cast(pa.string())
    if pc.any(pc.match_substring(text, "E")).as_py():  # Arrow writes very small ones scientifically
        return text_array(column.to_pylist())
    return text


def _bytes(column: Any) -> pa.StringArray:
    try:
        return column.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return text_array(column.to_pylist())

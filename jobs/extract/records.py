"""JSON to flat records: dotted paths, explosion of lists, fields of nested objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_ABSENT = object()


class PathMissing(Exception):
    """A dotted path leads nowhere."""


def at_path(value: Any, path: str) -> Any:
    """The value at a dotted path (the whole for an empty path).

    Raises:
        PathMissing: a part of the path is absent.
    """
    for part in filter(None, path.split(".")):
        value = value.get(part, _ABSENT) if isinstance(value, dict) else _ABSENT
        if value is _ABSENT:
            raise PathMissing(path)
    return value


def exploded(record: dict[str, Any], path: str | None) -> Iterator[dict[str, Any]]:
    """One row per element of the list at ``path``, its fields as ``<name>_<field>``, the parent's repeated.

    A record whose list is empty or absent is one row without element fields.
    """
    if path is None:
        yield record
        return
    try:
        elements = at_path(record, path)
    except PathMissing:
        elements = None
    parent = _without(record, path.split("."))
    name = path.rpartition(".")[2]
    if not isinstance(elements, list) or not elements:
        yield parent
        return
    for element in elements:
        if isinstance(element, dict):
            yield {**parent, **{f"{name}_{field}": item for field, item in element.items()}}
        else:
            yield {**parent, name: element}


def flattened(record: dict[str, Any]) -> dict[str, Any]:
    """A record with the fields of nested objects as ``<name>_<field>``; lists stay as they are.

    So contact data inside an object has a column of its own, which can be mapped and then leaves for the vault. Where
    a name is taken, by the record's own field or an earlier object's, the object stays whole: nothing is written over.
    """
    flat: dict[str, Any] = {}
    for name, value in record.items():
        inner = {f"{name}_{key}": item for key, item in flattened(value).items()} if isinstance(value, dict) else {}
        if inner and not inner.keys() & (record.keys() | flat.keys()):
            flat.update(inner)
        else:
            flat[name] = value
    return flat


def _without(record: dict[str, Any], path: list[str]) -> dict[str, Any]:
    head, *rest = path
    if not rest:
        return {key: value for key, value in record.items() if key != head}
    inner = record.get(head)
    if not isinstance(inner, dict):
        return record
    return {**record, head: _without(inner, rest)}

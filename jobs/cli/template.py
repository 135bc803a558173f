"""The commented ``regulars.toml`` that ``regulars init`` writes.

Every option, its meaning and its default are taken from ``jobs.settings`` itself, canonical columns
from the definitions; only the three example sources are written here.
"""

from __future__ import annotations

import inspect
import json
import re
from datetime import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from jobs import settings, source_settings
from jobs.definitions.canonical import BY_NAME
from jobs.definitions.model import Column, Entity
from jobs.mapping import required

HEAD = """\
# Settings of Regulars, written by `regulars init`. A line that is commented out shows a default.
# Every value can be overridden by an environment variable: REGULARS_ and its path, levels parted by
# two underscores, as in REGULARS_ENGINE or REGULARS_PRIVACY__MIN_GROUP_SIZE.
# Secrets are never in this file: ${NAME} in a location is that environment variable, and the key for
# pseudonyms is in REGULARS_KEY_<key_id in capitals>.
# next: edit the three sources below, then `regulars check-source crm` and `regulars doctor`
"""
SOURCES = """\
# ---- sources -------------------------------------------------------------------------------------
# [sources.NAME] says where a system is, [sources.NAME.feeds.FEED] what to read from it, and
# [sources.NAME.feeds.FEED.maps.ENTITY] what its rows are: canonical column = "column of the source",
# or a Spark SQL expression over them, as in channel = "'store'". One feed may become several entities.
# Contact columns (marked so) name one plain column; they are hashed and kept in the vault only. A column
# that is not mapped stays in raw/ as it came, so map every column that names or reaches a person. What is
# left of two of them may be used: of birth_date the columns _birth_year and _birth_month (birth_year =
# "_birth_year"), of address the columns _address_region and _address_city, which are region and city by
# themselves where these are not mapped.
"""

#: the contact columns and consents that nearly every customer file has
_PEOPLE = ("name", "email", "phone", "marketing_consent", "profiling_consent", "registered_at", "updated_at")
#: columns of the lines inside an exploded order
_LINES = {name: f"lines_{name}" for name in ("line_id", "product_id", "quantity", "gross")}

#: source -> kind, its own lines, feeds -> own lines, entities -> columns mapped besides the required ones, or
#: to something else than their own name; three examples to be edited
EXAMPLES: dict[str, dict[str, Any]] = {
    "crm": {
        "kind": "sql",
        "about": "a database: PostgreSQL, SQLite (sqlite:////path/to/file) or any SQLAlchemy address",
        "location": "postgresql://regulars:${CRM_PASSWORD}@localhost:5432/crm",
        "feeds": {
            "members": ({"table": "members", "cursor": "updated_at", "may_be_empty": True},
                        {"customers": {name: name for name in _PEOPLE}}),
            "products": ({"table": "products", "may_be_empty": True}, {"products": {}}),
            "stores": ({"table": "stores", "may_be_empty": True}, {"stores": {}}),
        },
    },
    "pos": {
        "kind": "files",
        "about": "a folder of files, local or s3://bucket/prefix; a receipt line is an order and a line",
        "location": "${POS_FOLDER}",
        "feeds": {
            "receipts": (
                {"pattern": "receipts_*.csv", "format": "csv", "date_in_name": "([0-9]{4}-[0-9]{2}-[0-9]{2})"},
                {"orders": {"channel": "'store'", "loyalty_card": "loyalty_card"}, "order_lines": {}},
            )
        },
    },
    "online": {
        "kind": "http",
        "about": "a JSON service",
        "location": "https://${ONLINE_API_HOST}",
        "token_variable": "ONLINE_API_TOKEN",
        "feeds": {
            "orders": (
                {"path": "/orders", "records": "data", "explode": "lines", "pagination": "cursor",
                 "cursor": "updated_at", "since_parameter": "updated_since", "until_parameter": "updated_until",
                 "may_be_empty": True},
                {"orders": {"source_customer_id": "source_customer_id", "updated_at": "updated_at"},
                 "order_lines": _LINES},
            )
        },
    },
}  # fmt: skip
KINDS = frozenset(example["kind"] for example in EXAMPLES.values())


def template() -> str:
    """The text of a new ``regulars.toml``; it loads as it is."""
    parts = [HEAD, *_options(settings.Settings, {}, skip=("sources",)), ""]
    for name, field in settings.Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            about = inspect.getdoc(type(field.default)) or ""
            parts += [f"# {about}", f"[{name}]", *_options(type(field.default), {}), ""]
    parts.append(SOURCES)
    for name, example in EXAMPLES.items():
        parts += _source(name, example)
    parts += _further(used={entity for e in EXAMPLES.values() for _, maps in e["feeds"].values() for entity in maps})
    return "\n".join(parts) + "\n"


def _source(name: str, example: dict[str, Any]) -> list[str]:
    given = {key: value for key, value in example.items() if key not in ("about", "feeds")}
    options = _options(source_settings.Source, given, kind=example["kind"], skip=("feeds",))
    lines = [f"# {name}: {example['about']}", f"[sources.{name}]", *options, ""]
    for feed, (own, entities) in example["feeds"].items():
        lines += [f"[sources.{name}.feeds.{feed}]"]
        lines += [*_options(source_settings.Feed, own, kind=example["kind"], skip=("maps",)), ""]
        for entity, mapping in entities.items():
            lines += [f"[sources.{name}.feeds.{feed}.maps.{entity}]", *_mapping(BY_NAME[entity], mapping), ""]
    return lines


def _further(used: set[str]) -> list[str]:
    """Entities that the examples do not map, as comments."""
    lines = []
    for entity in BY_NAME.values():
        if entity.name not in used:
            lines.append(f"# {entity.description} (no feed, no features from it)")
            lines.append(f"# [sources.NAME.feeds.FEED.maps.{entity.name}]")
            lines += [line if line.startswith("#") else f"# {line}" for line in _mapping(entity, {})]
            lines.append("")
    return lines


def _mapping(entity: Entity, mapping: dict[str, str]) -> list[str]:
    """Required columns and those of ``mapping`` as lines, the others as comments."""
    needed = required(entity)
    own = [column for column in entity.columns if column.name != "source"]
    active = [_line(column, mapping.get(column.name)) for column in own if column.name in {*needed, *mapping}]
    return [*active, *(f"# {_line(column)}" for column in own if column.name not in {*needed, *mapping})]


def _line(column: Column, expression: str | None = None) -> str:
    needed = column.required and column.default is None
    marks = [mark for mark, holds in (("required", needed), ("contact", column.contact)) if holds]
    allowed = f" One of {', '.join(column.values)}." if column.values else ""
    words = f"{', '.join([*marks, column.type])}: {column.description}{allowed}"
    return f"{column.name} = {toml(expression or column.name)}  # {words}"


def _options(model: type[BaseModel], given: dict[str, Any], *, kind: str = "", skip: tuple[str, ...] = ()) -> list[str]:
    """One line per option of a model behind what is said about it: as given, else its default as a comment."""
    lines: list[str] = []
    for name, (group, words) in _documented(model).items():
        default = model.model_fields[name].get_default(call_default_factory=True)
        other_kind = group in KINDS and group != kind
        if name in skip or isinstance(default, BaseModel) or (other_kind and name not in given):
            continue
        lines += [f"# {line}" for line in words]
        if name in given:
            lines.append(f"{name} = {toml(given[name])}")
        elif default in (None, PydanticUndefined):
            lines.append(f"# {name} =  (not set)")
        else:
            lines.append(f"# {name} = {toml(default)}{_allowed(model, name)}")
    return lines


def _allowed(model: type[BaseModel], name: str) -> str:
    """What else an option may be, where its type is a choice."""
    choices = [repr(choice) for choice in getattr(model.model_fields[name].annotation, "__args__", ())]
    plain = choices and all(choice.startswith("'") for choice in choices)
    return f"  # {' | '.join(choices)}".replace("'", '"') if plain else ""


def _documented(model: type[BaseModel]) -> dict[str, tuple[str, list[str]]]:
    """Field -> the group it stands in (``# sql``, ``# files``, ``# http``) and its ``#:`` comment in the source."""
    found: dict[str, tuple[str, list[str]]] = {}
    group, words = "", list[str]()
    for line in inspect.getsource(model).splitlines():
        stripped = line.strip()
        if not stripped:
            group, words = "", []
        elif stripped.startswith("#:"):
            words.append(stripped[2:].strip())
        elif stripped.startswith("# "):
            group = stripped[2:]
        elif match := re.match(r"    (\w+)\s*:", line):
            if match.group(1) in model.model_fields:
                found[match.group(1)] = (group, words)
            words = []
    return found | {name: ("", []) for name in model.model_fields if name not in found}


def toml(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {toml(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple | set | frozenset):
        return f"[{', '.join(toml(item) for item in value)}]"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)

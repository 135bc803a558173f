"""A masked look at a feed: what its columns seem to hold, never what they hold."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa

from jobs import calendar, mapping
from jobs.definitions.canonical import BY_NAME
from jobs.extract.contacts import exact_columns, is_contact
from jobs.extract.feed import FILE_COLUMN, PERSON_COLUMN, ROW_COLUMN, FeedState, Window
from jobs.extract.feeds import extract
from jobs.extract.keys import Keys
from jobs.settings import Settings
from jobs.source_settings import Feed, Source

PRESENT = "present"
EXAMPLE_LENGTH = 40

#: what a value may look like, the strictest first
_LOOKS: tuple[tuple[str, str], ...] = (
    ("integer", r"[+-]?\d{1,18}"),
    ("decimal", r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?"),
    ("boolean", r"(?i:true|false|yes|no|y|n|t|f)"),
    ("date", r"\d{4}-\d{2}-\d{2}"),
    ("timestamp", r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}(:?\d{2})?)?"),
    ("e-mail", r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    ("phone", r"\+?[0-9][0-9 ().\-]{7,}[0-9]"),
    ("json", r"[\[{].*[\]}]"),
)
#: canonical type -> looks that can be read as it; text fits where nothing is said
_READABLE: dict[str, tuple[str, ...]] = {
    "INT": ("integer",),
    "BIGINT": ("integer",),
    "DECIMAL(18,2)": ("integer", "decimal"),
    "DECIMAL(18,4)": ("integer", "decimal"),
    "DATE": ("date", "timestamp"),
    "TIMESTAMP": ("date", "timestamp"),
    "BOOLEAN": ("boolean", "integer"),
}


@dataclass(frozen=True)
class Look:
    """One source column as far as it may be shown."""

    column: str
    looks_like: str  #: a kind of value, or empty where the sample holds none
    empty_share: float
    example: str  #: masked; ``present`` for contact data
    mapped_to: tuple[tuple[str, str], ...]  #: (entity, canonical column)


@dataclass(frozen=True)
class Sample:
    """What was seen of a feed."""

    rows: int
    rejected: int
    looks: list[Look]


def window(settings: Settings, day: date | None) -> Window:
    """What a look may see: all up to ``day``; without one, all there is today."""
    last = day or datetime.now().astimezone().date() + timedelta(days=1)
    return Window(last, calendar.end_of(last, settings.time_zone, settings.day_cut_off))


def read(settings: Settings, names: tuple[str, str], source: Source, feed: Feed, rows: int, day: date | None) -> Sample:
    """Read the first rows of a feed and mask them; nothing is written.

    The mapping is left out of the reading, so that a feed can be looked at whose mapping is wrong;
    contact data is masked by what the mapping and its proposals say.

    Raises:
        RegularsError: the source cannot be read.
    """
    bare = feed.model_copy(update={"maps": {}})
    keys = Keys.from_master("look", secrets.token_hex(32))
    extraction = extract(names[0], source, names[1], bare, FeedState(), window(settings, day), keys, settings.country)
    taken: list[pa.RecordBatch] = []
    rejected = 0
    batches = iter(extraction)
    for batch in batches:
        rejected += batch.rejected.num_rows if batch.rejected is not None else 0
        if batch.raw is not None:
            taken.append(batch.raw.slice(0, rows))
        if sum(one.num_rows for one in taken) >= rows:
            break
    if close := getattr(batches, "close", None):
        close()
    return _sample(taken, rejected, rows, feed)


def _sample(taken: list[pa.RecordBatch], rejected: int, rows: int, feed: Feed) -> Sample:
    if not taken:
        return Sample(0, rejected, [])
    table = pa.concat_tables([pa.Table.from_batches([one]) for one in taken], promote_options="default").slice(0, rows)
    names = [name for name in table.column_names if name not in (FILE_COLUMN, ROW_COLUMN, PERSON_COLUMN)]
    feed = feed.model_copy(update={"maps": {name: exact_columns(one, names) for name, one in feed.maps.items()}})
    guessed = {one.column for one in mapping.propose(feed, names) if one.is_contact}
    looks = [look(name, table.column(name).to_pylist(), feed, hidden=name in guessed) for name in names]
    return Sample(table.num_rows, rejected, looks)


def look(column: str, values: Sequence[str | None], feed: Feed, *, hidden: bool) -> Look:
    """Describe a column by its values.

    Args:
        column: its name.
        values: the sample's, text or null.
        feed: whose mapping says what is contact data.
        hidden: treat it as contact data although nothing is mapped.
    """
    present = [value for value in values if value]
    kind = kind_of(present)
    mapped = tuple(mapping.uses(feed, column))
    contact = hidden or kind in ("e-mail", "phone") or any(is_contact(*one) for one in mapped)
    example = "" if not present else PRESENT if contact else masked(present[0])
    share = 1 - len(present) / len(values) if values else 0.0
    return Look(column, kind, share, example, mapped)


def kind_of(values: Sequence[str]) -> str:
    """The strictest kind that every value looks like; ``text`` if none, empty without values."""
    if not values:
        return ""
    for kind, pattern in _LOOKS:
        if all(re.fullmatch(pattern, value.strip(), re.DOTALL) for value in values):
            return kind
    return "text"


def masked(value: str) -> str:
    """The shape of a value: letters a, digits 9, everything else as it is."""
    shape = "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in value[: EXAMPLE_LENGTH + 1])
    return shape[:EXAMPLE_LENGTH] + "..." if len(shape) > EXAMPLE_LENGTH else shape


def unfit(source: Source, feed: Feed, looks: Sequence[Look]) -> list[str]:
    """Plainly mapped columns whose values do not look like the canonical column's type.

    Nothing is said of times and numbers for which the source declares how it writes them: a night judges them.
    """
    found = []
    spelled: tuple[str, ...] = ("TIMESTAMP", "DATE") if source.date_formats else ()
    spelled += ("DECIMAL(18,2)", "DECIMAL(18,4)", "INT", "BIGINT") if source.decimal_mark else ()
    for one in looks:
        for entity, canonical in one.mapped_to:
            wanted = _type_of(entity, canonical)
            plain = feed.maps[entity][canonical].strip("` ").casefold() == one.column.casefold()
            fits = one.looks_like in ("", *_READABLE.get(wanted, (one.looks_like,)))
            if plain and not fits and wanted not in spelled:
                found.append(f"{one.column} looks like {one.looks_like}, {entity}.{canonical} is {wanted}")
    return found


def _type_of(entity: str, canonical: str) -> str:
    columns = BY_NAME[entity].columns if entity in BY_NAME else ()
    return next((column.type for column in columns if column.name == canonical), "STRING")

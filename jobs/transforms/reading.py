"""Text read as a declared type, in whatever spelling means one thing only; SQL text, the same on every engine.

ISO times and plain numbers are read as they are. Other spellings are read too where nothing has to be guessed, and the
row carries a note of it: dates of which the order of day and month is plain, and what the source's settings declare
(``date_formats``, ``decimal_mark``). What remains unread is null, by which the referee sets the row aside.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jobs.definitions.model import Column

#: spellings of a date, with or without a time, that mean one day wherever they come from (Spark's pattern letters)
PLAIN_FORMATS = (
    "yyyy/M/d[ H:mm[:ss]]",
    "yyyy.M.d[ H:mm[:ss]]",
    "d.M.yyyy[ H:mm[:ss]]",
    "yyyyMMdd[ HHmmss]",
    "yyyyMMddHHmmss",
    "yyyy年M月d日[ H:mm[:ss]]",
)
#: declared formats that are numbers since 1970-01-01T00:00:00Z, up to the year 9999: beyond it engines fail or wrap
EPOCHS = {
    "epoch_seconds": "timestamp_seconds(CASE WHEN {0} BETWEEN 0 AND 253402300799 THEN {0} END)",
    "epoch_millis": "timestamp_millis(CASE WHEN {0} BETWEEN 0 AND 253402300799999 THEN {0} END)",
}

#: behind a time only: the end of a bare date looks like an offset
_ZONE_STATED = r"(Z|[T ].*[+-]\d{2}(:?\d{2})?)$"
_WIDE, _NARROW = "０１２３４５６７８９．，－＋：／　", "0123456789.,-+:/ "
_TRUE, _FALSE = ("on", "是", "有", "1.0"), ("off", "否", "无", "0.0")


@dataclass(frozen=True)
class Spelling:
    """How a source writes times and numbers."""

    time_zone: str  #: of times that state none
    date_formats: tuple[str, ...] = ()  #: formats beyond ISO and the plain ones, tried in their order
    decimal_mark: str | None = None  #: declared, the other mark may group thousands; else no grouping is read


@dataclass(frozen=True)
class Reading:
    """SQL over a column's trimmed text: its value, null where it cannot be read, and what was noted in reading it."""

    value: str
    notes: dict[str, str]  #: what was done -> SQL condition under which it was


def read(column: Column, spelling: Spelling) -> Reading:
    """How a column is read (never an error, never a float for money)."""
    text = f"`{column.name}`"
    if column.type == "STRING":
        return _code(text, column.values) if column.values else Reading(text, {})
    narrow = f"translate({text}, '{_WIDE}', '{_NARROW}')"
    if column.type == "TIMESTAMP":
        return _instant(narrow, spelling)
    if column.type == "DATE":
        others = [f"CAST({one} AS DATE)" for one in _formatted(narrow, spelling)]
        return _first_of(f"try_cast({narrow} AS DATE)", others)
    if column.type == "BOOLEAN":
        return Reading(_boolean(text), {})
    # an exponent means that a spreadsheet has rounded the number, and not every engine reads it
    return _number(f"translate({text}, '{_WIDE}eE', '{_NARROW}##')", column, spelling.decimal_mark)


def looked_up(column: str, by: str, table: Mapping[str, str]) -> Reading:
    """A column as it is given; where nothing is, what a table says of another column in whatever case, noted."""
    entries = " ".join(f"WHEN lower({quoted(name)}) THEN {quoted(value)}" for name, value in table.items())
    found = f"CASE lower(`{by}`) {entries} END"
    return Reading(f"coalesce(`{column}`, {found})", {"looked_up": f"`{column}` IS NULL AND {found} IS NOT NULL"})


def quoted(text: str) -> str:
    """Text as a literal of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _first_of(plain: str, others: Sequence[str]) -> Reading:
    """The plain reading; where it fails the first of the others, noted."""
    if not others:
        return Reading(plain, {})
    other = f"coalesce({', '.join(others)})"
    return Reading(f"coalesce({plain}, {other})", {"reformatted": f"{plain} IS NULL AND {other} IS NOT NULL"})


def _code(text: str, values: Sequence[str]) -> Reading:
    """One of a column's codes, in whatever case and with blanks or dashes for underscores."""
    listed = ", ".join(f"'{value}'" for value in values)
    folded = f"replace(replace(lower({text}), ' ', '_'), '-', '_')"
    odd = f"{text} NOT IN ({listed}) AND {folded} IN ({listed})"
    return Reading(f"CASE WHEN {odd} THEN {folded} ELSE {text} END", {"reformatted": odd})


def _boolean(text: str) -> str:
    true, false = (", ".join(f"'{word}'" for word in words) for words in (_TRUE, _FALSE))
    other = f"CASE WHEN lower({text}) IN ({true}) THEN true WHEN lower({text}) IN ({false}) THEN false END"
    return f"coalesce(try_cast({text} AS BOOLEAN), {other})"


def _number(text: str, column: Column, mark: str | None) -> Reading:
    if mark is None:
        return Reading(_cast(text, column), {})
    group = "," if mark == "." else "."
    plain = rf"^[+-]?\d*({_escaped(mark)}\d+)?$"
    grouped = rf"^[+-]?\d{{1,3}}({_escaped(group)}\d{{3}})+({_escaped(mark)}\d+)?$"
    bare = f"replace(replace({text}, '{group}', ''), '{mark}', '.')"
    value = f"CASE WHEN {_like(text, plain)} OR {_like(text, grouped)} THEN {_cast(bare, column)} END"
    return Reading(value, {"reformatted": f"{_like(text, grouped)} AND {_cast(bare, column)} IS NOT NULL"})


def _cast(text: str, column: Column) -> str:
    if column.type in ("INT", "BIGINT"):
        number = f"try_cast({text} AS DECIMAL(38,6))"
        return f"CASE WHEN {number} = floor({number}) THEN try_cast({number} AS {column.type}) END"
    return f"try_cast({text} AS {column.type})"


def _instant(text: str, spelling: Spelling) -> Reading:
    """A UTC instant; times that state no zone are local, and what the clocks' change does to them is noted."""
    zone = spelling.time_zone
    stated = _like(text, _ZONE_STATED)
    naive = f"try_cast({text} AS TIMESTAMP)"
    epochs = [EPOCHS[name].format(f"try_cast({text} AS BIGINT)") for name in spelling.date_formats if name in EPOCHS]
    others = [f"to_utc_timestamp({one}, '{zone}')" for one in _formatted(text, spelling)] + epochs
    plain = f"CASE WHEN {stated} THEN {naive} ELSE to_utc_timestamp({naive}, '{zone}') END"
    reading = _first_of(plain, others)
    notes = dict(reading.notes)
    if changes_clocks(zone):
        local = f"coalesce({', '.join([naive, *_formatted(text, spelling)])})"
        for note, condition in _clock_notes(local, zone):
            notes[note] = f"NOT {stated} AND {condition}"
    return Reading(reading.value, notes)


def _clock_notes(local: str, zone: str) -> Iterator[tuple[str, str]]:
    """An hour that the clocks skip is read as the hour after; of one that they show twice, the first is meant."""
    instant = f"to_utc_timestamp({local}, '{zone}')"
    yield "skipped_hour", f"from_utc_timestamp({instant}, '{zone}') != {local}"
    yield "repeated_hour", f"from_utc_timestamp({instant} + INTERVAL 1 HOUR, '{zone}') = {local}"


def _formatted(text: str, spelling: Spelling) -> list[str]:
    formats = (*PLAIN_FORMATS, *(name for name in spelling.date_formats if name not in EPOCHS))
    return [f"try_to_timestamp({text}, '{one}')" for one in formats]


def changes_clocks(zone: str) -> bool:
    """Whether a zone's offset from UTC has changed since 2000 or is known to change."""
    place = zoneinfo.ZoneInfo(zone)
    weeks = (datetime(2000, 1, 1, tzinfo=UTC) + timedelta(weeks=number) for number in range(52 * 35))
    return len({week.astimezone(place).utcoffset() for week in weeks}) > 1


def _like(text: str, pattern: str) -> str:
    return f"{text} RLIKE '{_quotable(pattern)}'"


def _escaped(mark: str) -> str:
    return "[.]" if mark == "." else mark


def _quotable(pattern: str) -> str:
    return pattern.replace("\\", "\\\\")

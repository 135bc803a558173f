"""What nights made of a dirty business, compared with the truth about its dirt."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.sample.dirt.kind import FEEDS, Kind, WholeFile
from jobs.sample.dirt.spoil import KINDS
from jobs.storage.night import Night

BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True)
class Damaged:
    """A row of ``truth/dirt.csv``."""

    kind: Kind
    place: str
    line: int | None
    key: tuple[tuple[str, str], ...]  #: column and value
    outcome: str
    rules: frozenset[str]
    reads: str
    meant: str

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.place}:{self.line}" if self.line else f"{self.place} {self.key}"


def read_truth(sample: Path, until: date) -> list[Damaged]:
    """The damaged rows that a night of ``until`` has seen."""
    with (sample / "truth" / "dirt.csv").open(encoding="utf-8") as file:
        found = [
            Damaged(
                BY_NAME[row["kind"]],
                row["place"],
                int(row["line"]) if row["line"] else None,
                tuple(tuple(part.split("=", 1)) for part in row["key"].split()),  # type: ignore[misc]  # two parts each
                row["outcome"],
                frozenset(row["rules"].split()),
                row["reads"],
                row["meant"],
            )
            for row in csv.DictReader(file)
        ]
    return [one for one in found if not (one.place.endswith(".csv") and _period(one.place) > str(until))]


def _period(file: str) -> str:
    return file.rpartition("_")[2].removesuffix(".csv")


@dataclass(frozen=True)
class Rejected:
    """A row in quarantine."""

    table: str
    feed: str
    file: str
    row: int
    landed: str  #: the night that took it in; empty for what could not be split into columns
    rules: frozenset[str]


@dataclass(frozen=True)
class Evidence:
    """What nights left behind; the last one's tables hold what all of them took in."""

    nights: Sequence[Night]

    @property
    def last(self) -> Night:
        """The newest night."""
        return self.nights[-1]

    @cached_property
    def rejected(self) -> set[Rejected]:
        """Every row in quarantine; one that several nights set aside is one for each."""
        return {
            one for night in self.nights for table in night.tables("quarantine") for one in _rejected_of(night, table)
        }

    def raw(self, feed: str, names: Iterable[str]) -> dict[tuple[str, str, int], dict[str, str]]:
        """(night, file, row) -> the named columns of a feed's raw rows."""
        where = ("_landed", "_file", "_row")
        rows = _read(self.last.parts("raw", feed), [*names, *where])
        return {tuple(row[name] for name in where): row for row in rows.to_pylist()}  # type: ignore[misc]  # three each

    def clean(self, table: str, column: str, source: str, values: set[str]) -> dict[str, list[dict[str, Any]]]:
        """Value of the column -> the rows of a clean table that hold it."""
        rows = _read(self.last.parts("clean", table), None)
        chosen = rows.filter(pc.is_in(rows[column], pa.array(sorted(values), pa.string())))
        found = defaultdict(list)
        for row in chosen.to_pylist():
            if row.get("source", source) == source:
                found[row[column]].append(row)
        return found

    def noted(self, reads: str) -> set[str]:
        """Ids of the orders of which ``table.column`` was read in another spelling."""
        rows = _read(self.last.parts("clean", reads.partition(".")[0]), ["order_id", "_notes"]).to_pylist()
        return {row["order_id"] for row in rows if _note_on(reads) in _notes_of(row)}

    @cached_property
    def persons(self) -> dict[str, str]:
        """CRM id -> customer."""
        rows = _read(self.last.parts("published", "restricted/customer_crosswalk"), None).to_pylist()
        return {row["source_customer_id"]: row["customer_id"] for row in rows if row["source"] == "crm"}

    def duplicates(self, feed: str) -> int:
        """Rows of a feed that were dropped because another one says the same, over all nights."""
        name = f"{feed} {FEEDS[feed].tables[-1][0]}"
        return sum(night.records()["conservation"].get(name, {}).get("duplicate", 0) for night in self.nights)

    def reported(self, rule: str) -> int:
        """Rows that a rule reported, over all nights."""
        steps = [night.records() for night in self.nights]
        verdicts = [one for step in steps for gate in ("gate_raw", "gate_clean") for one in step[gate]["verdicts"]]
        return sum(one["rows_failed"] for one in verdicts if one["rule_id"] == rule and one["action"] == "reported")

    @cached_property
    def files(self) -> dict[str, set[str]]:
        """Receipt file -> what nights made of it."""
        found = defaultdict(set)
        for night in self.nights:
            for entry in night.records()["extract.pos"]["pos.receipts"]["files"]:
                found[entry["name"]].add(entry["status"])
        return found


def _note_on(reads: str) -> str:
    """The note of a column that was read in another spelling."""
    return f"{reads.partition('.')[2]}.reformatted"


def _notes_of(row: dict[str, Any]) -> list[str]:
    return row["_notes"].split(",") if row["_notes"] else []


def _read(parts: Sequence[Path], columns: list[str] | None) -> pa.Table:
    return pa.concat_tables((pq.ParquetFile(part).read(columns) for part in parts), promote_options="permissive")


def _rejected_of(night: Night, table: str) -> Iterator[Rejected]:
    for part in night.parts("quarantine", table):
        for row in pq.ParquetFile(part).read().to_pylist():
            if table.startswith("unparsable."):
                rules, feed, landed = [row["reason"]], table.removeprefix("unparsable."), ""
            else:
                rules, feed, landed = row["_failed"], row["_feed"], str(row["_landed"])
            yield Rejected(table, feed, row["_file"], row["_row"], landed, frozenset(rules))


@dataclass
class Figure:
    """How well a kind of dirt was told from what is clean.

    ``precision``: of the rows set aside (reported, dropped) by the kind's rules, the share that truth says is damaged
    by a kind that has them; None where no row was, or no rule is expected. ``recall``: of the damaged rows, the share
    that became exactly what they should; by wrong or further rules is not right.
    """

    kind: Kind
    rows: int = 0
    right: int = 0
    precision: float | None = None
    instead: Counter[str] = field(default_factory=Counter)  #: what became of the other rows

    @property
    def recall(self) -> float:
        """See the class."""
        return self.right / self.rows

    @property
    def is_perfect(self) -> bool:
        """All rows and nothing else."""
        return self.right == self.rows and self.precision in (None, 1.0)


class Measured:
    """The figures of all kinds.

    Args:
        truth: the damaged rows.
        evidence: what the nights left behind.
    """

    def __init__(self, truth: Sequence[Damaged], evidence: Evidence) -> None:
        self.evidence = evidence
        self._truth = truth
        self.damage_of = dict(self._matched())
        self.strays = sorted(
            (one for one in evidence.rejected if one not in self.damage_of), key=lambda one: (one.table, one.row)
        )
        self._failed: dict[Damaged, set[str]] = defaultdict(set)
        for one, damaged in self.damage_of.items():
            self._failed[damaged] |= one.rules
        self.figures = self._figures()

    def _matched(self) -> Iterator[tuple[Rejected, Damaged]]:
        """Rejected rows and the damage to the row of the source that they come from."""
        by_feed = defaultdict(list)
        for one in self.evidence.rejected:
            by_feed[one.feed].append(one)
        lines = {(one.place, one.line): one for one in self._truth if one.line}
        for one in by_feed.pop("pos.receipts", []):
            if (one.file, one.row) in lines:
                yield one, lines[one.file, one.row]
        for feed, rows in by_feed.items():
            known = {one.key: one for one in self._truth if one.kind.feed == feed}
            keys = {tuple(name for name, _ in key) for key in known}
            raw = self.evidence.raw(feed, {name for names in keys for name in names})
            for one in rows:
                said = raw[one.landed, one.file, one.row]
                for names in keys:
                    if damaged := known.get(tuple((name, said[name]) for name in names)):
                        yield one, damaged

    def _figures(self) -> list[Figure]:
        figures = {kind.name: Figure(kind) for kind in KINDS}
        for damaged, became in self._became():
            figure = figures[damaged.kind.name]
            figure.rows += 1
            if became == damaged.outcome:
                figure.right += 1
            else:
                figure.instead[became] += 1
        for figure in figures.values():
            figure.precision = self._precision(figure)
        return [figure for figure in figures.values() if figure.rows]

    def _precision(self, figure: Figure) -> float | None:
        wanted = frozenset(figure.kind.expected.rules)
        if figure.kind.expected.outcome == "reported":
            told = sum(wanted == frozenset(one.kind.expected.rules) for one in self._truth)
            return _share(told, sum(map(self.evidence.reported, wanted)))
        if figure.kind.expected.outcome == "repaired":
            return self._precision_of_repairs(figure.kind.expected.reads or "")
        if figure.kind.expected.outcome == "duplicate":
            return self._precision_of_duplicates(figure.kind)
        rows = [one for one in self.evidence.rejected if one.rules & wanted]
        right = sum(one in self.damage_of and one.rules & wanted <= _rules_of(self.damage_of[one].kind) for one in rows)
        return _share(right, len(rows))

    def _precision_of_duplicates(self, kind: Kind) -> float | None:
        """Of all that was dropped in the kind's feed as said before, the share that truth says was."""
        twins = [one for one in self._truth if one.outcome == "duplicate" and one.kind.feed == kind.feed]
        if isinstance(kind.damage, WholeFile):
            seen = [name for name, statuses in self.evidence.files.items() if statuses == {"seen"}]
            return _share(len({one.place for one in twins if not one.key} & set(seen)), len(seen))
        return _share(sum(bool(one.key) for one in twins), self.evidence.duplicates(kind.feed))

    def _precision_of_repairs(self, reads: str) -> float | None:
        """Of the rows with a note on a column, the share that truth says was written in another spelling."""
        noted = self.evidence.noted(reads)
        twins = {one.key[0][1] for one in self._truth if one.outcome == "repaired" and one.reads == reads}
        return _share(len(noted & twins), len(noted))

    def _became(self) -> Iterator[tuple[Damaged, str]]:
        """Every damaged row, and what became of it: the outcome that was expected, or what was found instead."""
        present = self._present()
        for one in self._truth:
            if failed := self._failed.get(one):
                is_right = failed == one.rules and one.outcome in ("quarantined", "held")
                yield one, one.outcome if is_right else " ".join(sorted(failed))
            elif not one.key:
                yield one, one.outcome if self.evidence.files[one.place] == {"seen"} else "taken twice"
            else:
                yield one, self._of_present(one, present[one])

    def _present(self) -> dict[Damaged, dict[str, list[dict[str, Any]]]]:
        """Damaged row -> clean table -> its rows."""
        found: dict[Damaged, dict[str, list[dict[str, Any]]]] = {one: {} for one in self._truth}
        for feed, known in FEEDS.items():
            rows = [one for one in self._truth if one.kind.feed == feed and one.key and not one.kind.key]
            for table, column in known.tables:
                values = {one.key[0][1] for one in rows}
                by_key = self.evidence.clean(table, column, feed.partition(".")[0], values)
                for one in rows:
                    found[one][table] = by_key.get(one.key[0][1], [])
        return found

    def _of_present(self, one: Damaged, tables: dict[str, list[dict[str, Any]]]) -> str:
        """What became of a row that nothing set aside."""
        heads, *_ = tables.values()
        if not all(tables.values()) or len(heads) > 1:
            return "there twice" if len(heads) > 1 else "lost"
        if one.reads and not self._reads(one, tables):
            return "kept with another value"
        if one.outcome == "linked":
            first, second = (self.evidence.persons.get(known) for known in (one.meant, one.key[0][1]))
            return "linked" if first is not None and first == second else "kept as another person"
        notes = {note for rows in tables.values() for row in rows for note in _notes_of(row)}
        if one.outcome == "repaired":
            return "repaired" if _note_on(one.reads) in notes else "read without a note"
        if notes:
            return "kept with a note"
        if one.outcome == "reported":
            return "reported" if sum(map(self.evidence.reported, one.rules)) else "kept, not reported"
        return one.outcome if one.outcome in ("harmless", "duplicate") else "kept"

    @staticmethod
    def _reads(one: Damaged, tables: dict[str, list[dict[str, Any]]]) -> bool:
        table, _, column = one.reads.partition(".")
        value = tables[table][0][column]
        if isinstance(value, Decimal):
            return value == Decimal(one.meant)
        if isinstance(value, datetime):
            return value == datetime.fromisoformat(one.meant)
        return str(value) == one.meant


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _rules_of(kind: Kind) -> frozenset[str]:
    """The rules that a kind has, those of today included where it does not become what it should."""
    return frozenset((*kind.expected.rules, *(kind.gap.rules if kind.gap else ())))

"""What people decided of who is who, from a reviewed file; it wins over everything else."""

from __future__ import annotations

import csv
import hashlib
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import UsageError
from jobs.linking.resolve import DECISIONS
from jobs.steps.context import Context
from jobs.storage.parquet import read_arrow, write_arrow

#: columns of the file; two records, by source and the source's own id
COLUMNS = ("decision", "source_a", "id_a", "source_b", "id_b", "decided_by", "decided_on")
_DECISIONS = ("link", "never_link")
#: identity/decisions: one row per decision, the records by their keyed hashes
KEPT = pa.schema(
    [("left_hash", pa.string()), ("right_hash", pa.string()), ("is_link", pa.bool_()), ("decided_by", pa.string())]
)


def fill(context: Context, database: duckdb.DuckDBPyConnection, records: pa.Table) -> int:
    """Make ``decisions`` (see :data:`DECISIONS`) and ``reconsidered``: records of a decision that is new or no more.

    Returns:
        how many decisions name a record that nobody knows.

    Raises:
        UsageError: the file is missing, lacks a column, or a line of it decides nothing.
    """
    path = context.settings.identity.decisions
    rows = [] if path is None else read(path)
    keys = zip(records["source"].to_pylist(), records["source_customer_id"].to_pylist(), strict=True)
    place = {key: n for n, key in enumerate(keys)} if rows else {}
    known = []
    for row in rows:
        ends = sorted(place[key] for key in _pair(row) if key in place)
        if len(ends) == 2:
            said = row["decision"] == "link", f"{row['decided_by']} {row['decided_on']}"
            known.append(dict(zip(DECISIONS.names, (*ends, *said), strict=True)))
    table = pa.Table.from_pylist(known, DECISIONS)
    database.register("decisions_in", table)
    database.execute("CREATE TABLE decisions AS SELECT DISTINCT * FROM decisions_in")
    database.unregister("decisions_in")
    _keep(context, database, records, table)
    return len(rows) - len(known)


def _keep(context: Context, database: duckdb.DuckDBPyConnection, records: pa.Table, decided: pa.Table) -> None:
    hashes = records["person_hash"].combine_chunks()
    ends = [hashes.take(decided[name].combine_chunks()) for name in ("l", "r")]
    now = pa.table([*ends, decided["is_link"], decided["decided_by"]], schema=KEPT)
    before = read_arrow(context.night, "identity", "decisions", KEPT)
    write_arrow(now, context.night, "identity", "decisions", sort=["left_hash", "right_hash"])
    keys = [set(zip(*(table[name].to_pylist() for name in KEPT.names[:3]), strict=True)) for table in (before, now)]
    touched = sorted({one for left, right, _ in keys[0] ^ keys[1] for one in (left, right)})
    places = pc.index_in(pa.array(touched, pa.string()), hashes).drop_null().cast(pa.int64())
    database.register("reconsidered_in", pa.table({"n": places}))
    database.execute("CREATE TABLE reconsidered AS FROM reconsidered_in")
    database.unregister("reconsidered_in")


def content(path: Path | None) -> str | None:
    """Hash of the file, if there is one."""
    return None if path is None or not path.is_file() else hashlib.sha256(path.read_bytes()).hexdigest()


def read(path: Path) -> list[dict[str, str]]:
    """The decisions of a file, one per line.

    Raises:
        UsageError: see :func:`fill`.
    """
    edit = f"edit {path}: {', '.join(COLUMNS)}"
    if not path.is_file():
        raise UsageError(f"no file of decisions at {path}", next_command="set identity.decisions in regulars.toml")
    rows: dict[int, dict[str, str]] = {}
    line = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            for row in reader:
                line = reader.line_num
                rows[line] = {name: (row.get(name) or "").strip() for name in COLUMNS}
                if problem := None if lacking else _problem(rows[line], has_more=None in row):
                    raise UsageError(f"{path} line {line}: {problem}", next_command=edit)
    except (UnicodeDecodeError, csv.Error) as error:
        where = "" if isinstance(error, UnicodeDecodeError) else f" behind line {line}"
        raise UsageError(f"{path} is no CSV in UTF-8{where}: {type(error).__name__}", next_command=edit) from error
    if lacking:
        raise UsageError(f"{path} lacks the column {', '.join(lacking)}", next_command=edit)
    pairs: dict[frozenset[tuple[str, str]], tuple[int, str]] = {}
    for line, row in rows.items():
        first, said = pairs.setdefault(_pair(row), (line, row["decision"]))
        if said != row["decision"]:
            raise UsageError(f"{path} line {line} decides the opposite of line {first}", next_command=edit)
    return list(rows.values())


def _problem(row: dict[str, str], *, has_more: bool) -> str | None:
    """Why a line decides nothing; None if it does."""
    if has_more:
        return "more values than columns"
    if empty := [name for name in COLUMNS if not row[name]]:
        return f"nothing in {', '.join(empty)}"
    if row["decision"] not in _DECISIONS:
        return f"decision is none of {', '.join(_DECISIONS)}"
    try:
        date.fromisoformat(row["decided_on"])
    except ValueError:
        return "decided_on is no date; dates are YYYY-MM-DD"
    return "a record is one person's with itself" if len(_pair(row)) == 1 else None


def _pair(row: dict[str, str]) -> frozenset[tuple[str, str]]:
    """The two records of a decision, in no order."""
    return frozenset({(row["source_a"], row["id_a"]), (row["source_b"], row["id_b"])})

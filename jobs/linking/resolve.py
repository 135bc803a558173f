"""Who is who tonight: what is known of records and their links, and what is new, into people with ids that last."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.definitions.identity import IDENTIFIERS, LINKED_BY, MERGED, SPLIT, UNUSABLE
from jobs.linking import comparables, sql
from jobs.linking.model import Linkage
from jobs.linking.people import Edges, Ids, Ints, components, cut, give_ids

#: one row per record: somebody as one source knows them by an id of its own, and what the night before knew of them
RECORDS = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("source_customer_id", pa.string()),
        pa.field("person_hash", pa.string()),  # keyed hash of the two
        pa.field("first_seen_on", pa.date32()),  # registration or first order, the earlier
        *(pa.field(name, pa.string()) for name in IDENTIFIERS),
        pa.field("content", pa.string()),  # hash of all that it is compared by
        pa.field("known_content", pa.string()),  # the same of the night before, null for a new record
        pa.field("known_customer_id", pa.string()),
        pa.field("known_since", pa.date32()),  # since when it is that person's
    ]
)
#: one row per link: two records (person_hash, the one seen first on the left), and what joined them when
LINKS = pa.schema(
    [
        pa.field("left_hash", pa.string()),
        pa.field("right_hash", pa.string()),
        pa.field("linked_by", pa.string()),
        pa.field("basis", pa.string()),  # hash of the identifier that they shared; who decided
        pa.field("weight", pa.float64()),  # log2 of the odds that the values speak for; null where no model was asked
        pa.field("score", pa.float64()),  # probability of a match by the model; null where none was asked
        pa.field("evidence", pa.string()),  # the comparisons' part in the weight
        pa.field("linked_on", pa.date32()),
        pa.field("model_version", pa.string()),
    ]
)
#: one row per decision of a person: two records by n, and whether they are one person's
DECISIONS = pa.schema([("l", pa.int64()), ("r", pa.int64()), ("is_link", pa.bool_()), ("decided_by", pa.string())])


@dataclass(frozen=True)
class Night:
    """What a night goes by."""

    day: date
    max_sharing: int = 20  #: an identifier on more records than this links nobody
    probability: float = 0.8  #: of a match, at and above which the model's links count
    model: Linkage | None = None
    looks_at_all: bool = False  #: identifiers of all records are compared, not those of fresh ones alone
    asks_all: bool = False  #: the model is new and asked of all records
    former: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))  #: see :func:`give_ids`


@dataclass(frozen=True)
class People:
    """The answer."""

    records: pa.Table  #: source, source_customer_id, person_hash, first_seen_on, IDENTIFIERS, content, customer_id, ...
    links: pa.Table  #: LINKS that stand
    events: pa.Table  #: event, old_customer_id, new_customer_id, cause
    counts: dict[str, int] = field(default_factory=dict)
    crowded: dict[str, dict[str, int]] = field(default_factory=dict)  #: identifier -> values, records dropped
    alarms: dict[str, int] = field(default_factory=dict)  #: what a person may want to look at -> people
    weakest: dict[str, float | str] = field(default_factory=dict)  #: the weakest of tonight's links by the model


_ORDER = [("first_seen_on", "ascending"), ("source", "ascending"), ("source_customer_id", "ascending")]


def in_order(records: pa.Table) -> pa.Table:
    """Records in the order that numbers them: by when they were first seen, then by source and its id."""
    return records.sort_by(_ORDER)


def prepare(database: duckdb.DuckDBPyConnection, records: pa.Table, kept: pa.Table, night: Night) -> None:
    """Make the working tables that :func:`resolve` and the fit of a model go by.

    Args:
        database: holds, by number of record, ``contacts`` (see :data:`comparables.CONTACTS`), ``decisions``
            (:data:`DECISIONS`) and ``reconsidered`` (n, records of decisions that are new or no more); and of
            identifiers (identifier, value) ``busy``, which are a shop's, and ``crowded_before``, which linked nobody
            the night before.
        records: RECORDS as :func:`in_order` has them.
        kept: LINKS of the night before.
        night: what to go by.
    """
    comparables.prepare(database)
    _table(database, "records", records.append_column("n", pa.array(np.arange(records.num_rows))))
    _table(database, "kept_in", kept)
    sql.given(
        database, day=night.day, max_sharing=night.max_sharing, looks_at_all=night.looks_at_all,
        probability=night.probability, unusable=UNUSABLE, linked_by=list(LINKED_BY),
    )  # fmt: skip
    sql.run(database, "rules")
    sql.run(database, "prepare")


def resolve(database: duckdb.DuckDBPyConnection, records: pa.Table, night: Night) -> People:
    """Give every record its person.

    Links of earlier nights are judged by what is known tonight; records that are new or say something else than they
    did are looked up among all others, by identifiers and, with a model, by what the values say. The order of rows
    decides nothing.

    Args:
        database: see :func:`prepare`, which was called.
        records: the same.
        night: the same, with a model if one is asked.
    """
    sql.run(database, "links")
    sql.run(database, "once")
    database.execute("CREATE OR REPLACE TABLE pairs (l BIGINT, r BIGINT)")
    if night.model is not None:
        _ask(database, records.num_rows, night, night.model)
    return _answer(database, records, _grouped(database, records.num_rows), night)


def _ask(database: duckdb.DuckDBPyConnection, count: int, night: Night, model: Linkage) -> None:
    """Add the model's links between records that nothing else joins."""
    _table(database, "groups", _numbered(_grouped(database, count)))
    asked = "records" if night.asks_all else "records WHERE content IS DISTINCT FROM known_content"
    database.execute(f"CREATE OR REPLACE TABLE fresh AS SELECT n FROM {asked} UNION FROM reconsidered")
    model.score(database)
    sql.given(database, model=model.version)
    sql.run(database, "ask")
    sql.run(database, "once")


def _grouped(database: duckdb.DuckDBPyConnection, count: int) -> Ints:
    """The person of each record, by number of its first one."""
    # numbers of records follow from when they were seen, so this order does not depend on that of rows
    found = database.sql(
        "SELECT l, r, linked_by = 'manual' AS is_decided, linked_by = 'probabilistic' AS is_guess FROM links"
        " ORDER BY strength(linked_by), weight DESC NULLS LAST, l, r"
    ).fetchnumpy()
    left, right = (found[name].astype(np.int64) for name in ("l", "r"))
    is_decided, is_guess = (found[name].astype(bool) for name in ("is_decided", "is_guess"))
    edges = Edges(left, right, is_guess)
    groups = components(count, edges)
    _table(database, "groups", _numbered(groups))
    # somebody decided that two are one: then no rule keeps what hangs on the one from what hangs on the other
    side = components(count, Edges(left[~is_decided], right[~is_decided], is_guess[~is_decided]))
    decided = {frozenset(pair) for pair in zip(side[left[is_decided]], side[right[is_decided]], strict=True)}
    apart, doubtful = (
        [pair for pair in sql.rows(database, name).fetchall() if frozenset(side[list(pair)]) not in decided]
        for name in ("apart", "doubts")
    )
    return cut(groups, edges, database.sql("FROM forbidden").fetchall() + apart, doubtful)


def _answer(database: duckdb.DuckDBPyConnection, records: pa.Table, groups: Ints, night: Night) -> People:
    known = records["known_customer_id"].combine_chunks()
    hashes, since = (records[name].combine_chunks() for name in ("person_hash", "known_since"))
    ids = give_ids(hashes, known, since, night.former, groups)
    _table(database, "groups", _numbered(groups))
    _table(database, "ids", pa.table({"n": np.arange(len(groups)), "was": known, "now": ids.customer_id}))
    strongest = sql.rows(database, "strongest").to_arrow_table()
    stays = pc.fill_null(pc.equal(known, ids.customer_id), False)
    since = pc.if_else(stays, since, pa.scalar(night.day, pa.date32()))
    told = {"customer_id": ids.customer_id, "known_since": since, "linked_by": strongest["linked_by"],
            "score": strongest["score"]}  # fmt: skip
    answer = records.drop_columns(["known_content", "known_customer_id", "known_since"])
    for name, column in told.items():
        answer = answer.append_column(name, column)
    return People(
        answer,
        sql.rows(database, "standing").to_arrow_table().cast(LINKS),
        _events(database, ids),
        {**_row(database, "counts"), "merged": len(ids.merged), "split": len(ids.split)},
        _crowded(database),
        _row(database, "alarms"),
        _weakest(database),
    )


def _events(database: duckdb.DuckDBPyConnection, ids: Ids) -> pa.Table:
    """One row per id that ended in another (merged) and per person who came off one (split), with what caused it."""
    rows = [(MERGED, *pair) for pair in ids.merged] + [(SPLIT, *pair) for pair in ids.split]
    columns = [pa.array([row[n] for row in rows], pa.string()) for n in range(3)]
    _table(database, "happened", pa.table(columns, names=["event", "old", "new"]))
    return sql.rows(database, "events").to_arrow_table()


def _crowded(database: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    rows = database.sql("SELECT identifier, count(*), sum(records) FROM crowded GROUP BY 1 ORDER BY 1").fetchall()
    return {name: {"values": int(values), "records": int(records)} for name, values, records in rows}


def _weakest(database: duckdb.DuckDBPyConnection) -> dict[str, float | str]:
    """Weight, score and evidence of the link that the model made tonight with the least confidence, if it made one."""
    rows = database.sql(
        "SELECT weight, score, evidence FROM links WHERE linked_by = 'probabilistic' AND linked_on = getvariable('day')"
        " ORDER BY weight, evidence LIMIT 1"
    ).fetchall()
    return dict(zip(("weight", "score", "evidence"), rows[0], strict=True)) if rows else {}


def _row(database: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    found = sql.rows(database, name)
    (values,) = found.fetchall()
    return {column: int(value) for column, value in zip(found.columns, values, strict=True)}


def _numbered(groups: Ints) -> pa.Table:
    return pa.table({"n": np.arange(len(groups)), "grp": groups})


def _table(database: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    database.register("rows_in", rows)
    database.execute(f"CREATE OR REPLACE TABLE {name} AS FROM rows_in")
    database.unregister("rows_in")

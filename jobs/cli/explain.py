"""``regulars explain``: who a customer is, in which segments and why, and how that came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli import history, output, query
from jobs.cli.app import say
from jobs.errors import ContractError, UsageError
from jobs.inert import text
from jobs.settings import load_settings
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SEGMENTS = """
SELECT coalesce(s.label_en, m.scheme) AS scheme, coalesce(g.label_en, m.segment) AS segment, m.valid_from AS since,
       m.reason, m.rule_version AS rules
FROM segment_memberships AS m LEFT JOIN dim_scheme AS s USING (scheme) LEFT JOIN dim_segment AS g USING (segment_key)
WHERE m.customer_id = ? AND m.is_current ORDER BY m.scheme
"""
_BEFORE = """
SELECT m.valid_from, m.valid_to, coalesce(s.label_en, m.scheme) AS scheme, coalesce(g.label_en, m.segment) AS segment
FROM segment_memberships AS m LEFT JOIN dim_scheme AS s USING (scheme) LEFT JOIN dim_segment AS g USING (segment_key)
WHERE m.customer_id = ? AND NOT m.is_current ORDER BY m.valid_to DESC, m.scheme
"""
#: a record is named by the first digits of its keyed hash, which is source_id_hash of customer_identities
_RECORD = "left(split_part({}, ':', 2), 8)"
_RECORDS = f"""
SELECT source, {_RECORD.format("person_hash")} AS record, first_seen_on AS seen_first, known_since
       AS this_customer_since, replace(linked_by, '_', ' ') AS linked_by, round(score, 4) AS probability
FROM records WHERE known_customer_id = ? ORDER BY first_seen_on, source, record
"""
#: the parts of a weight, with what two records drawn at random begin with: together they come to the weight
EVIDENCE = """printf('two at random %+.1f, ', weight - list_sum(list_transform(string_split(evidence, ', '),
       lambda part: TRY_CAST(split_part(part, ' ', -1) AS DOUBLE)))) || replace(evidence, '_', ' ')"""
_LINKS = f"""
SELECT {_RECORD.format("left_hash")} AS record, {_RECORD.format("right_hash")} AS other,
       replace(k.linked_by, '_', ' ') AS linked_by, linked_on AS since,
       round(weight, 1) AS weight, round(k.score, 4) AS probability, {EVIDENCE} AS evidence
FROM links AS k JOIN records AS l ON l.person_hash = left_hash JOIN records AS r ON r.person_hash = right_hash
WHERE l.known_customer_id = ? AND r.known_customer_id = l.known_customer_id ORDER BY ALL
"""
_LEDGER = """
SELECT occurred_on, event, old_customer_id, new_customer_id, replace(cause, '_', ' ') AS cause
FROM ledger WHERE ? IN (old_customer_id, new_customer_id) ORDER BY ALL
"""
_TAGS = "SELECT tag, strength, basis, reason FROM customer_tags WHERE customer_id = ? ORDER BY strength DESC, tag"
_WATCHED = "SELECT churn_risk_band, reason, frequency_drop FROM churn_watchlist WHERE customer_id = ?"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("explain")(explain)


def explain(
    customer_id: Annotated[str, typer.Argument(help="An id of customer_segments, or a former one.")],
    date_: Annotated[str | None, typer.Option("--date", help="Business date; the newest night without.")] = None,
) -> None:
    """Who this is, why its records are one customer, why each segment, what else is said, what was before.

    Nothing is printed that names or reaches anybody: records go by the first digits of their keyed hash.
    """
    night = _published(Warehouse(load_settings().warehouse), date_)
    database = query.connect(night, restricted=False)
    found = _rows(database, "SELECT * FROM dim_customer WHERE customer_id = ?", customer_id)[1]
    while not found:
        then = _rows(
            database, "SELECT customer_id, event FROM customer_aliases WHERE old_customer_id = ?", customer_id
        )[1]
        if not then:
            raise UsageError(
                f"{text(customer_id)} is no customer of the night of {night.date}",
                next_command="regulars sql 'SELECT customer_id FROM customer_segments LIMIT 10'",
            )
        say(f"{text(customer_id)} was {then[0][1]}: see {then[0][0]}")
        customer_id = then[0][0]
        found = _rows(database, "SELECT * FROM dim_customer WHERE customer_id = ?", customer_id)[1]
    say(f"customer {text(customer_id)} as of {night.date}")
    header, rows = _rows(
        database, "SELECT * EXCLUDE (customer_id) FROM dim_customer WHERE customer_id = ?", customer_id
    )
    known = [(name, value) for name, value in zip(header, rows[0], strict=True) if value is not None]
    output.print_table(("what is known", "value"), known)
    _register_identity(database, night)
    for title, wanted in (
        ("records", _RECORDS), ("links between them", _LINKS), ("what happened to the id", _LEDGER),
        ("segments", _SEGMENTS), ("about to stop", _WATCHED), ("what else is said", _TAGS), ("before", _BEFORE),
    ):  # fmt: skip
        header, rows = _rows(database, wanted, customer_id)
        if rows:
            print()
            output.print_table(header, rows, title=title)


def _register_identity(database: DuckDBPyConnection, night: Night) -> None:
    from jobs.linking.ledger import LEDGER
    from jobs.linking.resolve import LINKS
    from jobs.steps.identity import KEPT
    from jobs.storage.parquet import read_arrow

    for name, schema in (("records", KEPT), ("links", LINKS), ("ledger", LEDGER)):
        database.register(name, read_arrow(night, "identity", name, schema))


def _published(warehouse: Warehouse, asked: str | None) -> Night:
    night = warehouse.current() if asked is None else history.chosen(warehouse, asked)
    if night is None:
        raise ContractError(f"nothing is published in {warehouse.root}", next_command="regulars run --date D")
    if night.is_open:
        raise ContractError(
            f"the night of {night.date} is not published", next_command=f"regulars run --date {night.date}"
        )
    return Night.at(night.path.resolve())


def _rows(database: DuckDBPyConnection, wanted: str, customer_id: str) -> tuple[list[str], list[Any]]:
    found = database.execute(wanted, [customer_id])
    return [column[0] for column in found.description or ()], found.fetchall()

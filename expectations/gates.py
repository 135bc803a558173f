"""The gates of a night: raw, clean, published. Each judges, records its verdicts, and blocks when it must."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from expectations import history
from expectations.accounts import agreeing, conserved, on_time, settled, single
from expectations.arrivals import filled_files, known_columns, not_empty, parsable
from expectations.referee import Referee, load_rules
from expectations.split import Bounds, Earlier, Split, action_of
from expectations.verdict import Verdict
from jobs.definitions import canonical, clean, published
from jobs.definitions.canonical import ACCEPTED
from jobs.definitions.model import Entity, Reference, Table
from jobs.errors import ContractError
from jobs.parallel import side_by_side
from jobs.storage.night import Night
from jobs.storage.parquet import read, read_staged, remove_staged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: entities whose rows are held where they come too late
ON_TIME = ("orders", "order_lines")


@dataclass(frozen=True)
class Gate:
    """What a gate works on.

    Args:
        spark: a session.
        night: the open night.
        base: the night it was started from.
        bounds: when to block.
    """

    spark: SparkSession
    night: Night
    base: Night | None
    bounds: Bounds

    @cached_property
    def past(self) -> list[history.Past]:
        """Earlier nights, newest first, read once."""
        return history.lineage(self.base)

    def arrived(self, landings: history.Landings, may_be_empty: frozenset[str]) -> None:
        """Judge what arrived, before any heavy work.

        Args:
            landings: feed -> what its extraction came to.
            may_be_empty: feeds that may bring nothing.

        A day that is not over may have brought nothing yet, and is not held to what whole days bring.

        Raises:
            ContractError: a feed brought nothing, far more or less than usual, or too many lines that cannot be split
                into columns; unless the settings' policy lets it pass.
        """
        share, rows = self.bounds.max_quarantine_share, self.bounds.min_rows_for_share
        may_be_empty = frozenset(landings) if self.night.is_refresh else may_be_empty
        verdicts = [not_empty(feed, landing, feed in may_be_empty) for feed, landing in sorted(landings.items())]
        verdicts += [parsable(feed, landing, share, rows) for feed, landing in sorted(landings.items())]
        verdicts += [filled_files(feed, landing) for feed, landing in sorted(landings.items()) if landing["files"]]
        if not self.night.is_refresh:
            verdicts += history.volumes(landings, self.past, self.night.date, self.bounds.history)
        verdicts += known_columns(landings, self.past)
        self._block("gate_arrived", [self.bounds.breakers.applied(verdict) for verdict in verdicts])

    def raw(self, conformed: Mapping[str, DataFrame], earlier: Earlier) -> list[Verdict]:
        """Judge rows one by one: good ones go on, the others to quarantine of their night with every failed rule.

        Args:
            conformed: entity -> canonical rows, each computed once, when they are judged.
            earlier: which rows of earlier nights are among them.

        Raises:
            ContractError: too many rows of a table were set aside.
        """
        split = Split(self.spark, self.night, self.base, self.bounds, earlier)
        verdicts: list[Verdict] = []
        aside: dict[str, dict[str, Mapping[str, int]]] = {"quarantined": {}, "repeated": {}}
        measured: dict[str, dict[str, float | None]] = {}
        for entity in canonical.ENTITIES:
            remove_staged(self.night, f"judged/{entity.name}")
        for group in _by_reference(entity for entity in canonical.ENTITIES if entity.name in conformed):
            found = side_by_side(lambda entity: split.judge(entity, conformed[entity.name]), group)
            for entity, (judged, bad, repeated) in zip(group, found, strict=True):
                verdicts += judged
                aside["quarantined"][entity.name], aside["repeated"][entity.name] = bad.by_feed, repeated.by_feed
        if not earlier.is_all and not self.night.is_refresh:
            for name in conformed:
                judged, measured[name] = self._shape(name)
                verdicts += [self.bounds.breakers.applied(verdict) for verdict in judged]
        self._block("gate_raw", verdicts, {**aside, "measures": measured})
        return verdicts

    def _shape(self, name: str) -> tuple[list[Verdict], dict[str, float | None]]:
        """Hold the shares and means of tonight's accepted rows of an entity to those of earlier nights."""
        declared = history.measures(name)
        if not declared:
            return [], {}
        from pyspark.sql import functions as F

        asked = [F.expr(one["sql"]).alias(f"m{place}") for place, one in enumerate(declared)]
        accepted = read_staged(self.spark, self.night, f"judged/{name}").where(ACCEPTED)
        accepted = accepted.where(F.col("_landed") == F.lit(self.night.date))
        row = accepted.agg(F.count("*").alias("rows"), *asked).collect()[0]
        found = [None if row[f"m{place}"] is None else float(row[f"m{place}"]) for place in range(len(declared))]
        values = dict(zip((one["rule_id"] for one in declared), found, strict=True))
        return history.shapes(name, values, row["rows"], self.past, self.night.date, self.bounds.history), values

    def clean(
        self,
        unexplained: Mapping[str, int],
        changes: Mapping[str, Mapping[str, Mapping[str, int]]],
        touched: Mapping[str, list[str]],
        waiting: Mapping[str, int] | None,
        alike: Mapping[str, int] | None,
        agreement: Mapping[str, Mapping[str, int]],
    ) -> list[Verdict]:
        """Judge what tonight put into the clean tables.

        Args:
            unexplained: feed and entity -> rows that neither arrived in a table nor were set aside.
            changes: entity -> feed -> what became of how many of its raw rows.
            touched: entity that changed -> the business dates that did; one that has none is judged whole.
            waiting: how many refunds are ``known``, and rule -> how many wait by it; None without refunds.
            alike: how many of tonight's orders were ``checked``, ``found`` to be near duplicates of others, and
                whether these were ``dropped``; None where no order changed.
            agreement: orders and order lines -> how many tonight told of (``checked``), and of how many one file said
                different things (``found``).

        Raises:
            ContractError: a critical rule failed.
        """
        verdicts = [conserved(name, missing) for name, missing in sorted(unexplained.items())]
        verdicts += [on_time(name, changes[name]) for name in ON_TIME if changes.get(name)]
        verdicts += [settled(rule_id, waiting) for rule_id in clean.REFUND_RULES if waiting is not None]
        verdicts += [single(alike)] if alike is not None else []
        verdicts += [agreeing(name, told) for name, told in agreement.items()]
        changed = [entity for entity in clean.BY_NAME.values() if touched.get(entity.name)]
        found = side_by_side(lambda entity: self._judge_clean(entity, touched[entity.name]), changed)
        verdicts += [verdict for one in found for verdict in one]
        self._block("gate_clean", verdicts)
        return verdicts

    def _judge_clean(self, entity: Entity, days: list[str]) -> list[Verdict]:
        dated = entity.dated is not None
        chosen = f"ds IN ({', '.join(repr(day) for day in days)})" if dated else None
        columns = clean.columns_of(entity)
        rows = read(self.spark, self.night, "clean", entity.name, columns, partitioned=dated, partitions=chosen)
        rules, _ = load_rules("clean", entity.name, self.bounds.parameters)
        verdicts = Referee(rows, f"clean.{entity.name}", rules).judge()
        return [replace(v, action=action_of(v)) if v.severity == "info" else v for v in verdicts]

    def published(self, tables: list[Table]) -> list[Verdict]:
        """Read the published files back and judge them.

        Raises:
            ContractError: a critical rule failed; nothing will be shown.
        """
        verdicts = [one for found in side_by_side(self._judge_published, tables) for one in found]
        self._block("gate_published", verdicts)
        return verdicts

    def _judge_published(self, table: Table) -> list[Verdict]:
        rows = self._published(table)
        for reference in table.references:
            rows = self._with_target(rows, reference)
        rules, _ = load_rules("published", table.name, self.bounds.parameters)
        return [_column_order(self.night, table), *Referee(rows, f"published.{table.name}", rules).judge()]

    def _published(self, table: Table) -> DataFrame:
        return read(self.spark, self.night, "published", published.folder(table), table.columns)

    def _with_target(self, rows: DataFrame, reference: Reference) -> DataFrame:
        from pyspark.sql import functions as F

        target = self._published(published.BY_NAME[reference.table])
        keys = target.select(F.col(reference.target).alias(reference.column)).distinct().withColumn("_hit", F.lit(True))
        known = F.col("_hit").isNotNull() | F.col(reference.column).isNull()
        return rows.join(keys, reference.column, "left").withColumn(f"_known_{reference.column}", known).drop("_hit")

    def _block(self, gate: str, verdicts: list[Verdict], facts: Mapping[str, Any] | None = None) -> None:
        """Record the verdicts; stop the night if a critical rule failed."""
        final = [replace(v, action="blocked") if _is_unanswered(v) else v for v in verdicts]
        self.night.record(gate, {"verdicts": [v.to_dict() for v in final], **(facts or {})})
        failed = [v for v in final if v.action == "blocked"]
        if failed:
            said = "; ".join(f"{v.table_name} {v.rule_id}: {v.rule}" for v in failed[:5])
            more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
            silent = [v.table_name.split(".")[1] for v in failed if v.rule_id.endswith(".not_empty")]
            mend = f"regulars check-source {silent[0]}" if silent else "regulars quarantine show"
            raise ContractError(f"{gate} blocks the night: {said}{more}", next_command=mend)


def _by_reference(entities: Iterable[Entity]) -> list[list[Entity]]:
    """Entities in groups: what one refers to is in an earlier group, and the members of a group can go side by side."""
    groups: list[list[Entity]] = []
    place: dict[str, int] = {}
    for entity in entities:  # in their declared order, in which what is referred to comes first
        at = max((place.get(reference.table, -1) + 1 for reference in entity.references), default=0)
        place[entity.name] = at
        groups += [[] for _ in range(at + 1 - len(groups))]
        groups[at].append(entity)
    return groups


def _is_unanswered(verdict: Verdict) -> bool:
    """A critical rule failed, and nobody is asked or has said that it may."""
    return verdict.severity == "critical" and not verdict.is_passed and verdict.action not in ("asked", "approved")


def _column_order(night: Night, table: Table) -> Verdict:
    """The columns in the files, by name, order and type, against the declaration."""
    import pyarrow.parquet as pq

    from jobs.storage.schemas import arrow_schema

    wanted = [(field.name, field.type) for field in arrow_schema(table.columns)]
    parts = night.parts("published", published.folder(table))
    wrong = [part for part in parts if [(f.name, f.type) for f in pq.read_schema(part)] != wanted]
    good = bool(parts) and not wrong
    return Verdict(
        f"published.{table.name}", f"{table.name}.schema", "The files have the declared columns, in order, typed.",
        "critical", len(parts), len(wrong), good, "none" if good else "blocked",
    )  # fmt: skip

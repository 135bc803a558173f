"""The gates of a night: raw, clean, published. Each judges, records its verdicts, and blocks when it must."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from expectations import history
from expectations.arrivals import Landings, known_columns, not_empty, parsable
from expectations.breakers import Breakers
from expectations.referee import Referee, Verdict, load_rules
from jobs.definitions import canonical, clean, published
from jobs.definitions.model import Entity, Reference, Table
from jobs.errors import ContractError
from jobs.parallel import side_by_side
from jobs.storage.aside import set_aside
from jobs.storage.night import Night
from jobs.storage.parquet import has_staged, read, read_staged, remove_staged, write_staged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: entities whose rows are held where they come too late
ON_TIME = ("orders", "order_lines")
ACCEPTED, REJECTED = "size(_failed) = 0", "size(_failed) > 0"


@dataclass(frozen=True)
class Bounds:
    """What the settings say about when a gate blocks."""

    max_quarantine_share: float
    min_rows_for_share: int
    parameters: Mapping[str, Any]  #: values for placeholders in rules
    tolerated: frozenset[str]  #: references whose unknown values are inferred instead of set aside
    breakers: Breakers
    history: history.Judgement


@dataclass(frozen=True)
class Earlier:
    """Which rows of earlier nights are judged beside tonight's: none, those of a replay, or all."""

    is_all: bool = False
    is_replay: bool = False
    #: entity -> feeds whose earlier rows are judged, where any are
    feeds: Mapping[str, Collection[str]] = field(default_factory=dict)
    #: entity -> keys all of whose rows are among those judged
    keys: Mapping[str, DataFrame] = field(default_factory=dict)


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

    def arrived(self, landings: Landings, may_be_empty: frozenset[str]) -> None:
        """Judge what arrived, before any heavy work.

        Args:
            landings: feed -> what its extraction came to.
            may_be_empty: feeds that may bring nothing.

        Raises:
            ContractError: a feed brought nothing, far more or less than usual, or too many lines that cannot be split
                into columns; unless the settings' policy lets it pass.
        """
        share, rows = self.bounds.max_quarantine_share, self.bounds.min_rows_for_share
        verdicts = [not_empty(feed, landing, feed in may_be_empty) for feed, landing in sorted(landings.items())]
        verdicts += [parsable(feed, landing, share, rows) for feed, landing in sorted(landings.items())]
        verdicts += history.volumes(landings, self.base, self.night.date, self.bounds.history)
        verdicts += known_columns(landings, self.base)
        self._block("gate_arrived", [self.bounds.breakers.applied(verdict) for verdict in verdicts])

    def raw(self, conformed: Mapping[str, DataFrame], earlier: Earlier) -> list[Verdict]:
        """Judge rows one by one: good ones go on, the others to quarantine of their night with every failed rule.

        Args:
            conformed: entity -> canonical rows, each computed once, when they are judged.
            earlier: which rows of earlier nights are among them.

        Raises:
            ContractError: too many rows of a table were set aside.
        """
        verdicts: list[Verdict] = []
        quarantined: dict[str, dict[str, int]] = {}
        measured: dict[str, dict[str, float | None]] = {}
        for entity in canonical.ENTITIES:
            remove_staged(self.night, f"judged/{entity.name}")
        for group in _by_reference(entity for entity in canonical.ENTITIES if entity.name in conformed):
            found = side_by_side(lambda entity: self._split(entity, conformed[entity.name], earlier), group)
            verdicts += [verdict for judged, _ in found for verdict in judged]
            quarantined |= {entity.name: aside for entity, (_, aside) in zip(group, found, strict=True)}
        if not earlier.is_all:
            for name in conformed:
                judged, measured[name] = self._shape(name)
                verdicts += [self.bounds.breakers.applied(verdict) for verdict in judged]
        self._block("gate_raw", verdicts, {"quarantined": quarantined, "measures": measured})
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
        return history.shapes(name, values, row["rows"], self.base, self.night.date, self.bounds.history), values

    def _split(self, entity: Entity, conformed: DataFrame, earlier: Earlier) -> tuple[list[Verdict], dict[str, int]]:
        """Judge an entity's conformed rows and write good and bad ones in one pass."""
        from pyspark.sql import functions as F

        rules, derived = load_rules("conformed", entity.name, self.bounds.parameters)
        references = [r for r in entity.references if f"{entity.name}.{r.column}" not in self.bounds.tolerated]
        tolerated = {f"{entity.name}.{r.column}.resolves" for r in entity.references} - {
            f"{entity.name}.{r.column}.resolves" for r in references
        }
        rules = [rule for rule in rules if rule["meta"]["rule_id"] not in tolerated]
        # two plain passes are faster than one whose expressions grow beyond what Spark compiles
        write_staged(conformed, self.night, f"conformed/{entity.name}")
        conformed = read_staged(self.spark, self.night, f"conformed/{entity.name}")
        helpers = [F.expr(sql).alias(name) for name, sql in derived.items()]
        rows = self._with_known(conformed.select("*", *helpers), entity, references, earlier)
        aside = {r["meta"]["rule_id"] for r in rules if r["severity"] != "info"}
        write_staged(with_reasons(rows, rules), self.night, f"judged/{entity.name}")
        written = read_staged(self.spark, self.night, f"judged/{entity.name}")
        verdicts = [
            replace(v, action=_row_action(v)) for v in Referee(written, f"conformed.{entity.name}", rules).judge()
        ]
        flags = canonical.flags(entity)
        any_failed = any(v.rows_failed and v.rule_id in aside for v in verdicts)
        kept = [name for name in conformed.columns if name not in flags]
        counts, bad_rows = self._set_aside(entity, kept, any_failed, earlier)
        total = max((v.rows_checked for v in verdicts), default=0)
        if earlier.is_replay:  # the share is tonight's: what failed before and fails again stops nothing
            total = written.where(F.col("_landed") == F.lit(self.night.date)).count()
        verdicts += self._noted(entity, verdicts)
        return [*verdicts, self.bounds.breakers.applied(self._share(entity, verdicts, total, bad_rows))], counts

    def _noted(self, entity: Entity, verdicts: list[Verdict]) -> list[Verdict]:
        """What was noted in reading rows, one verdict per column and note; asked only if anything was."""
        plain = next(v for v in verdicts if v.rule_id == f"{entity.name}.plain")
        if plain.is_passed:
            return []
        from pyspark.sql import functions as F

        written = read_staged(self.spark, self.night, f"judged/{entity.name}")
        notes = written.select(F.explode(F.split(canonical.NOTES.name, ",")).alias("note"))
        counted = {row["note"]: row["count"] for row in notes.groupBy("note").count().collect()}
        return [_note_verdict(entity.name, note, plain.rows_checked, count) for note, count in sorted(counted.items())]

    def _with_known(self, rows: DataFrame, entity: Entity, references: list[Reference], earlier: Earlier) -> DataFrame:
        """Add ``_known_<column>`` for every reference: it is empty, or names an accepted or already known row."""
        from pyspark.sql import functions as F

        for reference in references:
            target = canonical.BY_NAME[reference.table]
            on = ["source", reference.column] if "source" in target.key else [reference.column]
            keys = self._accepted_keys(target, reference, earlier).withColumn("_hit", F.lit(True))
            renamed = F.broadcast(keys.withColumnRenamed(reference.target, reference.column))
            known = F.col("_hit").isNotNull() | F.col(reference.column).isNull()
            rows = rows.join(renamed, on, "left").withColumn(f"_known_{reference.column}", known).drop("_hit")
        return rows

    def _accepted_keys(self, target: Entity, reference: Reference, earlier: Earlier) -> DataFrame:
        names = ["source", reference.target] if "source" in target.key else [reference.target]
        columns = clean.columns_of(target)
        keys = self.spark.createDataFrame([], ", ".join(f"{name} STRING" for name in names))
        if self.base is not None and not earlier.is_all:
            keys = read(self.spark, self.base, "clean", target.name, columns).select(*names)
            if target.name in earlier.keys:
                keys = keys.join(earlier.keys[target.name], names, "left_anti")
        if has_staged(self.night, f"judged/{target.name}"):
            tonight = read_staged(self.spark, self.night, f"judged/{target.name}")
            keys = keys.union(tonight.where(ACCEPTED).select(*names))
        return keys.distinct()

    def _set_aside(
        self, entity: Entity, columns: list[str], any_failed: bool, earlier: Earlier
    ) -> tuple[dict[str, int], int]:
        """Put the rejected rows into quarantine, in the place of what their nights had there.

        Returns:
            raw rows set aside by feed, and judged rows set aside that count for the share.
        """
        from pyspark.sql import functions as F

        rejected = read_staged(self.spark, self.night, f"judged/{entity.name}").where(REJECTED)
        sums = F.sum("_copies").alias("n"), F.count("*").alias("judged")
        rows = rejected.groupBy("_feed", "_landed").agg(*sums).collect() if any_failed else []
        marked = rejected.select(*columns, "_failed") if rows else None
        set_aside(self.spark, self.night, self.base, entity.name, marked, earlier.feeds.get(entity.name))
        counts: dict[str, int] = {}
        for row in rows:
            counts[row["_feed"]] = counts.get(row["_feed"], 0) + row["n"]
        return counts, sum(r["judged"] for r in rows if not earlier.is_replay or r["_landed"] == self.night.date)

    def _share(self, entity: Entity, verdicts: list[Verdict], total: int, bad: int) -> Verdict:
        """The critical rule that not too much of a table was set aside."""
        too_many = total >= self.bounds.min_rows_for_share and bad > total * self.bounds.max_quarantine_share
        worst = max(verdicts, key=lambda v: v.rows_failed, default=None)
        most = f"; most failed {worst.rule_id}" if too_many and worst else ""
        return Verdict(
            f"conformed.{entity.name}",
            f"{entity.name}.quarantine_share",
            f"At most {self.bounds.max_quarantine_share:.0%} of the rows are set aside{most}.",
            "critical",
            total,
            bad,
            not too_many,
            "blocked" if too_many else "none",
        )

    def clean(
        self,
        unexplained: Mapping[str, int],
        changes: Mapping[str, Mapping[str, Mapping[str, int]]],
        touched: Mapping[str, list[str]],
        waiting: Mapping[str, int] | None,
    ) -> list[Verdict]:
        """Judge what tonight put into the clean tables.

        Args:
            unexplained: feed and entity -> rows that neither arrived in a table nor were set aside.
            changes: entity -> feed -> what became of how many of its raw rows.
            touched: entity that changed -> the business dates that did; one that has none is judged whole.
            waiting: how many refunds are ``known``, and rule -> how many wait by it; None without refunds.

        Raises:
            ContractError: a critical rule failed.
        """
        verdicts = [_conserved(name, missing) for name, missing in sorted(unexplained.items())]
        verdicts += [_on_time(name, changes[name]) for name in ON_TIME if changes.get(name)]
        verdicts += [_settled(rule_id, waiting) for rule_id in clean.REFUND_RULES if waiting is not None]
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
        return [replace(v, action=_row_action(v)) if v.severity == "info" else v for v in verdicts]

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


def with_reasons(rows: DataFrame, rules: Sequence[Mapping[str, Any]]) -> DataFrame:
    """Rows with ``_failed``, the ids of the rules that each fails, those that are for information left out.

    The conditions are Great Expectations' own, and they follow from the columns alone: no row is read for them, and
    none ever reaches the driver.
    """
    from pyspark.sql import functions as F

    aside = {rule["meta"]["rule_id"] for rule in rules if rule["severity"] != "info"}
    conditions = Referee(rows.limit(0), "rows", rules).row_conditions()
    reasons = [F.when(bad, F.lit(rule_id)) for rule_id, bad in conditions.items() if rule_id in aside]
    return rows.withColumn("_failed", F.array_compact(F.array(*reasons)))


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


def _row_action(verdict: Verdict) -> str:
    if verdict.is_passed:
        return "none"
    return {"info": "reported", "warning": "quarantined", "critical": "blocked"}[verdict.severity]


def _note_verdict(table: str, note: str, checked: int, rows: int) -> Verdict:
    column, _, kind = note.partition(".")
    sentence = f"{column} {canonical.NOTE_MEANINGS[kind]}."
    return Verdict(f"conformed.{table}", f"{table}.{note}", sentence, "info", checked, rows, False, "repaired")


def _is_unanswered(verdict: Verdict) -> bool:
    """A critical rule failed, and nobody is asked or has said that it may."""
    return verdict.severity == "critical" and not verdict.is_passed and verdict.action not in ("asked", "approved")


def _conserved(name: str, missing: int) -> Verdict:
    return Verdict(
        f"clean.{name.rsplit(' ', 1)[-1]}", f"{name.replace(' ', '.')}.conserved",
        "Every row that was read is in the table, was there, is a duplicate, or is set aside.",
        "critical", 1, abs(missing), missing == 0, "none" if missing == 0 else "blocked",
    )  # fmt: skip


def _on_time(entity: str, changes: Mapping[str, Mapping[str, int]]) -> Verdict:
    """Late rows are not bad ones: they are held until somebody lets them in."""
    held = sum(of_feed.get("held", 0) for of_feed in changes.values())
    return Verdict(
        f"clean.{entity}", f"{entity}.business_date.late_horizon",
        "An order arrives within the late horizon; a later one is held until somebody lets it in.",
        "warning", sum(sum(of_feed.values()) for of_feed in changes.values()), held, held == 0,
        "held" if held else "none",
    )  # fmt: skip


def _settled(rule_id: str, waiting: Mapping[str, int]) -> Verdict:
    """Refunds that wait as of tonight, whenever they came: what they paid back is in no figure yet."""
    failed = waiting.get(rule_id, 0)
    return Verdict(
        "clean.refunds", rule_id, clean.REFUND_RULES[rule_id], "warning", waiting["known"], failed, failed == 0,
        "held" if failed else "none", owner="finance",
    )  # fmt: skip


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

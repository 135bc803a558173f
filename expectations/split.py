"""The row-level split: an entity's rows judged by the suites' own conditions, good and bad told apart in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from expectations import history
from expectations.breakers import Breakers
from expectations.referee import Referee, load_rules
from expectations.repeats import FIRST_LANDED, with_first_landed
from expectations.verdict import Verdict
from jobs.definitions import canonical, clean
from jobs.definitions.canonical import ACCEPTED, REJECTED
from jobs.definitions.model import Entity, Reference
from jobs.storage.aside import kept, set_aside
from jobs.storage.night import Night
from jobs.storage.parquet import has_staged, read, read_staged, write_staged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession


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
class Aside:
    """How many rows of an entity were set aside."""

    by_feed: Mapping[str, int] = field(default_factory=dict)  #: feed -> raw rows
    judged: int = 0  #: judged rows that count for the share
    by_rule: Mapping[str, int] = field(default_factory=dict)  #: rule -> judged rows


@dataclass(frozen=True)
class Split:
    """What the rows of a night are judged with."""

    spark: SparkSession
    night: Night
    base: Night | None
    bounds: Bounds
    earlier: Earlier

    def judge(self, entity: Entity, conformed: DataFrame) -> tuple[list[Verdict], Aside, Aside]:
        """Judge an entity's conformed rows and write good and bad ones in one pass.

        Returns:
            verdicts, what was set aside, and what of it an earlier night has set aside already.
        """
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
        rows = with_helpers(self._with_known(conformed, entity, references), derived)
        aside = {r["meta"]["rule_id"] for r in rules if r["severity"] != "info"}
        write_staged(with_reasons(rows, rules).drop(*derived), self.night, f"judged/{entity.name}")
        written = with_helpers(read_staged(self.spark, self.night, f"judged/{entity.name}"), derived)
        verdicts = Referee(written, f"conformed.{entity.name}", rules).judge()
        flags = canonical.flags(entity)
        any_failed = any(v.rows_failed and v.rule_id in aside for v in verdicts)
        columns = [name for name in conformed.columns if name not in flags]
        bad, repeated = self._set_aside(entity, columns) if any_failed else self._nothing_aside(entity)
        again = {rule_id: repeated.by_rule.get(rule_id, 0) for rule_id in aside}
        verdicts = [replace(v, action=action_of(v), rows_repeated=again.get(v.rule_id)) for v in verdicts]
        total = max((v.rows_checked for v in verdicts), default=0)
        if self.earlier.is_replay:  # the share is tonight's: what failed before and fails again stops nothing
            total = written.where(F.col("_landed") == F.lit(self.night.date)).count()
        verdicts += self._noted(entity, verdicts)
        share = self.bounds.breakers.applied(self._share(entity, verdicts, total, bad.judged, repeated.judged))
        return [*verdicts, share], bad, repeated

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

    def _with_known(self, rows: DataFrame, entity: Entity, references: list[Reference]) -> DataFrame:
        """Add ``_known_<column>`` for every reference: it is empty, or names an accepted or already known row."""
        from pyspark.sql import functions as F

        for reference in references:
            target = canonical.BY_NAME[reference.table]
            on = ["source", reference.column] if "source" in target.key else [reference.column]
            keys = self._accepted_keys(target, reference).withColumn("_hit", F.lit(True))
            renamed = keys.withColumnRenamed(reference.target, reference.column)
            # facts grow without end; what has no dates is small enough to be everywhere
            renamed = renamed if target.dated else F.broadcast(renamed)
            known = F.col("_hit").isNotNull() | F.col(reference.column).isNull()
            rows = rows.join(renamed, on, "left").withColumn(f"_known_{reference.column}", known).drop("_hit")
        return rows

    def _accepted_keys(self, target: Entity, reference: Reference) -> DataFrame:
        names = ["source", reference.target] if "source" in target.key else [reference.target]
        columns = clean.columns_of(target)
        keys = self.spark.createDataFrame([], ", ".join(f"{name} STRING" for name in names))
        if self.base is not None and not self.earlier.is_all:
            keys = read(self.spark, self.base, "clean", target.name, columns).select(*names)
            if target.name in clean.LEFT_OUT:  # a near duplicate is an order too: its lines belong to something
                left_out = read(self.spark, self.base, "clean", clean.LEFT_OUT[target.name], columns)
                keys = keys.union(left_out.select(*names))
            if target.name in self.earlier.keys:
                keys = keys.join(self.earlier.keys[target.name], names, "left_anti")
        if has_staged(self.night, f"judged/{target.name}"):
            tonight = read_staged(self.spark, self.night, f"judged/{target.name}")
            keys = keys.union(tonight.where(ACCEPTED).select(*names))
        return keys.distinct()

    def _set_aside(self, entity: Entity, columns: list[str]) -> tuple[Aside, Aside]:
        """Put the rejected rows into quarantine, in the place of what their nights had there.

        Returns:
            what was set aside, and what of it an earlier night has set aside already.
        """
        judged_again = self.earlier.feeds.get(entity.name)
        rejected = read_staged(self.spark, self.night, f"judged/{entity.name}").where(REJECTED)
        before = kept(self.spark, self.base, entity.name, judged_again)
        marked = with_first_landed(rejected.select(*columns, "_failed"), before, entity)
        write_staged(marked, self.night, f"aside/{entity.name}")
        rows = read_staged(self.spark, self.night, f"aside/{entity.name}")
        set_aside(self.spark, self.night, self.base, entity.name, rows, judged_again)
        tally = self._tally(rows)
        return self._counted(tally), self._counted([one for one in tally if one["is_repeated"]])

    def _nothing_aside(self, entity: Entity) -> tuple[Aside, Aside]:
        set_aside(self.spark, self.night, self.base, entity.name, None, self.earlier.feeds.get(entity.name))
        return Aside(), Aside()

    def _tally(self, rows: DataFrame) -> list[Row]:
        """Rows set aside by feed and rules; by whether tonight took them in, and an earlier night set them aside."""
        from pyspark.sql import functions as F

        tonight = F.lit(self.night.date)
        by = (
            "_feed", F.concat_ws(",", "_failed").alias("rules"), (F.col("_landed") == tonight).alias("is_tonight"),
            (F.col(FIRST_LANDED) < tonight).alias("is_repeated"),
        )  # fmt: skip
        return rows.groupBy(*by).agg(F.sum("_copies").alias("raw"), F.count("*").alias("judged")).collect()

    def _counted(self, tally: Sequence[Row]) -> Aside:
        """A tally summed up; in a replay the share is of tonight's rows alone."""
        by_feed, by_rule = Counter[str](), Counter[str]()
        for one in tally:
            by_feed[one["_feed"]] += one["raw"]
            by_rule.update(dict.fromkeys(one["rules"].split(","), one["judged"]))
        counting = [one for one in tally if one["is_tonight"] or not self.earlier.is_replay]
        return Aside(by_feed, sum(one["judged"] for one in counting), by_rule)

    def _share(self, entity: Entity, verdicts: list[Verdict], total: int, bad: int, repeated: int) -> Verdict:
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
            rows_repeated=repeated,
        )


def with_helpers(rows: DataFrame, derived: Mapping[str, str]) -> DataFrame:
    """Rows with the columns that a suite derives for its rules: name -> SQL."""
    from pyspark.sql import functions as F

    return rows.select("*", *(F.expr(sql).alias(name) for name, sql in derived.items()))


def with_reasons(rows: DataFrame, rules: Sequence[Mapping[str, Any]]) -> DataFrame:
    """Rows with ``_failed``: the ids of the rules that each fails, those for information left out; null if none.

    The conditions are Great Expectations' own, and they follow from the columns alone: no row is read for them, and
    none ever reaches the driver.
    """
    from pyspark.sql import functions as F

    aside = {rule["meta"]["rule_id"] for rule in rules if rule["severity"] != "info"}
    conditions = Referee(rows.limit(0), "rows", rules).row_conditions()
    bad = {rule_id: condition for rule_id, condition in conditions.items() if rule_id in aside}
    reasons = F.array_compact(F.array(*(F.when(condition, F.lit(rule_id)) for rule_id, condition in bad.items())))
    # most rows fail nothing: no array is made for these
    return rows.withColumn("_failed", F.when(reduce(or_, bad.values(), F.lit(False)), reasons))


def action_of(verdict: Verdict) -> str:
    """What follows from a verdict on rows."""
    if verdict.is_passed:
        return "none"
    return {"info": "reported", "warning": "quarantined", "critical": "blocked"}[verdict.severity]


def _note_verdict(table: str, note: str, checked: int, rows: int) -> Verdict:
    column, _, kind = note.partition(".")
    sentence = f"{column} {canonical.NOTE_MEANINGS[kind]}."
    return Verdict(f"conformed.{table}", f"{table}.{note}", sentence, "info", checked, rows, False, "repaired")

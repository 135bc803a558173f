"""What is far out, and what stands where a source says nothing: fitted once per table, then frozen.

Fitted on the first rows that a table ever takes in and kept with the night, so that a row comes out the same whichever
night it is computed in. Nothing is cut: a row that is far out is flagged, an imputed one says by which rule.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.canonical import NOTES
from jobs.definitions.clean import FAR_OUT, IS_IMPUTED, IS_OUTLIER
from jobs.definitions.model import Column, Entity
from jobs.models.order_statistics import place_of, values_at

CONSTANT = "constant:"
#: Tukey's outer fence: this many times the middle half's width beyond its upper end (Exploratory Data Analysis, 1977)
OUTER = 3
#: on the logarithmic scale; a column whose middle half is all one value still has a fence
_LEAST_WIDTH = math.log(2)


@dataclass(frozen=True)
class Filling:
    """What stands in a column where a source says nothing."""

    rule: str  #: mean, median, mode, or constant
    value: str | None  #: as text; None where the first rows held no value to go by


@dataclass(frozen=True)
class CleaningFit:
    """The frozen fit of one table."""

    version: str
    fences: dict[str, str] = field(default_factory=dict)  #: column -> above it a value is far out, decimal text
    fillings: dict[str, Filling] = field(default_factory=dict)  #: column -> what stands in it

    def to_json(self) -> str:
        """The model file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> CleaningFit:
        """Read a model file."""
        content = json.loads(text)
        fillings = {name: Filling(**one) for name, one in content["fillings"].items()}
        return cls(content["version"], content["fences"], fillings)


def fit(rows: DataFrame, entity: Entity, rules: Mapping[str, str], version: str) -> CleaningFit:
    """Fit fences and fillings.

    Args:
        rows: the first accepted rows of the table, not empty.
        entity: whose they are.
        rules: column -> mean, median, mode or ``constant:VALUE``.
        version: name of the fit.
    """
    fences = {name: one for name in FAR_OUT.get(entity.name, ()) if (one := _fence(rows, name)) is not None}
    columns = {column.name: column for column in entity.clean_columns}
    fillings = {name: _filling(rows, columns[name], rule) for name, rule in sorted(rules.items())}
    return CleaningFit(version, fences, fillings)


def _fence(rows: DataFrame, column: str) -> str | None:
    given = rows.where(F.col(column).isNotNull())
    count = given.count()
    if not count:
        return None
    low, high = place_of(count, 1, 4), place_of(count, 3, 4)
    values = values_at(given, column, (low, high))
    return fence(values[low], values[high])


def fence(first_quartile: Decimal, third_quartile: Decimal) -> str:
    """Tukey's outer upper fence of the logarithm of one plus an amount, to cents."""
    first, third = (math.log1p(float(value)) for value in (first_quartile, third_quartile))
    high = math.expm1(third + OUTER * max(third - first, _LEAST_WIDTH))
    return str(Decimal(high).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _filling(rows: DataFrame, column: Column, rule: str) -> Filling:
    if rule.startswith(CONSTANT):
        return Filling("constant", rule.removeprefix(CONSTANT))
    given = rows.where(F.col(column.name).isNotNull())
    count = given.count()
    if not count:
        return Filling(rule, None)
    if rule == "mode":
        often = given.groupBy(column.name).count().orderBy(F.col("count").desc(), column.name).limit(1)
        return Filling(rule, _text(often.collect()[0][column.name]))
    value = _mean(given, column.name) if rule == "mean" else _median(given, column.name, count)
    return Filling(rule, str(_as(column, value)))


def _mean(given: DataFrame, column: str) -> Decimal:
    total = given.agg(F.sum(F.col(column).cast("decimal(28,4)")).alias("sum"), F.count("*").alias("n")).collect()[0]
    return Decimal(total["sum"]) / int(total["n"])


def _median(given: DataFrame, column: str, count: int) -> Decimal:
    """The middle value, or the mean of the middle two."""
    places = ((count + 1) // 2, count // 2 + 1)
    values = values_at(given, column, places)
    return (Decimal(values[places[0]]) + Decimal(values[places[1]])) / 2


def _as(column: Column, value: Decimal) -> Decimal:
    digits = {"DECIMAL(18,2)": "0.01", "DECIMAL(18,4)": "0.0001"}.get(column.type, "1")
    return value.quantize(Decimal(digits), ROUND_HALF_UP)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def applied(rows: DataFrame, entity: Entity, fit: CleaningFit) -> DataFrame:
    """Rows with empty values filled, noted and flagged ``is_imputed``; ``is_outlier`` where the table has fences."""
    types = {column.name: column.type for column in entity.clean_columns}
    filled = {name: one for name, one in fit.fillings.items() if one.value is not None}
    notes = [F.when(F.col(name).isNull(), F.lit(f"{name}.imputed_{one.rule}")) for name, one in filled.items()]
    empty = [F.col(name).isNull() for name in filled]
    said = F.nullif(F.concat_ws(",", NOTES.name, *notes), F.lit("")) if notes else F.col(NOTES.name)
    values = {
        name: F.coalesce(name, F.lit(one.value).cast(types[name])) for name, one in filled.items()
    }  # all of them over the row as it came
    flags = {IS_IMPUTED.name: _any(empty), NOTES.name: said}
    if entity.name in FAR_OUT:
        far = [
            F.coalesce(F.col(name) > F.lit(high).cast(types[name]), F.lit(False)) for name, high in fit.fences.items()
        ]
        flags[IS_OUTLIER.name] = _any(far)
    return rows.withColumns(values | flags)


def _any(conditions: list[Any]) -> Any:
    found = F.lit(False)
    for condition in conditions:
        found = found | condition
    return found

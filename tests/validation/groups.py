"""What segments and predictions are worth on a generated chain, of which truth and later nights are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from jobs.definitions.segments.fitted import DIMENSIONS
from jobs.models.churn import miscalibration
from jobs.models.space import column
from jobs.models.stability import adjusted_rand_index
from jobs.storage.warehouse import Warehouse
from tests.support import Site, business
from tests.validation.cdnow import area

#: business dates before the last one as of which something is foretold
EARLIER, LATER = 90, 30
_SEED = 7


@dataclass(frozen=True)
class Shown:
    """The published tables of three nights, and the truth."""

    database: duckdb.DuckDBPyConnection
    size: str

    def rows(self, sql: str) -> pa.Table:
        """The answer to a question."""
        return self.database.sql(sql).to_arrow_table()

    def one(self, sql: str) -> dict[str, Any]:
        """The only row of an answer."""
        (row,) = self.rows(sql).to_pylist()
        return row


def shown(root: Path, customers: int, days: int, seed: int, engine: str) -> Shown:
    """Generate a chain and run the nights."""
    with business(root / "business", customers=customers, days=days, seed=seed) as chain:
        # a past night sees the CRM of today, campaigns to come among it
        more = {"REGULARS_ENGINE": engine, "REGULARS_THRESHOLDS__MAX_QUARANTINE_SHARE": "1"}
        site = Site(chain, root / "warehouse", more)
        last = chain.nights[-1]
        for ago in (EARLIER, LATER, 0):
            site.night(last - timedelta(days=ago))
    database = opened(root, last)
    _tell_truth(database, root, last)
    return Shown(database, f"{customers} customers x {days} days, seed {seed}")


def opened(root: Path, last: date) -> duckdb.DuckDBPyConnection:
    """A database over what the nights published, and what was foretold."""
    warehouse, database = Warehouse(root / "warehouse"), duckdb.connect()
    for name, ago in (("earlier", EARLIER), ("later", LATER), ("now", 0)):
        night = warehouse.latest(last - timedelta(days=ago))
        assert night is not None
        database.execute(f"CREATE SCHEMA {name}")
        for table in ("customer_segments", "customer_features", "customer_value", "customer_days"):
            part = night.path / "published" / table / "*.parquet"
            database.execute(f"CREATE VIEW {name}.{table} AS FROM read_parquet('{part}')")
    _foretold(database, last)
    return database


def _tell_truth(database: duckdb.DuckDBPyConnection, root: Path, last: date) -> None:
    """Archetype of each customer, of whom generator and crosswalk tell it: one row per customer."""
    night = Warehouse(root / "warehouse").latest(last)
    assert night is not None
    crosswalk = night.path / "published" / "restricted" / "customer_crosswalk" / "*.parquet"
    truth = f"read_csv('{root}/business/truth/{{}}.csv', all_varchar = true)"
    database.execute(
        "CREATE TABLE truth AS SELECT customer_id, min(archetype) AS archetype, min(churned_on)::DATE AS churned_on"
        f" FROM {truth.format('people')} JOIN {truth.format('records')} AS records USING (person_id)"
        f" JOIN read_parquet('{crosswalk}') AS crosswalk ON kind = 'customer' AND source_customer_id = record_id"
        " AND crosswalk.source = records.source WHERE valid_to = DATE '9999-12-31' GROUP BY customer_id"
    )


def _foretold(database: duckdb.DuckDBPyConnection, last: date) -> None:
    """What was said of each customer who could still stop, and what came: one row per customer."""
    database.execute(
        "CREATE TABLE foretold AS SELECT f.customer_id, recency_days, orders_365d,"
        " churn_risk_band = 'high' AS is_warned, churn_risk_band IN ('high', 'middle') AS is_watched,"
        " churn_probability_90d, expected_orders_90d,"
        " next_order_expected_on, coalesce(came, 0) AS came, came IS NULL AS has_stopped, next"
        " FROM earlier.customer_features AS f JOIN earlier.customer_segments USING (customer_id)"
        " JOIN earlier.customer_value USING (customer_id) LEFT JOIN"
        f" (SELECT customer_id, sum(orders) AS came, min(business_date) AS next FROM now.customer_days"
        f"  WHERE business_date > DATE '{last - timedelta(days=EARLIER)}' GROUP BY customer_id)"
        " USING (customer_id)"
        " WHERE orders_365d > 0 AND recency_days <= 180"
    )


def section(root: Path, engine: str, customers: int, days: int, seed: int) -> Iterator[str]:
    """Lines of the page."""
    found = shown(root, customers, days, seed, engine)
    yield from ("## Segments and predictions: a generated chain", "")
    yield f"{found.size}; nights {EARLIER} days before the last, {LATER} days before it, and the last. What was"
    yield "said on the earlier ones is held against what the last one knows."
    yield from ("", "| figure | beside | here |", "|---|---|---|")
    for row in (*_groups(found), *predictions(found)):
        yield line(*row)


Row = tuple[str, str, float | str]


def line(name: str, beside: str, value: float | str) -> str:
    """A line of a table of figures."""
    return f"| {name} | {beside} | {value if isinstance(value, str) else f'{value:.4f}'} |"


def predictions(found: Shown) -> Iterator[Row]:
    """Figures of who was said to stop, to order, and to be where."""
    yield from _churn(found)
    yield from _orders(found)
    yield from _stages(found)


def _groups(found: Shown) -> Iterator[Row]:
    names = ", ".join(f"f.{one.feature}" for one in DIMENSIONS)
    rows = found.rows(
        f"SELECT archetype, persona, behaviour_cluster, som_cluster, purchase_topic, {names}"
        " FROM now.customer_segments AS s JOIN now.customer_features AS f USING (customer_id)"
        " JOIN truth USING (customer_id)"
        " WHERE f.orders_365d >= 3 AND f.tenure_days >= 180 AND f.recency_days <= 180 ORDER BY customer_id"
    )
    labels = {name: np.unique(rows[name].to_pylist(), return_inverse=True)[1] for name in rows.column_names[:5]}
    truth = labels.pop("archetype")
    learned = adjusted_rand_index(truth, _learned(rows, truth))
    yield "customers known for 180 days, seen in the last 180, with three orders or more", "", str(len(truth))
    yield "their archetype: adjusted Rand index of gradient boosting, labelled", "at most 0.97", learned
    for name, labelled in labels.items():
        yield (
            f"their archetype: adjusted Rand index of `{name}`",
            f"{learned:.4f} (boosting)",
            adjusted_rand_index(truth, labelled),
        )


def _learned(rows: pa.Table, truth: np.ndarray) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import cross_val_predict

    features = np.column_stack([column(rows, one.feature) for one in DIMENSIONS])
    return np.asarray(cross_val_predict(HistGradientBoostingClassifier(random_state=_SEED), features, truth, cv=5))


def _churn(found: Shown) -> Iterator[Row]:
    rows = found.rows("FROM foretold ORDER BY customer_id")
    stopped = column(rows, "has_stopped") > 0
    warned, watched = column(rows, "is_warned") > 0, column(rows, "is_watched") > 0
    recency = column(rows, "recency_days")
    yield (
        "customers who could still stop, and the share who did not come in 90 days",
        "",
        f"{len(rows)}, {stopped.mean():.4f}",
    )
    for name, said in (("high", warned), ("high or middle", watched)):
        plain = recency >= np.sort(recency)[::-1][max(int(said.sum()) - 1, 0)]
        yield (
            f"warned ({name}): of them stopped (precision)", f"{stopped[plain].mean():.4f} (as many, longest unseen)",
            float(stopped[said].mean()),
        )  # fmt: skip
        yield (
            f"warned ({name}): of those who stopped (recall)", f"{plain[stopped].mean():.4f} (as many, longest unseen)",
            float(said[stopped].mean()),
        )  # fmt: skip
    probability = np.nan_to_num(column(rows, "churn_probability_90d"), nan=0.5)
    yield (
        "stops in 90 days: area under the curve, churn_probability_90d",
        f"{area(recency[stopped], recency[~stopped]):.4f} (days since the last order)",
        area(probability[stopped], probability[~stopped]),
    )  # fmt: skip
    yield (
        "churn_probability_90d: largest difference from what came, in fifths",
        "0",
        miscalibration(probability, stopped),
    )


def _orders(found: Shown) -> Iterator[Row]:
    said = found.one(
        "SELECT sum(expected_orders_90d) / sum(came) AS total, avg(abs(expected_orders_90d - came)) AS error,"
        " avg(abs(orders_365d * 90 / 365 - came)) AS plain FROM foretold"
    )
    yield "expected_orders_90d: over those that came, all customers", "1", said["total"]
    yield "expected_orders_90d: mean absolute error", f"{said['plain']:.4f} (as in the last 365 days)", said["error"]
    days = found.one(
        "SELECT median(abs(next - next_order_expected_on)) AS off, count(*) AS n FROM foretold"
        " WHERE next IS NOT NULL AND next_order_expected_on IS NOT NULL"
    )
    yield (
        "next_order_expected_on: median days off, of those who came",
        "",
        f"{days['off']:.1f} of {days['n']} customers",
    )


def _stages(found: Shown) -> Iterator[Row]:
    said = found.one(
        "SELECT avg((b.predicted_lifecycle_30d = n.lifecycle_stage)::INT) AS right,"
        " avg((b.lifecycle_stage = n.lifecycle_stage)::INT) AS stays FROM later.customer_segments AS b"
        " JOIN now.customer_segments AS n USING (customer_id)"
        " WHERE b.lifecycle_stage NOT IN ('prospect', 'no_profiling_consent', 'lost')"
    )
    yield "predicted_lifecycle_30d: right 30 days later", f"{said['stays']:.4f} (all stay as they are)", said["right"]

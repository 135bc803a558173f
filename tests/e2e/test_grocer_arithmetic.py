"""The example grocer's published features and RFM segments, recomputed from its source files in SQL.

The SQL beside this file is written from ``contract.md`` and ``definitions.md``, and shares no line with the pipeline.
``REGULARS_TEST_GROCER`` may name a folder with ``business/`` and ``warehouse/`` of a run made before.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import holidays
import pyarrow as pa
import pytest

from jobs import engine
from jobs.definitions.features import FEATURES
from jobs.settings import EngineOptions

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NIGHTS = [date(2017, 12, day) for day in (28, 29, 30, 31)]
SALES = Decimal("4596039.58")

PUBLISHED = (
    "customer_features", "customer_segments", "customer_days", "dim_customer", "store_demand", "store_best_sellers",
    "store_segment_mix", "segment_profiles", "segment_memberships", "segment_trend", "dim_segment", "dim_scheme",
    "customer_tags", "churn_watchlist", "customer_value",
)  # fmt: skip
SCORES = ["recency_score", "frequency_score", "monetary_score", "rfm_segment", "rfm8_segment"]


# ------------------------------------------------------------------------------------------------------------ the run


@contextmanager
def online_api(database: Path, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The business's API, at the address given back."""
    port_file = folder / "port"
    command = [sys.executable, "-m", "jobs.sample.server", "--database", str(database), "--port", "0"]
    with subprocess.Popen([*command, "--port-file", str(port_file)], cwd=ROOT, env=environment) as server:
        try:
            until = time.monotonic() + 30
            while not (port_file.exists() and port_file.read_text().strip()):
                assert server.poll() is None and time.monotonic() < until, "the online API did not start"
                time.sleep(0.1)
            yield f"127.0.0.1:{port_file.read_text().strip()}"
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def grocer_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``business/`` and a ``warehouse/`` whose current night is 2017-12-31."""
    made_before = os.environ.get("REGULARS_TEST_GROCER")
    if made_before:
        return Path(made_before)
    folder = tmp_path_factory.mktemp("grocer_arithmetic")
    business = folder / "business"
    kept = {name: value for name, value in os.environ.items() if name[:9] != "REGULARS_" or name == "REGULARS_ENGINE"}
    environment = {
        **kept,
        "REGULARS_CONFIG": str(ROOT / "jobs/sample/grocer.toml"),
        "REGULARS_SAMPLE": str(business),
        "REGULARS_WAREHOUSE": str(folder / "warehouse"),
        "REGULARS_KEY_K1": "a key for a test of arithmetic, long enough",
        "ONLINE_API_TOKEN": "a token for a test",
    }
    layout = [sys.executable, "-m", "jobs.sample", "grocer", "--out", str(business)]
    subprocess.run(layout, cwd=ROOT, check=True, timeout=120, stdout=subprocess.DEVNULL)
    with (
        online_api(business / "online.sqlite", folder, environment) as address,
        engine.running(kept.get("REGULARS_ENGINE", "local[*]"), EngineOptions(), folder / "engine.log") as url,
    ):
        environment |= {"ONLINE_API_HOST": address, "REGULARS_ENGINE": url}
        for night in NIGHTS:
            command = [str(Path(sys.executable).with_name("regulars")), "run", "--date", night.isoformat()]
            ran = subprocess.run(command, cwd=folder, env=environment, timeout=1800, capture_output=True, text=True)
            assert ran.returncode == 0, f"{night}: {ran.stdout[-2000:]}\n{ran.stderr[-4000:]}"
    return folder


# ------------------------------------------------------------------------------------------- the independent arithmetic


def table_of(database: Path, statement: str) -> pa.Table:
    with closing(sqlite3.connect(database)) as connection:
        cursor = connection.execute(statement)
        names = [column[0] for column in cursor.description]
        columns = list(zip(*cursor.fetchall(), strict=True))
    return pa.table({name: pa.array(values) for name, values in zip(names, columns, strict=True)})


def read_sources(business: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions = false")
    for table in ("members", "products", "stores", "feedback"):
        connection.register(table, table_of(business / "crm.sqlite", f"SELECT * FROM {table}"))
    for table in ("accounts", "orders"):
        name = "accounts_json" if table == "accounts" else "online_json"
        connection.register(name, table_of(business / "online.sqlite", f"SELECT document FROM {table}"))
    days = sorted(holidays.country_holidays("US", years=[2016, 2017]))
    connection.register("holiday_dates", pa.table({"business_date": pa.array(days, pa.date32())}))
    connection.execute("SET VARIABLE pos_files = ?", [f"{business}/pos/receipts_*.csv*"])
    connection.execute((HERE / "grocer_arithmetic_sources.sql").read_text())
    return connection


def compute(business: Path) -> duckdb.DuckDBPyConnection:
    """Schemas ``fitted`` (the first night) and ``tonight`` (the last), and ``main.score``."""
    connection = read_sources(business)
    for schema, night in (("fitted", NIGHTS[0]), ("tonight", NIGHTS[-1])):
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"SET search_path = '{schema},main'")
        connection.execute("SET VARIABLE snapshot_date = ?", [night])
        connection.execute((HERE / "grocer_arithmetic.sql").read_text())
    connection.execute("SET search_path = 'main'")
    connection.execute((HERE / "grocer_arithmetic_scores.sql").read_text())
    return connection


def one(connection: duckdb.DuckDBPyConnection, statement: str) -> tuple[object, ...]:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return tuple(row)


@pytest.fixture(scope="module")
def compared(grocer_warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The arithmetic, the published tables as ``published_*``, and ``customer`` (person, customer_id)."""
    snapshot = (grocer_warehouse / "warehouse" / "published" / "current").resolve()
    with compute(grocer_warehouse / "business") as connection:
        for table in PUBLISHED:
            connection.execute(
                f"CREATE VIEW published_{table} AS SELECT * FROM read_parquet('{snapshot}/{table}/*.parquet')"
            )
        connection.execute(
            "CREATE TABLE crosswalk AS SELECT source, source_customer_id, customer_id FROM"
            f" read_parquet('{snapshot}/restricted/customer_crosswalk/*.parquet') WHERE valid_to = DATE '9999-12-31'"
        )
        connection.execute(
            "CREATE TABLE customer AS SELECT person, min(customer_id) AS customer_id"
            " FROM tonight.record LEFT JOIN crosswalk USING (source, source_customer_id) GROUP BY person"
        )
        yield connection


# -------------------------------------------------------------------------------------------------- the sources alone


def test_the_arithmetic_reads_the_whole_business(compared: duckdb.DuckDBPyConnection) -> None:
    (sales,) = one(compared, "SELECT amount(sum(gross - discount - coupon_discount)) FROM sold_line")
    assert sales == SALES
    baskets = "SELECT count(*), count(DISTINCT order_id) FROM tonight.purchase"
    assert one(compared, baskets) == (155848, 155848), "all of them are known on the last night"


def test_each_account_leads_to_one_member_at_most(compared: duckdb.DuckDBPyConnection) -> None:
    for schema in ("fitted", "tonight"):
        assert one(compared, f"SELECT count(*) FROM {schema}.account_link WHERE members > 1") == (0,)
    accounts = "SELECT account_id, unnest([email, phone]) AS contact FROM account"
    shared = f"SELECT contact FROM ({accounts}) WHERE contact IS NOT NULL GROUP BY contact HAVING count(*) > 1"
    assert one(compared, f"SELECT count(*) FROM ({shared})") == (0,), "accounts are linked to each other"
    assert one(
        compared, "SELECT count(*) FROM sold_line ANTI JOIN member USING (card_number) WHERE card_number IS NOT NULL"
    ) == (0,), "cards of nobody"


def test_members_that_changed_on_a_later_night_are_unknown_before(compared: duckdb.DuckDBPyConnection) -> None:
    known = "SELECT count(*) FROM {}.record WHERE source = 'crm'"
    (on_the_first,), (on_the_last,) = (one(compared, known.format(night)) for night in ("fitted", "tonight"))
    assert on_the_last == 2395
    assert isinstance(on_the_first, int) and 2395 - 60 < on_the_first < 2395


# -------------------------------------------------------------------------------------------------- what is published


def test_records_are_joined_into_the_same_people(compared: duckdb.DuckDBPyConnection) -> None:
    both = "(SELECT person, customer_id FROM tonight.record FULL JOIN crosswalk USING (source, source_customer_id))"
    lonely = f"SELECT count(*) FROM {both} WHERE person IS NULL OR customer_id IS NULL"
    split = f"SELECT count(*) FROM (SELECT person FROM {both} GROUP BY person HAVING count(DISTINCT customer_id) > 1)"
    merged = (
        f"SELECT count(*) FROM (SELECT customer_id FROM {both} GROUP BY customer_id HAVING count(DISTINCT person) > 1)"
    )
    assert [one(compared, each) for each in (lonely, split, merged)] == [(0,)] * 3, (
        "records alone, people split, merged"
    )


def test_features_are_of_those_who_allow_profiling(compared: duckdb.DuckDBPyConnection) -> None:
    expected = "(SELECT customer_id FROM tonight.feature JOIN customer USING (person))"
    missing = f"SELECT count(*) FROM {expected} ANTI JOIN published_customer_features USING (customer_id)"
    added = f"SELECT count(*) FROM published_customer_features ANTI JOIN {expected} USING (customer_id)"
    rows = "SELECT count(*) - count(DISTINCT customer_id) FROM published_customer_features"
    nights = "SELECT count(*) FROM published_customer_features WHERE snapshot_date <> DATE '2017-12-31'"
    assert [one(compared, each) for each in (missing, added, rows, nights)] == [(0,)] * 4


@pytest.mark.parametrize("column", [feature.name for feature in FEATURES])
def test_feature(compared: duckdb.DuckDBPyConnection, column: str) -> None:
    differing, both = one(
        compared,
        f"SELECT count(*) FILTER (WHERE feature.{column} IS DISTINCT FROM published.{column}), count(*)"
        " FROM tonight.feature JOIN customer USING (person)"
        " JOIN published_customer_features AS published USING (customer_id)",
    )
    assert both, "nobody to compare"
    assert differing == 0, f"{column}: {differing} of {both} customers differ"


def test_segments_have_one_row_per_known_person(compared: duckdb.DuckDBPyConnection) -> None:
    for table in ("published_customer_segments", "published_dim_customer"):
        missing = f"SELECT count(*) FROM customer ANTI JOIN {table} USING (customer_id)"
        added = f"SELECT count(*) FROM {table} ANTI JOIN customer USING (customer_id)"
        rows = f"SELECT count(*) - (SELECT count(*) FROM tonight.person) FROM {table}"
        assert [one(compared, each) for each in (missing, added, rows)] == [(0,)] * 3, table


@pytest.mark.parametrize("column", SCORES)
def test_score(compared: duckdb.DuckDBPyConnection, column: str) -> None:
    differing, both = one(
        compared,
        f"SELECT count(*) FILTER (WHERE score.{column} IS DISTINCT FROM published.{column}), count(*)"
        " FROM score JOIN customer USING (person)"
        " JOIN published_customer_segments AS published USING (customer_id)",
    )
    assert both, "nobody to compare"
    assert differing == 0, f"{column}: {differing} of {both} customers differ"


def test_customer_days_hold_all_sales_but_guests_and_the_unprofiled(compared: duckdb.DuckDBPyConnection) -> None:
    everything, guests, unprofiled = one(
        compared,
        "SELECT sum(net)::BIGINT, sum(net) FILTER (WHERE person IS NULL)::BIGINT,"
        " sum(net) FILTER (WHERE NOT may_profile)::BIGINT"
        " FROM tonight.purchase LEFT JOIN tonight.person USING (person)",
    )
    assert isinstance(everything, int) and isinstance(guests, int) and isinstance(unprofiled, int)
    (published,) = one(compared, "SELECT sum(net_revenue) FROM published_customer_days")
    assert published == Decimal(everything - guests - unprofiled) / 100


def test_customer_days_are_the_purchases_of_each_customer(compared: duckdb.DuckDBPyConnection) -> None:
    expected = (
        "SELECT customer_id, business_date, store_id, channel, fulfilment, daypart, count(*)::BIGINT AS orders,"
        " amount(sum(net)) AS net_revenue, sum(lines)::BIGINT AS lines"
        " FROM tonight.purchase JOIN tonight.person USING (person) JOIN customer USING (person)"
        " WHERE may_profile GROUP BY ALL"
    )
    published = (
        "SELECT customer_id, business_date, store_id, channel, fulfilment, daypart, orders::BIGINT, net_revenue,"
        " lines::BIGINT FROM published_customer_days"
    )
    for first, second in ((expected, published), (published, expected)):
        assert one(compared, f"SELECT count(*) FROM ({first} EXCEPT ALL {second})") == (0,)


# ------------------------------------------------------------------------------------------------- stores and segments

RECENT = "(SELECT * FROM tonight.purchase WHERE tonight.days(0, 89, business_date))"
CELL = "store_id, day_type, daypart"


def equal(connection: duckdb.DuckDBPyConnection, expected: str, published: str) -> bool:
    sides = ((expected, published), (published, expected))
    return all(one(connection, f"SELECT count(*) FROM ({a} EXCEPT ALL {b})") == (0,) for a, b in sides)


def test_demand_of_stores(compared: duckdb.DuckDBPyConnection) -> None:
    hourly = f"SELECT {CELL}, hour, count(*) AS n, sum(net) AS net FROM {RECENT} GROUP BY ALL"
    expected = (
        f"SELECT {CELL}, sum(n)::BIGINT AS orders, amount(sum(net)) AS net,"
        f" list(hour ORDER BY n DESC, hour)[1]::INT AS peak FROM ({hourly}) GROUP BY ALL"
    )
    published = f"SELECT {CELL}, orders_90d, net_revenue_90d, peak_hour FROM published_store_demand"
    assert one(compared, f"SELECT count(*) > 100 FROM ({expected})") == (True,)
    assert equal(compared, expected, published)


def test_best_sellers_of_stores(compared: duckdb.DuckDBPyConnection) -> None:
    line = "SELECT source, order_id, product_id, net FROM tonight.line"
    sold = (
        f"SELECT {CELL}, product_id, count(DISTINCT (source, order_id)) AS orders, sum(line.net) AS net"
        f" FROM {RECENT} AS bought JOIN ({line}) AS line USING (source, order_id) GROUP BY ALL"
    )
    ranked = (
        f"SELECT *, row_number() OVER (PARTITION BY {CELL} ORDER BY net DESC, product_id) AS rank"
        f" FROM ({sold}) WHERE orders >= 10 QUALIFY rank <= 10"
    )
    named = (
        f"SELECT {CELL}, rank::INT AS rank, product_id, orders::BIGINT AS orders, amount(net) AS net FROM ({ranked})"
    )
    columns = f"{CELL}, rank, product_id, orders_90d, net_revenue_90d"
    published = f"SELECT {columns} FROM published_store_best_sellers WHERE product_id <> 'other'"
    assert one(compared, f"SELECT count(*) > 100 FROM ({named})") == (True,)
    assert equal(compared, named, published)
    total = f"SELECT {CELL}, sum(net_revenue_90d) FROM published_store_best_sellers GROUP BY ALL"
    assert equal(compared, total, f"SELECT {CELL}, net_revenue_90d FROM published_store_demand")


def test_every_scheme_divides_all_orders_of_a_store(compared: duckdb.DuckDBPyConnection) -> None:
    sums = f"SELECT scheme, {CELL}, sum(orders_90d)::BIGINT, sum(net_revenue_90d) FROM published_store_segment_mix"
    every = f"SELECT scheme, {CELL}, orders_90d, net_revenue_90d FROM published_store_demand, published_dim_scheme"
    assert equal(compared, f"{sums} GROUP BY ALL", every)
    customer = (
        "SELECT person, coalesce(rfm_segment, 'no_profiling_consent') AS segment FROM customer"
        " JOIN published_customer_segments USING (customer_id)"
    )
    by_person = (
        f"SELECT {CELL}, coalesce(segment, 'guest') AS segment, count(DISTINCT person) AS people, count(*) AS n,"
        f" sum(net) AS net FROM {RECENT} LEFT JOIN ({customer}) USING (person) GROUP BY ALL"
    )
    shown = (
        f"SELECT {CELL}, CASE WHEN segment <> 'guest' AND people < 10 THEN 'other' ELSE segment END AS segment, n, net"
        f" FROM ({by_person})"
    )
    expected = f"SELECT {CELL}, segment, sum(n)::BIGINT, amount(sum(net)) FROM ({shown}) GROUP BY ALL"
    mix = f"SELECT {CELL}, segment, orders_90d, net_revenue_90d FROM published_store_segment_mix WHERE scheme = 'rfm'"
    assert equal(compared, expected, mix)


def test_profiles_are_sums_over_customers(compared: duckdb.DuckDBPyConnection) -> None:
    member = "SELECT customer_id, scheme, segment FROM published_segment_memberships WHERE is_current"
    expected = (
        "SELECT scheme, segment, count(*) AS n, sum(net_revenue_365d) AS net, median(recency_days) AS recency,"
        " round(sum(orders_365d) / count(orders_365d), 6) AS orders,"
        " count(*) FILTER (WHERE churn_risk_band = 'high') AS risky"
        f" FROM ({member}) LEFT JOIN published_customer_features USING (customer_id)"
        " JOIN (SELECT customer_id, churn_risk_band FROM published_customer_segments) USING (customer_id)"
        " GROUP BY ALL HAVING count(*) >= 10"
    )
    columns = "scheme, segment, customers, nullif(net_revenue_365d, 0), median_recency_days, mean_orders_365d"
    published = f"SELECT {columns}, at_risk_customers FROM published_segment_profiles WHERE NOT is_suppressed"
    mine = f"SELECT scheme, segment, n, nullif(net, 0), recency, orders, risky FROM ({expected})"
    assert one(compared, f"SELECT count(*) > 40 FROM ({expected})") == (True,)
    assert equal(compared, mine, published)
    hidden = "SELECT count(*) FROM published_segment_profiles WHERE is_suppressed AND customers IS NOT NULL"
    assert one(compared, hidden) == (0,)


def test_everyone_is_in_one_segment_of_each_scheme(compared: duckdb.DuckDBPyConnection) -> None:
    everyone = one(compared, "SELECT count(*) FROM published_customer_segments")
    rows = compared.execute(
        "SELECT scheme, count(*), count(DISTINCT customer_id) FROM published_segment_memberships WHERE is_current"
        " GROUP BY scheme"
    ).fetchall()
    assert len(rows) == one(compared, "SELECT count(*) FROM published_dim_scheme")[0]
    assert {row[1:] for row in rows} == {everyone * 2}
    lost = "FROM published_segment_memberships ANTI JOIN published_dim_segment USING (segment_key)"
    assert one(compared, f"SELECT count(*) {lost}") == (0,)


def test_the_watchlist_is_who_is_about_to_stop(compared: duckdb.DuckDBPyConnection) -> None:
    high = "churn_probability_90d >= 0.5"
    middle = "churn_probability_90d >= 0.25 OR orders_prev_90d - orders_90d > 2.6 * sqrt(orders_prev_90d + orders_90d)"
    expected = (
        f"SELECT customer_id, CASE WHEN {high} THEN 'high' ELSE 'middle' END AS band, recency_days,"
        " round(1 - orders_90d / nullif(orders_prev_90d, 0), 6) AS dropped FROM published_customer_features"
        f" JOIN published_customer_value USING (customer_id) WHERE recency_days <= 180 AND ({high} OR {middle})"
    )
    published = (
        "SELECT customer_id, churn_risk_band, days_since_last_order, frequency_drop FROM published_churn_watchlist"
    )
    assert one(compared, f"SELECT count(*) > 50 FROM ({expected})") == (True,)
    assert equal(compared, expected, published)


def test_tags_are_of_those_who_allow_profiling(compared: duckdb.DuckDBPyConnection) -> None:
    strangers = "FROM published_customer_tags ANTI JOIN published_customer_features USING (customer_id)"
    assert one(compared, f"SELECT count(*) {strangers}") == (0,)
    coupons = (
        "SELECT customer_id, 'coupons' AS tag, coupon_order_share FROM published_customer_features"
        " WHERE coupon_order_share >= 0.2"
    )
    tagged = "SELECT customer_id, tag, strength FROM published_customer_tags WHERE tag = 'coupons'"
    assert one(compared, f"SELECT count(*) > 10 FROM ({coupons})") == (True,)
    assert equal(compared, coupons, tagged)


def test_value_is_of_everyone_who_allows_profiling(compared: duckdb.DuckDBPyConnection) -> None:
    pairs = "published_customer_value FULL JOIN published_customer_features AS feature USING (customer_id)"
    absent = "feature.snapshot_date IS NULL OR published_customer_value.snapshot_date IS NULL"
    lonely = f"SELECT count(*) FROM {pairs} WHERE {absent}"
    assert one(compared, lonely) == (0,)
    due = (
        "CASE WHEN recency_days <= 180 THEN"
        " DATE '2017-12-31' + greatest(1, ceil(median_gap_days)::INT - recency_days)::INT END"
    )
    expected = f"SELECT customer_id, ({due})::DATE FROM published_customer_features"
    assert equal(compared, expected, "SELECT customer_id, next_order_expected_on FROM published_customer_value")
    worth = (
        "SELECT count(*) FROM published_customer_value WHERE"
        " abs(predicted_clv_365d - expected_orders_365d * expected_order_value::DOUBLE) > 0.0051"
        " OR probability_alive NOT BETWEEN 0 AND 1"
        " OR churn_probability_90d NOT BETWEEN 0 AND 1"
        " OR expected_orders_90d > expected_orders_365d"
        " OR (expected_orders_90d IS NULL) <> (expected_order_value IS NULL)"
    )
    assert one(compared, worth) == (0,)
    # frozen on the first night, so it is of the model's own making and not of tonight's; about what a quarter holds
    quarter = "SELECT sum(expected_orders_90d) / (SELECT sum(orders_90d) FROM published_customer_features)"
    (ratio,) = one(compared, f"{quarter} FROM published_customer_value")
    assert isinstance(ratio, float) and 0.7 < ratio < 1.3

"""What anybody would expect of the scores of a generated chain, whatever the cut points."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.e2e.conftest import NIGHTS, Chain


@pytest.fixture(scope="module")
def shown(plain: Chain) -> Iterator[duckdb.DuckDBPyConnection]:
    """Published tables as views."""
    with duckdb.connect() as database:
        for table in ("customer_segments", "customer_features", "customer_days"):
            files = plain.warehouse / "published" / "current" / table / "*.parquet"
            database.execute(f"CREATE VIEW {table} AS FROM read_parquet('{files}')")
        yield database


def test_champions_outspend_the_lost(shown: duckdb.DuckDBPyConnection) -> None:
    spent = dict(
        shown.execute(
            "SELECT rfm_segment, avg(net_revenue_365d) FROM customer_segments JOIN customer_features"
            " USING (customer_id) GROUP BY rfm_segment"
        ).fetchall()
    )
    assert spent["champions"] > 2 * spent["lost"] > 0


@pytest.mark.parametrize(
    ("score", "of"),
    [("recency_score", "recency_days"), ("frequency_score", "orders_365d"), ("monetary_score", "net_revenue_365d")],
)
def test_who_is_equal_scores_equal_and_who_is_better_no_less(
    shown: duckdb.DuckDBPyConnection, score: str, of: str
) -> None:
    least_and_most = shown.execute(
        f"SELECT min({score}), max({score}) FROM customer_segments JOIN customer_features USING (customer_id)"
        f" WHERE {score} IS NOT NULL GROUP BY {of} ORDER BY {of} {'DESC' if score == 'recency_score' else ''}"
    ).fetchall()
    assert all(least == most for least, most in least_and_most)
    scores = [least for least, _ in least_and_most]
    assert scores == sorted(scores)
    assert set(scores) == {1, 2, 3, 4, 5}


def test_the_business_date_decides_and_not_the_clock(shown: duckdb.DuckDBPyConnection) -> None:
    wrong = shown.execute(
        "SELECT count(*), count(*) FILTER (recency_days <> date_diff('day', last, DATE '" + str(NIGHTS[-1]) + "'))"
        " FROM customer_features JOIN (SELECT customer_id, max(business_date) AS last FROM customer_days GROUP BY ALL)"
        " USING (customer_id)"
    ).fetchall()[0]
    assert wrong[0] > 100 and wrong[1] == 0

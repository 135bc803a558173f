"""A generated restaurant chain of any size with known truth. Everything in it is synthetic.

``generate`` writes the three source systems that :mod:`jobs.sample.grocer` has (``crm.sqlite``, ``pos/``,
``online.sqlite``, for the same server) and, under ``truth/``, what nobody could know of a real chain:

- ``people.csv`` (person_id, archetype, churned_on or empty): one row per person;
- ``records.csv`` (source, kind, record_id, person_id): one row per record, where kind is ``customer`` (a CRM
  member, an online account), ``order`` or ``guest_order`` (a receipt without a card);
- ``campaigns.csv`` (campaign_id, visit_lift): how many times as often the treated came;
- ``dirt.csv``, if dirt was asked for: one row per row that was damaged afterwards, and what has to become of it.

The chain keeps Shanghai's time and its business day begins at 02:00. Memory does not grow with the days:
a month is drawn, written and forgotten. The same arguments give the same files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from jobs.errors import UsageError
from jobs.sample import crm, restaurant_campaigns, restaurant_digital, restaurant_people, restaurant_tables
from jobs.sample import restaurant_words as words
from jobs.sample.dirt.spoil import spoil
from jobs.sample.files import (
    DAILY_NIGHTS,
    append_rows,
    sweep,
    utc_seconds_text,
    write_bundle,
    write_database,
    write_store_days,
)
from jobs.sample.online import account_document, in_page_order, write_online
from jobs.sample.restaurant_people import NEVER, People, Row
from jobs.sample.restaurant_tables import Chain, Trade
from jobs.sample.restaurant_visits import draw_lines, draw_visits

LAST_DATE = date(2026, 6, 30)
SCHEMA = {
    **crm.extended(
        members={
            "birth_date": "TEXT",
            "birth_year": "INTEGER",
            "birth_month": "INTEGER",
            "education": "TEXT",
            "occupation": "TEXT",
            "acquisition_channel": "TEXT",
            "declared_lifestyle": "TEXT",
            "declared_interests": "TEXT",
        },
        campaigns={"cost": "TEXT"},
        campaign_members={"is_holdout": "INTEGER NOT NULL"},
        coupons={"face_value": "TEXT"},
        redemptions={"order_id": "TEXT NOT NULL"},
        products={"is_set_meal": "INTEGER NOT NULL", "unit_cost": "TEXT"},
    ),
    **restaurant_digital.TABLES,
}


@dataclass(frozen=True)
class Period:
    """Days that are drawn together and go into one bundle, or into store files if ``is_daily``."""

    name: str
    first: int
    last: int
    is_daily: bool


def generate(
    customers: int, days: int, seed: int, out: Path, last_date: date = LAST_DATE, dirt: float | None = None
) -> Path:
    """Write a chain of ``customers`` people over the ``days`` business dates that end with ``last_date``.

    Args:
        customers: how many people.
        days: how many business dates.
        seed: the same arguments give the same files.
        out: the folder.
        last_date: the last business date.
        dirt: the share of rows that is damaged once the chain is whole; None for none.

    Raises:
        UsageError: there is no customer, there are fewer than 5 days, or too few rows to damage.
    """
    if customers < 1 or days <= DAILY_NIGHTS:
        raise UsageError(
            f"a chain needs at least 1 customer and {DAILY_NIGHTS + 1} days",
            next_command="regulars generate --customers 600 --days 120",
        )
    sweep(out)
    (out / "truth").mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    chain = _draw_chain(rng, customers, days, last_date)
    members = list(restaurant_people.member_rows(rng, chain.people, chain.first_day, days))
    _write_people(chain, out)
    redemptions, feedback = _write_trade(rng, chain, out)
    digital = restaurant_digital.digital_rows(chain, seed)
    _write_crm(chain, {"members": members, "redemptions": redemptions, "feedback": feedback, **digital}, out)
    if dirt is not None:
        spoil(out, dirt, seed, last_date)
    return out


def _draw_chain(rng: np.random.Generator, customers: int, days: int, last_date: date) -> Chain:
    menu = restaurant_campaigns.menu()
    stores = min(60, 3 + customers // 400)
    people = restaurant_people.draw_people(rng, customers, days, stores, len(menu.name))
    campaigns = restaurant_campaigns.draw_campaigns(rng, people, days, len(menu.name))
    return Chain(people, menu, campaigns, stores, last_date - timedelta(days=days - 1), days)


def periods(first_day: date, days: int) -> Iterator[Period]:
    """Calendar months up to the fifth night from the end, then each of the last four nights.

    A month that is whole is named YYYY-MM, the last one, if it breaks off, by its last date.
    """
    bundled = days - DAILY_NIGHTS
    start = 0
    while start < bundled:
        day = first_day + timedelta(days=start)
        month_end = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        end = min((month_end - first_day).days, bundled - 1)
        name = f"{day:%Y-%m}" if first_day + timedelta(days=end) == month_end else None
        yield Period(name or (first_day + timedelta(days=end)).isoformat(), start, end, False)
        start = end + 1
    for night in range(bundled, days):
        yield Period((first_day + timedelta(days=night)).isoformat(), night, night, True)


def _write_trade(rng: np.random.Generator, chain: Chain, out: Path) -> tuple[list[Row], list[Row]]:
    """Draw and write orders period by period; returns the CRM's redemptions and feedback."""
    redemptions: list[Row] = []
    feedback: list[Row] = []
    orders = 0
    for period in periods(chain.first_day, chain.days):
        days = np.arange(period.first, period.last + 1)
        visits = draw_visits(rng, chain.people, chain.campaigns, chain.first_day, days, chain.stores)
        trade = Trade(chain, visits, draw_lines(rng, chain.people, chain.menu, visits), orders)
        orders += len(visits)
        receipts = restaurant_tables.receipts(trade)
        write = write_store_days if period.is_daily else write_bundle
        write(receipts, out / "pos", period.name)
        append_rows(out / "online.sqlite", "orders", in_page_order(restaurant_tables.online_orders(trade)))
        redemptions.extend(restaurant_tables.redemption_rows(trade))
        feedback.extend(restaurant_tables.feedback_rows(rng, trade, len(feedback)))
        restaurant_tables.append_truth(trade, out / "truth" / "records.csv")
    return redemptions, feedback


def _write_people(chain: Chain, out: Path) -> None:
    """The online accounts, and the truth about people, their records and the campaigns."""
    people = chain.people
    accounts = np.flatnonzero(people.has_account).tolist()
    write_online(
        out / "online.sqlite",
        (account_document(restaurant_people.account(people, person, chain.first_day)) for person in accounts),
        (),
    )
    _write_csv(out / "truth" / "people.csv", ("person_id", "archetype", "churned_on"), _people_rows(chain))
    _write_csv(
        out / "truth" / "campaigns.csv",
        ("campaign_id", "visit_lift"),
        ((campaign.campaign_id, campaign.lift) for campaign in chain.campaigns),
    )
    _write_csv(out / "truth" / "records.csv", ("source", "kind", "record_id", "person_id"), _customer_rows(people))


def _people_rows(chain: Chain) -> Iterator[Row]:
    for person, (archetype, stopped) in enumerate(
        zip(chain.people.archetype.tolist(), chain.people.stopped.tolist(), strict=True)
    ):
        churned_on = "" if stopped == NEVER else (chain.first_day + timedelta(days=stopped)).isoformat()
        yield restaurant_tables.person_id(person), words.ARCHETYPES[archetype], churned_on


def _customer_rows(people: People) -> Iterator[Row]:
    for chosen, ids in (
        (people.is_member, people.member_ids),
        (people.has_second_record, people.second_member_ids),
    ):
        for person in np.flatnonzero(chosen).tolist():
            yield "crm", "customer", int(ids[person]), restaurant_tables.person_id(person)
    for person in np.flatnonzero(people.has_account).tolist():
        yield "online", "customer", restaurant_people.account_id(person), restaurant_tables.person_id(person)


def _write_csv(path: Path, header: Row, rows: Iterator[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_crm(chain: Chain, rows: Mapping[str, Iterable[Row]], out: Path) -> None:
    """The CRM: these rows, and those of campaigns and master data."""
    campaigns = chain.campaigns
    known_at = utc_seconds_text(restaurant_people.seconds(chain.first_day, -700, 0))
    write_database(
        out / "crm.sqlite",
        SCHEMA,
        {
            **rows,
            "campaigns": restaurant_campaigns.campaign_rows(campaigns, chain.first_day),
            "campaign_members": restaurant_campaigns.campaign_member_rows(campaigns, chain.people),
            "coupons": restaurant_campaigns.coupon_rows(campaigns),
            "products": restaurant_campaigns.product_rows(chain.menu, known_at),
            "stores": restaurant_campaigns.store_rows(chain.stores, known_at),
        },
    )

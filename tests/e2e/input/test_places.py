"""A chain whose members have addresses and nothing else: what is published of where they live, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs.storage.night import Zone
from tests.support import Business, Site

DAY = date(2026, 3, 1)
CONFIG = """
currency = "EUR"
country = "AT"
time_zone = "Europe/Vienna"
policies = { unknown_product = "infer" }
thresholds = { max_quarantine_share = 0.95 }

[city_tiers]
"GRAZ" = "1"
"Bruck an der Mur" = "3"

[sources.kassa]
kind = "files"
location = "${REGULARS_SAMPLE}"
settle_seconds = 0.0

[sources.kassa.feeds.stores]
pattern = "stores.csv"

[sources.kassa.feeds.stores.maps.stores]
store_id = "store"
city = "town"

[sources.kassa.feeds.bons]
pattern = "bons.csv"

[sources.kassa.feeds.bons.maps.orders]
order_id = "bon"
store_id = "store"
channel = "'store'"
ordered_at = "sold_at"
source_customer_id = "member"

[sources.kassa.feeds.bons.maps.order_lines]
order_id = "bon"
line_id = "'1'"
product_id = "'P1'"
quantity = "1"
gross = "gross"

[sources.kassa.feeds.members]
pattern = "members.csv"
delimiter = ";"

[sources.kassa.feeds.members.maps.customers]
source_customer_id = "member"
name = "who"
address = "home"
profiling_consent = "true"
"""
#: member, name, address, and the city that may be known of it
MEMBERS = (
    ("1", "Anna Berg", "Herrengasse 7, 8010 Graz", "Graz"),
    ("2", "Ben Tal", "c/o Kanari Leckova, Mühlweg 3, A-8600 Bruck an der Mur", "Bruck an der Mur"),
    ("3", "Kanari Leckova", "Mühlweg 3, 8600 Leckova Kanari", None),
    ("4", "Cem Ufer", "Seegasse 1, 6900 Bregenz", "Bregenz"),
    ("5", "Dora Feld", "Seegasse 1, 6900 kanari.leckova@leak.example", None),
    ("6", "Emil Bach", "", None),
)


@pytest.fixture(scope="module", params=["sail", "local[2]"])
def placed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("placed")
    (folder / "chain.toml").write_text(CONFIG)
    (folder / "stores.csv").write_text("store,town\nS1,Graz\nS2,Linz\n")
    bons = [f"B{who},S1,{DAY}T10:00:00Z,{who},9.80" for who, *_ in MEMBERS]
    (folder / "bons.csv").write_text("\n".join(["bon,store,sold_at,member,gross", *bons]) + "\n")
    people = [f"{who};{name};{home}" for who, name, home, _ in MEMBERS]
    (folder / "members.csv").write_text("\n".join(["member;who;home", *people]) + "\n")
    site = Site(
        replace(Business(folder, "127.0.0.1:1"), nights=(DAY,)),
        folder / "warehouse",
        {"REGULARS_CONFIG": str(folder / "chain.toml"), "REGULARS_ENGINE": request.param},
    )
    site.night(DAY)
    return site


def rows(site: Site, zone: Zone, table: str) -> list[dict[str, Any]]:
    night = site.warehouse.latest(DAY)
    assert night is not None
    return [row for part in night.parts(zone, table) for row in pq.ParquetFile(part).read().to_pylist()]


def test_cities_and_their_tiers_are_published(placed: Site) -> None:
    people = [(row["city"], row["region"], row["city_tier"]) for row in rows(placed, "published", "dim_customer")]
    assert sorted(people, key=str) == sorted(
        [
            ("Graz", None, "1"),
            ("Bruck an der Mur", None, "3"),
            ("Bregenz", None, None),
            *[(None, None, None)] * 3,
        ],
        key=str,
    )
    stores = {row["store_id"]: (row["city"], row["city_tier"]) for row in rows(placed, "published", "dim_store")}
    assert stores == {"S1": ("Graz", "1"), "S2": ("Linz", None)}


def test_each_member_carries_a_note_of_it(placed: Site) -> None:
    found = {row["source_customer_id"]: (row["city"], row["_notes"]) for row in rows(placed, "clean", "customers")}
    assert {who: city for who, (city, _) in found.items()} == {who: city for who, _, _, city in MEMBERS}
    assert {who: notes for who, (_, notes) in found.items()} == {
        "1": "city.from_address,city_tier.looked_up",
        "2": "city.from_address,city_tier.looked_up",
        "3": None,
        "4": "city.from_address",
        "5": None,
        "6": None,
    }


def test_the_quality_table_counts_the_notes(placed: Site) -> None:
    counted = {row["rule_id"]: row["rows_failed"] for row in rows(placed, "published", "data_quality")}
    assert counted["customers.city.from_address"] == 3
    assert counted["customers.city_tier.looked_up"] == 2
    assert counted["stores.city_tier.looked_up"] == 1


def test_nothing_finer_than_a_city_leaves_the_vault(placed: Site) -> None:
    finer = ("herrengasse", "8010", "mühlweg", "seegasse", "8600", "kanari", "leckova", "anna", "leak.example")
    night = placed.warehouse.latest(DAY)
    assert night is not None
    zones: tuple[Zone, ...] = ("raw", "quarantine", "clean", "identity", "features", "published")
    tables = [str(rows(placed, zone, table)).lower() for zone in zones for table in night.tables(zone)]
    assert len(tables) > 10
    assert not [word for word in finer for text in tables if word in text]
    assert {row["value"] for row in rows(placed, "vault", "kassa.members") if row["field"] == "address"} == {
        home for _, _, home, _ in MEMBERS if home
    }

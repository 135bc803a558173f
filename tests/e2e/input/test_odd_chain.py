"""A chain unlike the examples: odd column names, nested JSON, and at first nobody whom it knows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support import Business, Outcome, Site

DAYS = (date(2026, 3, 1), date(2026, 3, 2))
MAIL = "Grete.Huber@leak.example"
CONFIG = """
currency = "EUR"
country = "AT"
time_zone = "Europe/Vienna"
policies = { unknown_store = "infer", unknown_product = "infer" }

[sources.kasse]
kind = "files"
location = "${REGULARS_SAMPLE}"
settle_seconds = 0.0

[sources.kasse.feeds.bons]
pattern = "bons_*.jsonl"
format = "jsonl"
explode = "posten"
date_in_name = "bons_([0-9-]{10})"

[sources.kasse.feeds.bons.maps.orders]
order_id = "bon-nr"
store_id = "filiale"
channel = "'store'"
ordered_at = "gekauft am"
email = "kunde_mail"

[sources.kasse.feeds.bons.maps.order_lines]
order_id = "bon-nr"
line_id = "posten_nr"
product_id = "posten_artikel-nr"
quantity = "posten_menge"
gross = "posten_summe netto"

[sources.kunden]
kind = "files"
location = "${REGULARS_SAMPLE}"
settle_seconds = 0.0

[sources.kunden.feeds.karten]
pattern = "kunden_*.csv"
delimiter = ";"
date_in_name = "kunden_([0-9-]{10})"
may_be_empty = true

[sources.kunden.feeds.karten.maps.customers]
source_customer_id = "`Kunden Nr.`"
email = "E_Mail"
profiling_consent = "true"
"""


def receipt(number: str, day: date, **more: Any) -> str:
    items = [{"nr": 1, "artikel-nr": "A-1", "menge": 2, "summe netto": 9.80}]
    return json.dumps({"bon-nr": number, "filiale": "Graz", "gekauft am": f"{day} 12:30:00", "posten": items} | more)


@pytest.fixture(scope="module", params=["sail", "local[2]"])
def odd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, list[Outcome]]:
    """Two nights: guests alone, then somebody whose e-mail is inside an object of the receipt."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "chain.toml").write_text(CONFIG)
    (folder / f"bons_{DAYS[0]}.jsonl").write_text("\n".join(receipt(number, DAYS[0]) for number in "12"))
    (folder / f"bons_{DAYS[1]}.jsonl").write_text(receipt("3", DAYS[1], kunde={"mail": MAIL, "stufe": "gold"}))
    (folder / f"kunden_{DAYS[1]}.csv").write_text(f"Kunden Nr.;E_Mail\n77;{MAIL.upper()}\n")
    site = Site(
        replace(Business(folder, "127.0.0.1:1"), nights=DAYS),
        folder / "warehouse",
        {"REGULARS_CONFIG": str(folder / "chain.toml"), "REGULARS_ENGINE": request.param},
    )
    return site, [site.night(day) for day in DAYS]


def rows(site: Site, day: date, table: str) -> list[dict[str, Any]]:
    night = site.warehouse.latest(day)
    assert night is not None
    return [row for part in night.parts("published", table) for row in pq.ParquetFile(part).read().to_pylist()]


def test_a_night_of_guests_alone_is_published(odd: tuple[Site, list[Outcome]]) -> None:
    site, _ = odd
    assert rows(site, DAYS[0], "customer_segments") == rows(site, DAYS[0], "customer_days") == []
    assert [row["product_id"] for row in rows(site, DAYS[0], "dim_product")] == ["A-1"]
    night = site.warehouse.latest(DAYS[0])
    assert night is not None
    assert night.manifest()["steps"]["features"]["net_revenue_cents"]["guests"] == 2 * 980


def test_an_e_mail_inside_an_object_leads_to_the_person_and_goes_to_the_vault(odd: tuple[Site, list[Outcome]]) -> None:
    site, said = odd
    (day,) = rows(site, DAYS[1], "customer_days")
    assert (day["business_date"], day["orders"], str(day["net_revenue"])) == (DAYS[1], 1, "9.80")
    night = site.warehouse.latest(DAYS[1])
    assert night is not None
    raw = [
        row
        for feed in night.tables("raw")
        for part in night.parts("raw", feed)
        for row in pq.ParquetFile(part).read().to_pylist()
    ]
    assert len(raw) == 4
    assert "leak.example" not in str(raw).lower()
    assert {row.get("kunde_stufe") for row in raw} == {None, "gold"}
    assert "leak.example" not in "".join(one.out + one.err for one in said).lower()


def test_no_file_says_where_to_look(odd: tuple[Site, list[Outcome]], tmp_path: Path) -> None:
    site = odd[0].copy(tmp_path / "site")
    done = site.regulars("run", "--date", "2026-03-03")
    assert done.code == 1
    assert "kasse.bons.not_empty" in done.err
    assert "next: regulars check-source kasse" in done.err

"""A chain of two stores in Vienna, small enough for many nights: a CRM in SQLite, receipts in CSV files.

A third store opens in Shanghai, whose receipts come before or after anybody tells the CRM of it.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.storage.night import Night, Zone
from tests.support import Business, Outcome, Site

DAYS = tuple(date(2026, 6, 10) + timedelta(days=n) for n in range(4))
MEMBERS = 60
HEADER = "receipt,line,store,card,sold_at,product,quantity,gross,status"
CONFIG = """
currency = "EUR"
country = "AT"
time_zone = "Europe/Vienna"
day_cut_off = "03:00"
policies = { unknown_product = "infer" }
thresholds = { rfm_min_buyers = 30, rfm_min_history_days = 60, max_quarantine_share = 0.95 }

[sources.crm]
kind = "sql"
location = "sqlite:///${REGULARS_SAMPLE}/crm.sqlite"

[sources.crm.feeds.stores]
table = "stores"
cursor = "updated_at"
may_be_empty = true
columns = { store_id = "STRING", time_zone = "STRING", updated_at = "STRING" }

[sources.crm.feeds.stores.maps.stores]
store_id = "store_id"
time_zone = "time_zone"
updated_at = "updated_at"

[sources.crm.feeds.members]
table = "members"
cursor = "updated_at"
may_be_empty = true
columns = { member_id = "STRING", card = "STRING", updated_at = "STRING" }

[sources.crm.feeds.members.maps.customers]
source_customer_id = "member_id"
loyalty_card = "card"
registered_at = "updated_at"
profiling_consent = "true"
marketing_consent = "true"
updated_at = "updated_at"

[sources.pos]
kind = "files"
location = "${REGULARS_SAMPLE}/pos"
settle_seconds = 0.0

[sources.pos.feeds.receipts]
pattern = "receipts_*.csv"
date_in_name = "receipts_([0-9-]{10})"
may_be_empty = true

[sources.pos.feeds.receipts.maps.orders]
order_id = "receipt"
loyalty_card = "card"
store_id = "store"
channel = "'store'"
ordered_at = "sold_at"
status = "status"

[sources.pos.feeds.receipts.maps.order_lines]
order_id = "receipt"
line_id = "line"
product_id = "product"
quantity = "quantity"
gross = "gross"
"""


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant, UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def receipt(number: str, store: str, sold_at: datetime, draw: random.Random, **more: str) -> list[str]:
    """The two lines of a receipt; ``more`` puts other values into both."""
    card = f"C{draw.randrange(MEMBERS):04d}"
    plain = {"receipt": number, "store": store, "card": card, "sold_at": f"{sold_at:%Y-%m-%dT%H:%M:%SZ}"}
    found = []
    for line in "12":
        bought = {
            "product": f"P{draw.randrange(9)}",
            "quantity": "1",
            "gross": f"{draw.randrange(100, 9000) / 100:.2f}",
        }
        row = plain | bought | {"line": line, "status": "completed"} | more
        found.append(",".join(row[name] for name in HEADER.split(",")))
    return found


def deliver(sample: Path, day: date, lines: list[str], name: str = "") -> None:
    """Put a file of receipts there that belongs to a business date."""
    (sample / "pos" / f"receipts_{day}{name}.csv").write_text("\n".join([HEADER, *lines]) + "\n")


def chain(sample: Path, *, history: int, known: date) -> Business:
    """A chain with so many receipts of the 200 days before; the CRM tells of the third store on the date ``known``."""
    draw = random.Random(7)
    (sample / "pos").mkdir(parents=True)
    (sample / "chain.toml").write_text(CONFIG)
    lines: list[str] = []
    for number in range(history):
        sold_at = at(DAYS[0] - timedelta(days=draw.randrange(200)), draw.randrange(6, 20))
        lines += receipt(f"H{number}", draw.choice("12"), sold_at, draw)
    deliver(sample, DAYS[0], lines)
    early = "2025-11-01T00:00:00Z"
    with closing(sqlite3.connect(sample / "crm.sqlite")) as crm, crm:
        crm.execute("CREATE TABLE stores (store_id TEXT, time_zone TEXT, updated_at TEXT)")
        crm.execute("CREATE TABLE members (member_id TEXT, card TEXT, updated_at TEXT)")
        crm.executemany("INSERT INTO stores VALUES (?, 'Europe/Vienna', ?)", [(store, early) for store in "12"])
        crm.execute("INSERT INTO stores VALUES ('9', 'Asia/Shanghai', ?)", (f"{known}T01:00:00Z",))
        people = [(str(number), f"C{number:04d}", early) for number in range(MEMBERS)]
        crm.executemany("INSERT INTO members VALUES (?, ?, ?)", people)
    return Business(sample, "127.0.0.1:1", DAYS)


def site_of(business: Business, root: Path) -> Site:
    """A warehouse of the chain."""
    settings = {"CONFIG": str(business.folder / "chain.toml"), "THRESHOLDS__RFM_MIN_BUYERS": "30"}
    settings |= {"THRESHOLDS__MIN_ROWS_FOR_SHARE": "200"}
    return Site(business, root, {f"REGULARS_{name}": value for name, value in settings.items()})


def apart(site: Site, folder: Path) -> Site:
    """A copy of warehouse and chain, so that files can be delivered that no other test sees."""
    shutil.copytree(site.business.folder, folder / "sample")
    copied = replace(site.business, folder=folder / "sample")
    variables = site.variables | {"REGULARS_CONFIG": str(copied.folder / "chain.toml")}
    return Site(copied, site.copy(folder / "warehouse").root, variables)


def latest(site: Site, day: date) -> Night:
    """The newest published run of a date."""
    night = site.warehouse.latest(day)
    assert night is not None
    return night


def rows(site: Site, day: date, zone: Zone, table: str) -> list[dict[str, Any]]:
    """Rows of a table of a night as they lie in its files."""
    parts = [pq.ParquetFile(part).read() for part in latest(site, day).parts(zone, table)]
    return pa.concat_tables(parts, promote_options="default").to_pylist() if parts else []


def account(site: Site, day: date, table: str) -> dict[str, int]:
    """What became of the receipts' rows."""
    found: dict[str, int] = latest(site, day).manifest()["steps"]["conservation"][f"pos.receipts {table}"]
    return found


def quarantine(site: Site, *arguments: str) -> Outcome:
    """``regulars quarantine ...``, which has to succeed."""
    done = site.regulars("quarantine", *arguments)
    assert done.code == 0, done.err
    return done

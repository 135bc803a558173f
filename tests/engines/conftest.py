"""One generated chain, with late orders and refunds, whose nights are run on one engine after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from jobs import engine
from jobs.sample.dirt.receipt_rows import read_lines, write_bytes
from jobs.settings import EngineOptions
from tests.support import CONFIG, Business, Site, business, counts, differences

#: tables that equal each other because neither has a row would prove nothing
FILLED = ("customer_days", "customer_features", "customer_segments", "segment_memberships")

#: of the receipts of the month before the first night, one in so many comes a night later, and one in so many is paid
#: back in part: every second one by its number, the others by card alone
LATE, PAID_BACK = 15, 20
REFUNDS = """
[sources.pos.feeds.refunds]
pattern = "refunds_*.csv"
date_in_name = "_([0-9-]{10})"
may_be_empty = true

[sources.pos.feeds.refunds.maps.refunds]
refund_id = "refund_no"
line_id = "line_no"
order_id = "receipt_no"
loyalty_card = "card_number"
product_id = "product_id"
quantity = "quantity"
amount = "amount"
refunded_at = "refunded_at"
"""


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the session."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="session")
def chain(place: Path) -> Iterator[Business]:
    """The chain; its first night loads history, the second brings what is late and what is paid back."""
    with business(place / "business", customers=400, days=100) as found:
        pos, day = found.folder / "pos", found.nights[1]
        month = max(pos.glob("receipts_*.csv.gz"))
        header, *lines = read_lines(month)
        late = [line for line in lines if _number(line) % LATE == 0]
        write_bytes(month, _file(header, [line for line in lines if line not in set(late)]))
        write_bytes(pos / f"receipts_late_{day}.csv", _file(header, late))
        known = [dict(zip(header.decode().split(","), line.decode().split(","), strict=True)) for line in lines]
        paid_back = [row for row in known if int(row["receipt_no"][1:]) % PAID_BACK == 1 and row["card_number"]]
        rows = [_refund(row, number).encode() for number, row in enumerate(paid_back)]
        write_bytes(pos / f"refunds_{day}.csv", _file(_REFUND.encode(), rows))
        (found.folder / "chain.toml").write_text(CONFIG.read_text() + REFUNDS)
        assert len(late) > 50 and len(rows) > 20
        yield replace(found, nights=found.nights[:3])


_REFUND = "refund_no,line_no,receipt_no,card_number,product_id,quantity,amount,refunded_at"


def _refund(row: dict[str, str], number: int) -> str:
    """A tenth of a line is paid back, and none of the goods."""
    receipt = row["receipt_no"] if number % 2 else ""
    amount = f"{float(row['gross']) / 10:.2f}"
    return f"B{number},1,{receipt},{row['card_number']},{row['product_id']},,{amount},2026-06-28T09:00:00Z"


def _number(line: bytes) -> int:
    return int(line[1:11])


def _file(header: bytes, lines: list[bytes]) -> bytes:
    return b"\n".join([header, *lines]) + b"\n"


def site_on(url: str, chain: Business, root: Path) -> Site:
    """A warehouse of the chain whose nights an engine computes."""
    return Site(chain, root, {"REGULARS_CONFIG": str(chain.folder / "chain.toml"), "REGULARS_ENGINE": url})


@pytest.fixture(scope="session")
def on_spark(chain: Business, place: Path) -> Iterator[Site]:
    """All nights on Spark, on this machine alone, one server for all of them: what other engines are held to."""
    with engine.running("local[*]", EngineOptions(memory="1500m"), place / "spark.log") as url:
        site = site_on(url, chain, place / "spark")
        for day in chain.nights:
            site.night(day)
        yield site


def assert_same_nights(one: Site, other: Site, *days: date) -> None:
    """Every published table of these nights, but for what says when and by which run, holds the same rows."""
    for day in days:
        nights = [site.warehouse.latest(day) for site in (one, other)]
        first, second = (night.path / "published" for night in nights if night is not None)
        assert min(counts(first)[name] for name in FILLED) > 0
        assert differences(first, second) == {}, day

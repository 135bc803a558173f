"""Nights that recompute only what changed publish what a rebuild from all raw rows publishes, to the last digit.

Each history is drawn from a seed: receipts that come late, are corrected, move to another date with one of their lines,
are voided or paid back, members who join after they bought, change cards, merge, withdraw their consent and give it
back. Three members do nothing at all: one only gives consent back, and of where another was, and of what the third
bought, the sources come to say something else.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.e2e.small_chain import CONFIG, DAYS, MEMBERS, at, chain, latest, site_of
from tests.support import Site, differences

HEADER = "receipt,line,store,card,sold_at,product,category,quantity,gross,refunded,status,changed_at"
SEEDS = (1, 2)
LATE_DAYS = 30
#: the card of a member who buys once, 50 days before the first night, where no window ends -> store and product
QUIET = {"C9001": ("1", "PQ1"), "C9002": ("2", "PQ2"), "C9003": ("1", "PQ3")}


@dataclass
class History:
    """What the chain has sold so far, and the files it delivers."""

    sample: Path
    draw: random.Random
    receipts: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def sell(self, number: str, day: date, night: date) -> list[dict[str, str]]:
        """A receipt of one to three lines, by a member, by somebody who may become one, or by nobody."""
        card = self.draw.choice(["", f"C{self.draw.randrange(MEMBERS + 20):04d}"])
        sold = f"{at(day, self.draw.randrange(6, 20)):%Y-%m-%dT%H:%M:%SZ}"
        same = {
            "receipt": number,
            "store": self.draw.choice("12"),
            "card": card,
            "sold_at": sold,
            "status": "completed",
        }
        lines = [self._line(str(n + 1), night) | same for n in range(self.draw.randrange(1, 4))]
        self.receipts[number] = lines
        return lines

    def _line(self, line: str, night: date) -> dict[str, str]:
        return {
            "line": line, "product": f"P{self.draw.randrange(9)}", "quantity": "1", "refunded": "0", "category": "food",
            "gross": f"{self.draw.randrange(100, 9000) / 100:.2f}", "changed_at": f"{night}T22:00:00Z",
        }  # fmt: skip

    def sell_quietly(self, night: date) -> list[dict[str, str]]:
        """The one receipt of each quiet member."""
        sold = {"sold_at": f"{at(night - timedelta(days=50), 12):%Y-%m-%dT%H:%M:%SZ}", "status": "completed"}
        return [
            self._line("1", night) | sold | {"receipt": f"Q{card}", "card": card, "store": store, "product": product}
            for card, (store, product) in QUIET.items()
        ]

    def redescribe(self, night: date) -> list[dict[str, str]]:
        """The second quiet member's store is elsewhere, and what the third bought is sold as something else."""
        (store, _), (_, product) = QUIET["C9002"], QUIET["C9003"]
        with closing(sqlite3.connect(self.sample / "crm.sqlite")) as crm, crm:
            stamp = f"{night}T20:00:00Z"
            crm.execute("UPDATE stores SET region = 'west', updated_at = ? WHERE store_id = ?", (stamp, store))
        sold = {"sold_at": f"{at(night, 12):%Y-%m-%dT%H:%M:%SZ}", "status": "completed", "category": "drinks"}
        return [self._line("1", night) | sold | {"receipt": "Q-other", "card": "", "store": "1", "product": product}]

    def consent(self, night: date, card: str, says: str) -> None:
        """A member withdraws consent or gives it back."""
        with closing(sqlite3.connect(self.sample / "crm.sqlite")) as crm, crm:
            crm.execute(
                "UPDATE members SET consent = ?, updated_at = ? WHERE card = ?", (says, f"{night}T20:00:00Z", card)
            )

    def corrected(self, night: date) -> list[dict[str, str]]:
        """Lines of a known receipt, delivered again: dearer, void, paid back, or sold on another date."""
        lines = self.receipts[self.draw.choice(sorted(self.receipts))]
        kind = self.draw.choice(["gross", "status", "refunded", "moved"])
        moved = f"{at(night - timedelta(days=self.draw.randrange(60)), 12):%Y-%m-%dT%H:%M:%SZ}"
        whole = {"status": {"status": "void"}, "moved": {"sold_at": moved}}.get(kind, {})
        for line in lines:
            line.update(whole, changed_at=f"{night}T23:00:00Z")
        one = self.draw.choice(lines)
        one |= {"gross": {"gross": "123.45"}, "refunded": {"refunded": one["gross"]}}.get(kind, {})
        return [one] if kind == "moved" else lines

    def deliver(self, night: date, lines: list[dict[str, str]]) -> None:
        """A file of a night."""
        rows = [",".join(line[name] for name in HEADER.split(",")) for line in lines]
        (self.sample / "pos" / f"receipts_{night}.csv").write_text("\n".join([HEADER, *rows]) + "\n")

    def tell_of_members(self, night: date) -> None:
        """The CRM changes its mind about three members and hears of two new ones."""
        stamp = f"{night}T20:00:00Z"
        with closing(sqlite3.connect(self.sample / "crm.sqlite")) as crm, crm:
            told = crm.execute("SELECT member_id FROM members WHERE card NOT LIKE 'C9%' ORDER BY 1")
            known = [row[0] for row in told]
            for member in self.draw.sample(known, 3):
                card = f"C{self.draw.randrange(MEMBERS):04d}"
                change = self.draw.choice([("consent", "false"), ("consent", "true"), ("card", card)])
                crm.execute(
                    f"UPDATE members SET {change[0]} = ?, updated_at = ? WHERE member_id = ?",
                    (change[1], stamp, member),
                )
            for _ in range(2):
                number = len(known) + self.draw.randrange(10_000)
                card = f"C{MEMBERS + self.draw.randrange(20):04d}"
                crm.execute("INSERT INTO members VALUES (?, ?, ?, 'true')", (str(number), card, stamp))


def config() -> str:
    """The chain's configuration with consent, regions, categories, refunds on lines, and times of change."""
    told = CONFIG.replace('profiling_consent = "true"', 'profiling_consent = "consent"')
    told = told.replace('card = "STRING", updated_at', 'card = "STRING", consent = "STRING", updated_at')
    told = told.replace('time_zone = "STRING"', 'time_zone = "STRING", region = "STRING"')
    told = told.replace('time_zone = "time_zone"', 'time_zone = "time_zone"\nregion = "region"')
    told = told.replace('status = "status"', 'status = "status"\nupdated_at = "changed_at"')
    told = told.replace('gross = "gross"', 'gross = "gross"\nrefunded = "refunded"\nupdated_at = "changed_at"')
    return f"""{told}
[sources.pos.feeds.receipts.maps.products]
product_id = "product"
category = "category"
updated_at = "changed_at"
"""


@pytest.fixture(scope="module", params=SEEDS)
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, History]:
    """A chain after four nights, the last of which brought nothing but late receipts."""
    place = tmp_path_factory.mktemp(f"grown{request.param}")
    site = site_of(chain(place / "sample", history=1, known=DAYS[0]), place / "warehouse")
    history = History(place / "sample", random.Random(request.param))
    (place / "sample" / "chain.toml").write_text(config())
    with closing(sqlite3.connect(place / "sample" / "crm.sqlite")) as crm, crm:
        crm.execute("ALTER TABLE members ADD COLUMN consent TEXT DEFAULT 'true'")
        crm.execute("ALTER TABLE stores ADD COLUMN region TEXT DEFAULT 'east'")
        early = "2025-11-01T00:00:00Z"
        crm.executemany("INSERT INTO members VALUES (?, ?, ?, 'true')", [(card, card, early) for card in QUIET])
    past = [DAYS[0] - timedelta(days=history.draw.randrange(420)) for _ in range(300)]
    lines = [line for n, day in enumerate(past) for line in history.sell(f"H{n}", day, DAYS[0])]
    history.deliver(DAYS[0], lines + history.sell_quietly(DAYS[0]))
    site.night(DAYS[0])
    for night in DAYS[1:3]:
        lines = [line for n in range(20) for line in history.sell(f"{night}-{n}", night, night)]
        late = [night - timedelta(days=history.draw.randrange(80)) for _ in range(10)]
        lines += [line for n, day in enumerate(late) for line in history.sell(f"{night}-late{n}", day, night)]
        lines += [line for _ in range(12) for line in history.corrected(night)]
        lines += history.redescribe(night) if night == DAYS[2] else []
        history.deliver(night, lines)
        history.tell_of_members(night)
        history.consent(night, "C9001", "true" if night == DAYS[2] else "false")
        site.night(night)
    return site, history


def test_a_rebuild_publishes_the_same(grown: tuple[Site, History], tmp_path: Path) -> None:
    site, _ = grown
    full = site.copy(tmp_path / "full")
    full.night(DAYS[2], "--full")
    assert differences(latest(site, DAYS[2]).path / "published", latest(full, DAYS[2]).path / "published") == {}
    said = latest(site, DAYS[2]).manifest()["steps"]["features"]
    people = len(duckdb.sql(f"FROM '{latest(site, DAYS[2]).path}/published/customer_features/*.parquet'").fetchall())
    assert 0 < said["customers"] < people, "only some were computed anew"
    assert latest(full, DAYS[2]).manifest()["steps"]["features"]["customers"] is None


def test_who_withdraws_consent_leaves_the_days_that_same_night(grown: tuple[Site, History]) -> None:
    site, _ = grown
    with duckdb.connect() as database:
        for night in DAYS[:3]:
            shown = latest(site, night).path / "published"
            days, features = (f"'{shown}/{table}/*.parquet'" for table in ("customer_days", "customer_features"))
            left = database.sql(f"SELECT customer_id FROM {days} EXCEPT SELECT customer_id FROM {features}")
            assert left.fetchall() == [], night


def test_late_receipts_recompute_their_dates_and_no_others(grown: tuple[Site, History], tmp_path: Path) -> None:
    site, history = grown
    night = DAYS[3]
    days = [night - timedelta(days=n % LATE_DAYS) for n in range(120)]
    history.deliver(night, [line for n, day in enumerate(days) for line in history.sell(f"late{n}", day, night)])
    site.night(night)
    assert latest(site, night).manifest()["steps"]["features"]["dates"] == sorted({str(day) for day in days})
    full = site.copy(tmp_path / "full")
    full.night(night, "--full")
    assert differences(latest(site, night).path / "published", latest(full, night).path / "published") == {}

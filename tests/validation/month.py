"""A month of nights with joins, refunds, consents withdrawn, merges, splits, a rule, a refit: do the books balance?

Every night the sizes of all segments of all schemes are held against the flows of ``segment_migrations``; and, but for
the nights of the rule and of the refit, everybody's segments against what they go by.
"""

from __future__ import annotations

import gzip
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb

from jobs.definitions.published import BY_NAME, folder
from jobs.steps import refits
from jobs.storage.night import Night
from tests.support import CONFIG, Site, business
from tests.validation import steady

NIGHTS = 30
#: nights, counted from the first as 1, before which ten people withdraw their consent to profiling
WITHDRAWN = (6, 13, 21)
#: nights before which somebody decides that ten members are five people, and takes that back
MERGED, PARTED = 9, 18
#: the night by another rule, and the night before which everything is fitted anew
RULE, REFIT = 16, 22
OWN_RULE = '\n[segments.consumption_occasion.evening]\nwhen = "evening_share >= 0.3"\n'
_QUESTIONS = Path(__file__).with_suffix(".sql").read_text("utf-8").split(";\n")[:2]


@dataclass
class Month:
    """What the nights came to."""

    unbalanced: list[str] = field(default_factory=list)  #: night scheme:segment whose size is not what flowed
    causes: Counter[str] = field(default_factory=Counter)  #: customers moved, by cause
    still: Counter[str] = field(default_factory=Counter)  #: scheme -> customers of whom nothing changed, per night
    shaken: Counter[str] = field(default_factory=Counter)  #: scheme -> those of them whose segment did
    changes: int = 0  #: changes of a segment, any cause
    kept: dict[str, tuple[int, int]] = field(default_factory=dict)  #: model -> names kept, names, at the refit
    agreement: dict[str, float] = field(default_factory=dict)  #: model -> adjusted Rand index at the refit


def run(root: Path, engine: str, customers: int = 400, days: int = 230, seed: int = 3) -> Month:
    """Run the nights, and look after each."""
    found = Month()
    with business(root / "business", customers=customers, days=days, seed=seed) as chain:
        _by_day(root / "business" / "pos")
        own = root / "own.toml"
        own.write_text(CONFIG.read_text() + OWN_RULE)
        # ten who write on one day are more than usual for a chain so small
        lifted = {"MAX_QUARANTINE_SHARE": "1", "HISTORY_MIN_NIGHTS": "99"}
        decided = root / "decisions.csv"
        decided.write_text(_DECISIONS)
        more = {"REGULARS_ENGINE": engine, "REGULARS_IDENTITY__DECISIONS": str(decided)}
        more |= {f"REGULARS_THRESHOLDS__{name}": value for name, value in lifted.items()}
        site = Site(chain, root / "warehouse", more)
        last = chain.nights[-1]
        before: Night | None = None
        for number in range(1, NIGHTS + 1):
            day = last - timedelta(days=NIGHTS - number)
            if number in WITHDRAWN:
                _withdraw(root / "business" / "crm.sqlite", day, WITHDRAWN.index(number))
            if number in (MERGED, PARTED):
                links = _links(root / "business" / "crm.sqlite", day) if number == MERGED else ""
                decided.write_text(_DECISIONS + links)
            if number == RULE:
                site = Site(chain, site.root, more | {"REGULARS_CONFIG": str(own)})
            if number == REFIT:
                _refit(site, found)
            site.night(day)
            night = site.warehouse.latest(day)
            assert night is not None
            if before is not None:
                _compare(before, night, found, is_steady=number not in (RULE, REFIT))
            before = night
    return found


def _by_day(pos: Path) -> None:
    """The bundle of the month, as a file per day: nights are to see what a night brings."""
    (bundle,) = (path for path in pos.glob("receipts_????-??-??.csv.gz"))
    with gzip.open(bundle, "rt", encoding="utf-8", newline="") as stream:
        header, *lines = stream.read().splitlines()
    at = header.split(",").index("sold_at")
    days: dict[str, list[str]] = {}
    for line in lines:
        days.setdefault(line.split(",")[at][:10], []).append(line)
    bundle.unlink()
    for day, rows in days.items():
        (pos / f"receipts_{day}.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def _withdraw(crm: Path, day: date, nth: int) -> None:
    changed = datetime.combine(day, time(3)).strftime("%Y-%m-%d %H:%M:%S")
    with closing(sqlite3.connect(crm)) as connection, connection:
        statement = "UPDATE members SET profiling_consent = 0, updated_at = ? WHERE member_id IN (" + (
            "SELECT member_id FROM members WHERE profiling_consent = 1 ORDER BY member_id LIMIT 10 OFFSET ?)"
        )
        assert connection.execute(statement, (changed, 30 * nth)).rowcount == 10


_DECISIONS = "decision,source_a,id_a,source_b,id_b,decided_by,decided_on\n"


def _links(crm: Path, day: date) -> str:
    """Lines that make five people of ten members."""
    with closing(sqlite3.connect(crm)) as connection:
        statement = "SELECT member_id FROM members WHERE profiling_consent = 1 ORDER BY member_id LIMIT 10 OFFSET 120"
        members = [str(row[0]) for row in connection.execute(statement)]
    pairs = zip(members[::2], members[1::2], strict=True)
    return "".join(f"link,crm,{one},crm,{other},validation,{day}\n" for one, other in pairs)


def _refit(site: Site, found: Month) -> None:
    done = site.regulars("refit", REGULARS_THRESHOLDS__REFIT_MIN_AGREEMENT="0")
    assert done.code == 0, done.err
    refit = refits.last(site.warehouse)
    assert refit is not None
    for model, said in refit.report["models"].items():
        if "adjusted_rand_index" in said:
            found.agreement[model] = said["adjusted_rand_index"]
            found.kept[model] = len(said["kept"]), len(said["names"])


def _compare(before: Night, now: Night, found: Month, *, is_steady: bool) -> None:
    with duckdb.connect() as database:
        for name, night in (("before", before), ("now", now)):
            database.execute(f"CREATE SCHEMA {name}_")
            for one in ("segment_migrations", "segment_trend", "customer_features", "customer_segments"):
                part = night.table("published", folder(BY_NAME[one])) / "*.parquet"
                database.execute(f"CREATE VIEW {name}_.{one} AS FROM read_parquet('{part}')")
        unbalanced, causes = _QUESTIONS
        days = {"now": now.date, "before": before.date}
        found.unbalanced += [f"{now.date} {key}" for (key,) in database.execute(unbalanced, days).fetchall()]
        found.causes.update({cause: int(n) for cause, n in database.execute(causes).fetchall()})
        if is_steady:
            for scheme, (still, shaken, changes) in steady.moved(database).items():
                found.still[scheme] += still
                found.shaken[scheme] += shaken
                found.changes += changes


def section(month: Month) -> Iterator[str]:
    """Lines of the page."""
    yield from ("## A month of segments", "")
    yield f"{NIGHTS} nights of a generated chain: people join, orders are refunded, {10 * len(WITHDRAWN)} withdraw"
    yield f"their consent, before night {MERGED} ten members are decided to be five people, taken back before night"
    yield f"{PARTED}, night {RULE} goes by another rule, before night {REFIT} everything is fitted anew."
    yield from ("", "| figure | beside | here |", "|---|---|---|")
    unbalanced = len(month.unbalanced)
    yield f"| sizes of segments that are not what flowed in and out, all schemes and nights | 0 | {unbalanced} |"
    moved = ", ".join(f"{cause} {count}" for cause, count in sorted(month.causes.items()))
    yield f"| memberships moved, by cause | | {moved} |"
    still, shaken = sum(month.still.values()), sum(month.shaken.values())
    yield f"| segments that changed while nothing did that they go by, of {still:,} | 0 | {shaken} |"
    yield f"| segments that changed at all in those nights | | {month.changes:,} |"
    for model, index in month.agreement.items():
        kept, names = month.kept[model]
        yield f"| refit of {model}: adjusted Rand index; names kept | | {index:.4f}; {kept} of {names} |"

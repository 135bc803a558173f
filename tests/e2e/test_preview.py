"""A rule is changed: what ``regulars preview`` says of it is what the next night publishes, and no more than that."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.conftest import NIGHTS, RESTAURANT, Chain

#: one scheme over features, one over scores, and persona, which asks for price_sensitivity
RULES = """
[segments.consumption_occasion.evening]
when = "evening_share >= 0.3"

[segments.value_tier.high]
when = "monetary_score >= 4"

[segments.price_sensitivity.high]
when = "discount_share >= 0.1"
"""
CHANGED = {"consumption_occasion", "value_tier", "price_sensitivity", "persona"}


@pytest.fixture(scope="module")
def told(business: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Chain, str]:
    """The chain after a night by declared rules and one by its own, and what the preview said between them."""
    root = tmp_path_factory.mktemp("preview")
    chain = Chain(business, root)
    chain.run(NIGHTS[0])
    (root / "rules.toml").write_text(RULES)
    command = [str(Path(sys.executable).with_name("regulars")), "preview", "rules.toml"]
    before = {path for path in chain.warehouse.rglob("*") if path.is_file()}
    done = subprocess.run(command, env=chain.environment(0), cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {path for path in chain.warehouse.rglob("*") if path.is_file()} == before
    (root / "own.toml").write_text(RESTAURANT.read_text() + RULES)
    own = replace(chain, config=root / "own.toml")
    own.run(NIGHTS[1])
    return own, done.stdout


def test_the_flows_are_those_of_the_next_night(told: tuple[Chain, str]) -> None:
    chain, said = told
    table = said.partition("who goes where:\n")[2]
    previewed = {tuple(line.split()) for line in table.splitlines()[1:]}
    flows = {
        (r["scheme"], r["from_segment"], r["to_segment"], str(r["customers"]), str(r["net_revenue_365d"]))
        for r in chain.rows(NIGHTS[1], "published", "segment_migrations")
        if r["cause"] == "rules"
    }
    # the night may know other revenue of the same people; who goes where is the same
    assert {flow[:4] for flow in previewed} == {flow[:4] for flow in flows}
    assert {"consumption_occasion", "value_tier"} <= {flow[0] for flow in flows} <= CHANGED
    assert sum(int(flow[3]) for flow in flows) > 20


def test_sizes_change_by_what_flows(told: tuple[Chain, str]) -> None:
    chain, _ = told
    change: Counter[tuple[str, str]] = Counter()
    for row in chain.rows(NIGHTS[1], "published", "segment_migrations"):
        change[row["scheme"], row["to_segment"]] += row["customers"]
        change[row["scheme"], row["from_segment"]] -= row["customers"]
    sizes = {
        day: Counter({(r["scheme"], r["segment"]): r["customers"] for r in rows if r["snapshot_date"] == day})
        for day, rows in ((day, chain.rows(NIGHTS[1], "published", "segment_trend")) for day in NIGHTS)
    }
    for scheme, segment in {*sizes[NIGHTS[0]], *sizes[NIGHTS[1]]}:
        grown = sizes[NIGHTS[1]][scheme, segment] - sizes[NIGHTS[0]][scheme, segment]
        assert change[scheme, segment] == grown, (scheme, segment)
    moved = {row["cause"] for row in chain.rows(NIGHTS[1], "published", "segment_migrations")}
    assert {"rules", "moved"} <= moved


def test_only_the_changed_rules_have_another_version(told: tuple[Chain, str]) -> None:
    chain, _ = told
    versions = [{row["scheme"]: row["version"] for row in chain.rows(day, "published", "dim_scheme")} for day in NIGHTS]
    changed = {name for name, version in versions[0].items() if versions[1][name] != version}
    assert changed == CHANGED
    rules = {row["segment_key"]: row["rule_text"] for row in chain.rows(NIGHTS[1], "published", "dim_segment")}
    assert rules["consumption_occasion:evening"] == "evening_share >= 0.3"


def test_tables_about_stores_tie_to_all_sales(told: tuple[Chain, str]) -> None:
    chain, _ = told
    demand = chain.rows(NIGHTS[1], "published", "store_demand")
    total = sum((row["net_revenue_90d"] for row in demand), Decimal(0))
    assert total > 0
    for table in ("store_best_sellers", "store_segment_mix"):
        rows = chain.rows(NIGHTS[1], "published", table)
        per_scheme: Counter[str] = Counter()
        for row in rows:
            per_scheme[row.get("scheme", "")] += row["net_revenue_90d"]
        assert set(per_scheme.values()) == {total}, table
    guests = {r["segment"] for r in chain.rows(NIGHTS[1], "published", "store_segment_mix")}
    assert "guest" in guests


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[segments.rfm.champion]\nwhen = 'true'\n", "rfm.champion, which is no segment"),
        ("preset = 'supermarket'\n", "something else than \\[segments"),
        ("[segments.value_tier.high]\nwhen = 'monetary_score > 9'\n", "no customer can get value_tier:high"),
    ],
)
def test_what_cannot_be_previewed(told: tuple[Chain, str], text: str, said: str) -> None:
    chain, _ = told
    (chain.root / "wrong.toml").write_text(text)
    command = [str(Path(sys.executable).with_name("regulars")), "preview", "wrong.toml"]
    done = subprocess.run(command, env=chain.environment(0), cwd=chain.root, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.search(said, done.stderr), done.stderr

"""Models are frozen from night to night; a refit that disagrees waits for a person, then one night takes it in."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import NIGHTS, Chain

DAYS = (NIGHTS[0] - timedelta(days=1), *NIGHTS)
#: more than groups of 300 customers agree
STRICT = {"REGULARS_THRESHOLDS__REFIT_MIN_AGREEMENT": "1"}
FOUND = {"clusters": "behaviour_cluster", "map": "som_cluster", "topics": "purchase_topic"}


def _regulars(chain: Chain, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("regulars")), *arguments]
    return subprocess.run(command, env=chain.environment(0) | STRICT, cwd=chain.root, capture_output=True, text=True)


@pytest.fixture(scope="module")
def refitted(business: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Chain, dict[str, Any], list[str]]:
    """Two nights, a refit that is refused and then approved, the night that takes it in; report, and what was said."""
    chain = Chain(business, tmp_path_factory.mktemp("refit"))
    chain.run(*DAYS[:2])
    published = set(chain.warehouse.rglob("*.parquet"))
    refused = _regulars(chain, "refit")
    assert refused.returncode == 1, refused.stderr
    assert set(chain.warehouse.rglob("*.parquet")) == published
    nameless = _regulars(chain, "refit", "--approve", "--by", " ")
    assert nameless.returncode == 2
    approved = _regulars(chain, "refit", "--approve", "--by", "anna")
    assert approved.returncode == 0, approved.stderr
    chain.run(DAYS[2])
    report = json.loads((chain.warehouse / "refit" / "refit.json").read_text())
    return chain, report, [refused.stdout + refused.stderr, nameless.stderr, approved.stderr]


def _of(chain: Chain, night: int) -> dict[str, Any]:
    said: dict[str, Any] = chain.night(DAYS[night]).records()["segments"]
    return said


def test_models_are_frozen_until_one_night_takes_in_the_others(
    refitted: tuple[Chain, dict[str, Any], list[str]],
) -> None:
    chain, report, said = refitted
    first, second, third = (_of(chain, night) for night in range(3))
    assert set(first["models"]) >= {"rfm", "value", *FOUND}
    assert first["models"] == second["models"] and first["model_version"] == second["model_version"]
    assert (first["refit"], second["refit"], third["refit"]) == (None, None, report["refit"])
    assert all(report["refit"] in version for version in third["models"].values())
    assert "below 1.0" in said[0] and "regulars refit --approve --by NAME" in said[0]
    assert report["approved_by"] == "anna"


def test_agreement_is_reported_and_cards_are_written(refitted: tuple[Chain, dict[str, Any], list[str]]) -> None:
    chain, report, _ = refitted
    for model in FOUND:
        one = report["models"][model]
        assert 0 < one["adjusted_rand_index"] <= 1
        assert len(one["jaccard_under_bootstrap"]) == len(one["names"])
        assert set(one["kept"]) <= set(one["names"]) and one["kept"]
        assert (chain.warehouse / "refit" / f"{model}.md").read_text().startswith(f"# {model}-{DAYS[1]}")
        assert (chain.night(DAYS[2]).table("models", "fitted") / f"{model}.md").is_file()


def test_names_that_go_on_are_given_and_others_are_kept_for_the_history(
    refitted: tuple[Chain, dict[str, Any], list[str]],
) -> None:
    chain, report, _ = refitted
    listed = chain.rows(DAYS[2], "published", "dim_segment")
    known = {(row["scheme"], row["segment"]): row["is_active"] for row in listed}
    before = chain.rows(DAYS[1], "published", "customer_segments")
    for model, scheme in FOUND.items():
        for name in report["models"][model]["names"]:
            assert known[scheme, name]
        for name in {row[scheme] for row in before}:
            assert (scheme, name) in known
            gone = name not in report["models"][model]["names"] and not name.startswith(("not_", "no_", "unknown"))
            assert known[scheme, name] != gone


def test_what_the_refit_moves_is_told_apart_and_sizes_add_up(
    refitted: tuple[Chain, dict[str, Any], list[str]],
) -> None:
    chain, _, _ = refitted
    migrations = chain.rows(DAYS[2], "published", "segment_migrations")
    assert {row["scheme"] for row in migrations if row["cause"] == "model"} & set(FOUND.values())
    assert "rules" not in {row["cause"] for row in migrations}
    assert "model" not in {row["cause"] for row in chain.rows(DAYS[1], "published", "segment_migrations")}
    change: Counter[tuple[str, str]] = Counter()
    for row in migrations:
        change[row["scheme"], row["to_segment"]] += row["customers"]
        change[row["scheme"], row["from_segment"]] -= row["customers"]
    trend = chain.rows(DAYS[2], "published", "segment_trend")
    sizes = {
        day: Counter(
            {(one["scheme"], one["segment"]): one["customers"] for one in trend if one["snapshot_date"] == day}
        )
        for day in DAYS[1:]
    }
    for one in {*sizes[DAYS[1]], *sizes[DAYS[2]]}:
        assert change[one] == sizes[DAYS[2]][one] - sizes[DAYS[1]][one], one


def test_periods_have_neither_gap_nor_overlap(refitted: tuple[Chain, dict[str, Any], list[str]]) -> None:
    chain, _, _ = refitted
    periods: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in chain.rows(DAYS[2], "published", "segment_memberships"):
        periods.setdefault((row["customer_id"], row["scheme"]), []).append(row)
    for found in periods.values():
        found.sort(key=lambda row: row["valid_from"])
        assert all(one["valid_to"] == other["valid_from"] for one, other in itertools.pairwise(found))
        assert [row["is_current"] for row in found] == [False] * (len(found) - 1) + [True]

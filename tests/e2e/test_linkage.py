"""The model that compares records: fitted without labels, frozen, and the same whatever the order of rows."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from jobs.cli.explain import EVIDENCE
from jobs.linking.model import NAME_AND_NUMBER, Linkage
from tests.validation.nights import Nights
from tests.validation.partition import agreement
from tests.validation.people import make_people

DAY = date(2026, 6, 1)
RECORDS = 6_000


@pytest.fixture(scope="module")
def made() -> pa.Table:
    return make_people(RECORDS, 11)


@pytest.fixture(scope="module")
def fitted(made: pa.Table) -> Linkage:
    return Nights(made).fit(DAY)


def test_it_finds_more_than_identifiers_do_and_is_seldom_wrong(made: pa.Table, fitted: Linkage) -> None:
    truth = made["person_id"].to_numpy()
    by = {}
    for name, asked in (("identifiers", None), ("model", fitted)):
        nights = Nights(made)
        by[name] = agreement(truth, nights.people(nights.night(DAY, fitted=asked, asks_all=True)))
    assert by["model"].precision >= 0.99
    assert by["model"].recall >= by["identifiers"].recall + 0.05


def test_rows_in_another_order_are_the_same_people_by_the_same_ids(made: pa.Table, fitted: Linkage) -> None:
    shuffled = made.take(pa.array(np.random.default_rng(1).permutation(RECORDS)))
    again = Nights(shuffled).fit(DAY)
    assert again.to_json() == fitted.to_json()
    one, other = (Nights(table).night(DAY, fitted=fitted, asks_all=True) for table in (made, shuffled))
    key = [("source", "ascending"), ("source_customer_id", "ascending")]
    assert one.records.sort_by(key).equals(other.records.sort_by(key))
    assert one.links.equals(other.links)


def test_what_is_kept_is_what_was_fitted(fitted: Linkage) -> None:
    assert Linkage.from_json(fitted.to_json()) == fitted
    rare = [term for terms in fitted.terms.values() for term, share in terms.items() if share * RECORDS < 4.5]
    assert rare == [], "a name that few have is not in the file"


def test_new_records_are_asked_about_and_no_others_and_come_to_the_same(made: pa.Table, fitted: Linkage) -> None:
    nights, whole = Nights(made), Nights(made)
    first = nights.night(DAY, RECORDS - 100, fitted=fitted, asks_all=True)
    later = nights.night(DAY + timedelta(days=1), RECORDS, fitted=fitted)
    at_once = whole.night(DAY, fitted=fitted, asks_all=True)
    assert later.counts["changed"] == 100
    assert 0 < later.counts["pairs_compared"] < first.counts["pairs_compared"] / 10
    assert agreement(whole.people(at_once), nights.people(later)).rand > 0.9999
    fresh = {row["linked_on"] for row in later.links.to_pylist() if row["linked_by"] == "probabilistic"}
    assert fresh == {DAY, DAY + timedelta(days=1)}


def test_the_number_in_a_mailbox_is_the_same_by_chance_as_often_as_it_is(made: pa.Table, fitted: Linkage) -> None:
    """Among people of one name, which random pairs are not: counted here from the records."""
    numbers: Counter[str] = Counter()
    for name, email in zip(made["name"].to_pylist(), made["email"].to_pylist(), strict=True):
        mailbox = re.sub("[^a-z0-9]", "", email.lower().split("@")[0]) if email else ""
        if any(
            word in mailbox for word in re.sub("[^a-z ]", "", name.lower()).split()[:: max(len(name.split()) - 1, 1)]
        ):
            numbers[re.sub("[^0-9]", "", mailbox)] += 1
    expected = sum(n * n for n in numbers.values()) / sum(numbers.values()) ** 2
    (level,) = (one for comparison in fitted.settings["comparisons"] for one in comparison["comparison_levels"]
                if one["label_for_charts"] == NAME_AND_NUMBER)  # fmt: skip
    assert level["u_probability"] == pytest.approx(expected, rel=0.1)


def test_too_few_records_are_not_fitted_to(made: pa.Table) -> None:
    with pytest.raises(ValueError, match="records with a name"):
        Nights(made.slice(0, 100)).fit(DAY)


def test_a_link_says_what_spoke_for_it(made: pa.Table, fitted: Linkage) -> None:
    found = Nights(made).night(DAY, fitted=fitted, asks_all=True)
    links = [row for row in found.links.to_pylist() if row["linked_by"] == "probabilistic"]
    prior = fitted.settings["probability_two_random_records_match"]
    for link in links:
        weights = [float(part.rsplit(" ", 1)[1]) for part in link["evidence"].split(", ")]
        assert link["weight"] == pytest.approx(sum(weights) + np.log2(prior / (1 - prior)), abs=0.06 * len(weights))
        assert link["score"] >= 0.8
    assert found.weakest["weight"] == min(link["weight"] for link in links)
    with duckdb.connect() as database:
        database.register("links", found.links)
        shown = database.execute(f"SELECT weight, {EVIDENCE} FROM links WHERE linked_by = 'probabilistic'").fetchall()
    assert len(shown) == len(links)
    for weight, evidence in shown:  # what is explained comes to the weight
        assert evidence.startswith("two at random -")
        assert sum(float(part.rsplit(" ", 1)[1]) for part in evidence.split(", ")) == pytest.approx(weight, abs=0.051)

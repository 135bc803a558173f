"""Who is who over nights of any kind: a night that looks at what changed finds what a look at everything does."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.linked import Chain

TOMORROW = date(2026, 7, 1)
Row = dict[str, Any]

HASH = st.one_of(st.none(), st.sampled_from(["k1:a", "k1:b", "k1:c", "k1:!d"]))
RECORD = st.fixed_dictionaries(
    {
        "first_seen_on": st.sampled_from([date(2026, 1, 1), date(2026, 1, 2)]),
        "loyalty_card_hash": HASH,
        "email_hash": HASH,
        "phone_hash": HASH,
        "name": st.sampled_from([None, "Anna Smith", "Peter Smith"]),
        "birth_date": st.sampled_from([None, "1980-01-01", "1995-12-31"]),
    }
)


@settings(max_examples=12, deadline=None)
@given(st.lists(RECORD, max_size=10), st.data(), st.integers(2, 5))
def test_order_of_records_and_a_second_night_change_nothing(rows: list[Row], data: st.DataObject, most: int) -> None:
    named = [row | {"id": str(place)} for place, row in enumerate(rows)]
    shuffled = data.draw(st.permutations(named))
    chain, other = Chain(), Chain()
    once = chain.night(named, max_sharing=most)
    assert once.records.equals(other.night(shuffled, max_sharing=most).records)
    assert once.links.equals(other.links)
    again = chain.night(shuffled, TOMORROW, max_sharing=most)
    assert again.records.equals(once.records)
    assert again.links.equals(once.links)
    assert chain.ledger == []


@settings(max_examples=10, deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=8), st.data())
def test_nights_of_growth_come_to_what_one_run_over_everything_finds(rows: list[Row], data: st.DataObject) -> None:
    """Identifiers alone, and crowds among them: the same people; ids that end or come off are in the ledger."""
    named = [row | {"id": str(place)} for place, row in enumerate(rows)]
    arrivals = data.draw(st.lists(st.integers(0, 2), min_size=len(named), max_size=len(named)))
    chain = Chain()
    for number in range(3):
        before = chain.people()
        chain.night([row for row, at in zip(named, arrivals, strict=True) if at <= number],
                    date(2026, 7, 1 + number), max_sharing=3)  # fmt: skip
        told = {(e["old_customer_id"], e["new_customer_id"]) for e in chain.ledger if e["day"].day == 1 + number}
        now = chain.people()
        assert {(was, now[record]) for record, was in before.items() if was != now[record]} == told
    whole = Chain()
    whole.night(named, max_sharing=3)
    assert partition(chain.people()) == partition(whole.people())


@settings(max_examples=10, deadline=None)
@given(st.lists(RECORD, min_size=3, max_size=6), st.data())
def test_a_night_of_merges_and_splits_comes_to_what_a_look_at_everything_does(
    rows: list[Row], data: st.DataObject
) -> None:
    """Somebody decides and takes back, night by night; who never knew of it has the same people."""
    named = [row | {"id": str(place)} for place, row in enumerate(rows)]
    pair = st.tuples(*[st.sampled_from([row["id"] for row in named])] * 2).filter(lambda ids: ids[0] < ids[1])
    chain = Chain()
    for number in range(4):
        decided = data.draw(st.dictionaries(pair, st.booleans(), max_size=3))
        decisions = [(*ids, is_link) for ids, is_link in decided.items()]
        arrived = named[: data.draw(st.integers(len(named) - 1, len(named)))] if number == 0 else named
        decisions = [one for one in decisions if {one[0], one[1]} <= {row["id"] for row in arrived}]
        before, everything, day = chain.people(), deepcopy(chain), date(2026, 7, 1 + number)
        chain.night(arrived, day, decisions=decisions)
        everything.night(arrived, day, decisions=decisions, looks_at_all=True)
        now = chain.people()
        assert now == everything.people()
        anew = Chain()
        anew.night(arrived, day, decisions=decisions)
        assert partition(now) == partition(anew.people())
        told = {(event["old_customer_id"], event["new_customer_id"]) for event in chain.ledger if event["day"] == day}
        assert {(was, now[record]) for record, was in before.items() if was != now[record]} <= told
        forbidden = [ids for ids, is_link in decided.items() if not is_link and set(ids) <= set(now)]
        assert all(now[one] != now[other] for one, other in forbidden)


def partition(found: dict[str, str]) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for record, person in found.items():
        groups.setdefault(person, set()).add(record)
    return {frozenset(group) for group in groups.values()}

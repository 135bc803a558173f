"""Who is who, on small record tables."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.transforms.identity import RECORDS, new_id, resolve

DAY = date(2026, 6, 30)


def person_hash(source: str, identifier: str) -> str:
    return "k1:" + hashlib.sha256(f"{source} {identifier}".encode()).hexdigest()[:32]


def records(*rows: dict[str, Any]) -> pa.Table:
    full = [
        {
            "source": "crm", "first_seen_on": date(2026, 1, 1),
            "person_hash": person_hash(row.get("source", "crm"), row["source_customer_id"]), **row,
        }
        for row in rows
    ]  # fmt: skip
    return pa.Table.from_pylist(full, RECORDS)


def people(table: pa.Table, **options: Any) -> dict[tuple[str, str], str]:
    found = resolve(table, DAY, **options).records.to_pylist()
    return {(row["source"], row["source_customer_id"]): row["known_customer_id"] for row in found}


def test_links_by_each_identifier_and_through_others() -> None:
    found = people(
        records(
            {"source_customer_id": "1", "loyalty_card_hash": "k1:c", "first_seen_on": date(2025, 1, 1)},
            {"source_customer_id": "2", "loyalty_card_hash": "k1:c", "email_hash": "k1:e"},
            {"source_customer_id": "3", "email_hash": "k1:e", "phone_hash": "k1:p"},
            {"source_customer_id": "4", "phone_hash": "k1:p", "payment_token_hash": "k1:t"},
            {"source_customer_id": "5", "payment_token_hash": "k1:t"},
            {"source_customer_id": "6", "phone_hash": "k1:e"},  # the same digits of another kind
            {"source_customer_id": "7"},
        )
    )
    assert len({found["crm", n] for n in "12345"}) == 1
    assert found["crm", "1"] == new_id(person_hash("crm", "1"))  # of the earliest record
    assert len(set(found.values())) == 3


def test_the_same_id_in_two_sources_is_two_people() -> None:
    found = people(records({"source_customer_id": "1"}, {"source": "web", "source_customer_id": "1"}))
    assert len(set(found.values())) == 2


def test_unusable_values_prove_nothing() -> None:
    found = people(
        records({"source_customer_id": "1", "email_hash": "k1:!x"}, {"source_customer_id": "2", "email_hash": "k1:!x"})
    )
    assert len(set(found.values())) == 2


def test_a_value_that_too_many_share_links_nobody_and_is_counted() -> None:
    crowd = [{"source_customer_id": str(n), "phone_hash": "k1:shop"} for n in range(21)]
    answer = resolve(records(*crowd), DAY, max_sharing=20)
    assert (len(set(answer.records["known_customer_id"].to_pylist())), answer.dropped_identifiers) == (21, 1)
    answer = resolve(records(*crowd[:20]), DAY, max_sharing=20)
    assert (len(set(answer.records["known_customer_id"].to_pylist())), answer.dropped_identifiers) == (1, 0)


def test_ids_last_and_what_was_linked_stays_linked() -> None:
    first = resolve(
        records(
            {"source_customer_id": "1", "email_hash": "k1:e"}, {"source_customer_id": "2", "email_hash": "k1:e"},
            {"source_customer_id": "3"},
        ),
        date(2026, 6, 29),
    )  # fmt: skip
    before = {row["source_customer_id"]: row for row in first.records.to_pylist()}
    later = [
        row | {"email_hash": "k1:new" if row["source_customer_id"] == "2" else row["email_hash"]}
        for row in before.values()
    ]
    # an earlier record of the third person turns up: it joins, and takes nobody's id
    newcomer = {"source_customer_id": "0", "first_seen_on": date(2020, 1, 1), "phone_hash": "k1:p"}
    later = [row | ({"phone_hash": "k1:p"} if row["source_customer_id"] == "3" else {}) for row in later]
    second = resolve(records(*later, newcomer), DAY)
    after = {row["source_customer_id"]: row for row in second.records.to_pylist()}
    assert all(after[n]["known_customer_id"] == before[n]["known_customer_id"] for n in "123")
    assert all(after[n]["known_since"] == date(2026, 6, 29) for n in "123")
    assert after["0"]["known_customer_id"] == before["3"]["known_customer_id"]
    assert after["0"]["known_since"] == DAY
    assert second.merged.num_rows == 0


def test_two_people_who_prove_to_be_one_keep_the_older_id() -> None:
    known = [
        {"source_customer_id": "1", "known_customer_id": "young", "known_since": date(2026, 5, 1), "email_hash": "k1:e",
         "first_seen_on": date(2020, 1, 1)},
        {"source_customer_id": "2", "known_customer_id": "old", "known_since": date(2026, 4, 1), "email_hash": "k1:e"},
        {"source_customer_id": "3", "known_customer_id": "young", "known_since": date(2026, 5, 1)},
    ]  # fmt: skip
    answer = resolve(records(*known), DAY)
    assert set(answer.records["known_customer_id"].to_pylist()) == {"old"}
    assert answer.merged.to_pylist() == [{"old_customer_id": "young", "customer_id": "old"}]


def test_nobody_is_nobody() -> None:
    answer = resolve(RECORDS.empty_table(), DAY)
    assert (answer.records.num_rows, answer.merged.num_rows, answer.dropped_identifiers) == (0, 0, 0)


HASH = st.one_of(st.none(), st.sampled_from(["k1:a", "k1:b", "k1:c", "k1:!d"]))
RECORD = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["crm", "web"]),
        "first_seen_on": st.sampled_from([date(2026, 1, 1), date(2026, 1, 2)]),
        "loyalty_card_hash": HASH,
        "email_hash": HASH,
        "phone_hash": HASH,
    }
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RECORD, max_size=12), st.data(), st.integers(1, 5))
def test_order_of_records_and_a_second_night_change_nothing(
    rows: list[dict[str, Any]], data: st.DataObject, max_sharing: int
) -> None:
    named = [row | {"source_customer_id": str(place)} for place, row in enumerate(rows)]
    shuffled = data.draw(st.permutations(named))
    once = resolve(records(*named), DAY, max_sharing=max_sharing)
    other = resolve(records(*shuffled), DAY, max_sharing=max_sharing)
    assert once.records.equals(other.records)
    assert once.dropped_identifiers == other.dropped_identifiers
    again = resolve(once.records, date(2026, 7, 1), max_sharing=max_sharing)
    assert again.records.equals(once.records)
    assert again.merged.num_rows == 0

"""Who is who, on small record tables, worked out by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from jobs.linking import model
from jobs.linking.ledger import ALIASES, aliases
from jobs.linking.people import Edges, components, cut
from jobs.linking.resolve import LINKS
from tests.linked import DAY, Chain, id_of, person_hash

TOMORROW, LATER = date(2026, 7, 1), date(2026, 7, 2)
Row = dict[str, Any]


def people(rows: list[Row], **options: Any) -> dict[str, str]:
    chain = Chain()
    chain.night(rows, **options)
    return chain.people()


def count(rows: list[Row], **options: Any) -> int:
    return len(set(people(rows, **options).values()))


def test_links_by_each_identifier_and_through_others() -> None:
    rows = [
        {"id": "1", "loyalty_card_hash": "k1:c", "first_seen_on": date(2025, 1, 1)},
        {"id": "2", "loyalty_card_hash": "k1:c", "email_hash": "k1:e"},
        {"id": "3", "email_hash": "k1:e", "phone_hash": "k1:p"},
        {"id": "4", "phone_hash": "k1:p", "payment_token_hash": "k1:t"},
        {"id": "5", "payment_token_hash": "k1:t"},
        {"id": "6", "phone_hash": "k1:e"},  # the same digits of another kind
        {"id": "7"},
    ]
    found = people(rows)
    assert len({found[n] for n in "12345"}) == 1
    assert found["1"] == id_of("1")  # of the earliest record
    assert len(set(found.values())) == 3


def test_each_record_says_what_links_it_to_its_person() -> None:
    both = {"email_hash": "k1:e", "phone_hash": "k1:p"}
    rows: list[Row] = [{"id": "1", **both}, {"id": "2", **both}, {"id": "3", "phone_hash": "k1:p"}]
    found = {row["source_customer_id"]: row["linked_by"] for row in Chain().night(rows).records.to_pylist()}
    assert found == {"1": "first_record", "2": "email", "3": "phone"}


def test_the_same_id_in_two_sources_is_two_people() -> None:
    chain = Chain()
    chain.night([{"id": "1"}, {"id": "1", "source": "web"}])
    assert len({row["customer_id"] for row in chain.known.values()}) == 2


def test_unusable_values_prove_nothing() -> None:
    assert count([{"id": "1", "email_hash": "k1:!x"}, {"id": "2", "email_hash": "k1:!x"}]) == 2


def test_a_value_that_too_many_share_links_nobody_and_is_counted() -> None:
    crowd: list[Row] = [{"id": str(n), "phone_hash": "k1:shop"} for n in range(21)]
    chain = Chain()
    assert chain.night(crowd).crowded == {"phone_hash": {"values": 1, "records": 21}}
    assert len(set(chain.people().values())) == 21
    assert count(crowd[:20]) == 1


def test_what_receipts_show_to_be_a_shops_links_nobody() -> None:
    two: list[Row] = [{"id": "1", "phone_hash": "k1:shop"}, {"id": "2", "phone_hash": "k1:shop"}]
    assert count(two) == 1
    assert count(two, busy=[("phone_hash", "k1:shop")]) == 2


def test_a_value_that_turns_out_to_be_a_shops_parts_those_it_had_linked_and_links_them_when_it_no_longer_is() -> None:
    crowd: list[Row] = [{"id": f"{n:02}", "phone_hash": "k1:shop"} for n in range(4)]
    chain = Chain()
    chain.night(crowd[:3], max_sharing=3)
    first = chain.people()["00"]
    assert set(chain.people().values()) == {first}
    chain.night(crowd, TOMORROW, max_sharing=3)
    assert len(set(chain.people().values())) == 4
    assert chain.people()["00"] == first
    assert [(e["event"], e["old_customer_id"], e["cause"]) for e in chain.ledger] == [
        ("split", first, "crowded_identifier"), ("split", first, "crowded_identifier"),
    ]  # fmt: skip
    apart = chain.people()
    chain.night(crowd[:3], LATER, max_sharing=3)  # one of the four was erased
    assert set(chain.people().values()) == {first}
    assert {(e["old_customer_id"], e["new_customer_id"], e["cause"]) for e in chain.ledger[2:]} == {
        (apart["01"], first, "phone"), (apart["02"], first, "phone"),
    }  # fmt: skip


WEI: Row = {"name": "Li Wei", "birth_date": "1980-05-02"}
FANG: Row = {"name": "Wang Fang", "birth_date": "1991-11-23"}


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ({"name": "Bill Smith"}, {"name": "SMITH, William"}, True),  # a nickname
        ({"name": "J. Smith"}, {"name": "Joan Smith"}, True),  # an initial
        ({"name": "Jon Smith"}, {"name": "John Smyth"}, True),  # nearly
        ({"name": "Smith John"}, {"name": "John Smith"}, True),  # turned
        ({"name": "李小明"}, {"name": "Xiaoming Li"}, True),  # two scripts
        ({"name": "李 小明"}, {"name": "李 大伟"}, False),  # a family name first
        ({"name": "Herr Hans Huber"}, {"name": "Herr Josef Huber"}, False),
        ({"name": "Dr. Zoë Müller"}, {"name": "zoe muller"}, True),
        ({"name": "Anna Smith"}, {"name": "Peter Smith"}, False),  # a family's phone
        ({"name": "Anna Smith"}, {}, True),  # nothing speaks against it
        ({"name": "Anna"}, {"name": "Anna Smith"}, True),  # one word is either name
        ({"name": "Smith"}, {"name": "Anna Smith"}, True),
        ({"name": "Anna Smith"}, {"name": "Smyth"}, True),
        ({"name": "Peter"}, {"name": "Anna Smith"}, False),
        ({"name": "Anna Smith", "birth_date": "1950-03-04"}, {"name": "Anna Smith", "birth_date": "1981-11-02"}, False),
    ],
)
def test_a_phone_links_those_alone_whose_names_may_be_one_persons(one: Row, other: Row, are_one: bool) -> None:
    rows = [{"id": "1", "phone_hash": "k1:p", **one}, {"id": "2", "phone_hash": "k1:p", **other}]
    assert (count(rows) == 1) is are_one


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        (WEI, FANG, False),
        (WEI, {**FANG, "birth_date": "1980-05-02"}, True),  # a name that was changed
        (WEI, {**FANG, "birth_date": "1980-02-05"}, True),  # day and month turned
        (WEI, {**FANG, "birth_date": "1980-01-01"}, True),  # the year's first day, of somebody who told the year
        (WEI, {**FANG, "birth_date": "1980"}, True),  # the year alone
        (WEI, {**FANG, "birth_date": "1991"}, False),
        (WEI, {**WEI, "birth_date": "1991-11-23"}, True),  # a wrong date, the same name
        (WEI, {"name": "Wang Fang"}, True),
        (WEI, {}, True),
        ({**WEI, "loyalty_card_hash": "k1:1"}, {"name": "Wang Fang", "loyalty_card_hash": "k1:2"}, False),
        ({**WEI, "loyalty_card_hash": "k1:1"}, {**WEI, "loyalty_card_hash": "k1:2"}, True),  # a card that was lost
    ],
)
def test_other_names_and_another_birth_or_card_are_never_one_person(one: Row, other: Row, are_one: bool) -> None:
    rows = [{"id": "1", "payment_token_hash": "k1:t", **one}, {"id": "2", "payment_token_hash": "k1:t", **other}]
    assert (count(rows) == 1) is are_one


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        (WEI, {"name": "Li Wei"}, True),
        (WEI, {"name": "Wang Fang"}, False),  # a family's
        (WEI, {**FANG, "birth_date": "1980-05-02"}, True),  # a name that was changed
        (WEI, {**FANG, "birth_date": "1980"}, False),  # of one year are many
        (WEI, {}, True),
    ],
)
def test_an_e_mail_links_those_alone_whose_names_may_be_one_persons_or_who_were_born_on_one_day(
    one: Row, other: Row, are_one: bool
) -> None:
    rows = [{"id": "1", "email_hash": "k1:e", **one}, {"id": "2", "email_hash": "k1:e", **other}]
    assert (count(rows) == 1) is are_one


def test_two_who_are_never_one_are_not_joined_through_a_third_and_the_weakest_link_gives_way() -> None:
    rows = [
        {"id": "1", "email_hash": "k1:e", **WEI},
        {"id": "2", "email_hash": "k1:e", "phone_hash": "k1:p"},  # nameless: either's
        {"id": "3", "phone_hash": "k1:p", **FANG},
    ]
    found = people(rows)
    assert found["1"] == found["2"] != found["3"]


@pytest.mark.parametrize(
    ("forbidden", "doubtful", "people"),
    [
        ((), (), [0, 0, 0, 0]),
        ((), [(0, 2)], [0, 0, 2, 2]),  # the guess gives way, and not what an identifier proves
        ((), [(2, 3)], [0, 0, 0, 0]),
        ([(2, 3)], (), [0, 0, 0, 3]),
        ([(0, 3)], (), [0, 0, 2, 2]),
    ],
)
def test_the_weakest_link_gives_way(
    forbidden: list[tuple[int, int]], doubtful: list[tuple[int, int]], people: list[int]
) -> None:
    edges = Edges(np.array([0, 2, 1]), np.array([1, 3, 2]), np.array([False, False, True]))
    assert cut(components(4, edges), edges, forbidden, doubtful).tolist() == people


def test_a_models_link_gives_way_to_what_identifiers_prove() -> None:
    rows: list[Row] = [
        {"id": "1", "name": "Anna Smith"}, {"id": "2", "phone_hash": "k1:p"},
        {"id": "3", "name": "Peter Smith", "phone_hash": "k1:p"},
    ]  # fmt: skip
    ends = {"left_hash": person_hash("crm", "1"), "right_hash": person_hash("crm", "2")}
    guessed = {**ends, "linked_by": "probabilistic", "weight": 9.0, "score": 0.99, "linked_on": DAY}
    chain = Chain(links=pa.Table.from_pylist([guessed], LINKS))
    chain.night(rows[:2])
    assert len(set(chain.people().values())) == 1
    chain.night(rows, TOMORROW)
    found = chain.people()
    assert found["1"] != found["2"] == found["3"]


def test_decisions_win_and_their_end_undoes_them() -> None:
    rows: list[Row] = [{"id": "1", "email_hash": "k1:e"}, {"id": "2", "email_hash": "k1:e"}, {"id": "3"}]
    chain = Chain()
    chain.night(rows[:2], date(2026, 6, 29))
    chain.night(rows)
    one, alone = chain.people()["1"], chain.people()["3"]
    assert one == chain.people()["2"]
    chain.night(rows, TOMORROW, decisions=[("1", "2", False), ("1", "3", True)])
    parted = chain.people()
    assert parted["1"] == parted["3"] == one != parted["2"]
    assert [(row["linked_by"], row["basis"]) for row in chain.links.to_pylist()] == [("manual", "somebody 2026-06-30")]
    chain.night(rows, LATER)
    assert chain.people() == {"1": one, "2": one, "3": alone}
    assert [
        (str(e["day"]), e["event"], e["old_customer_id"], e["new_customer_id"], e["cause"]) for e in chain.ledger
    ] == [
        ("2026-07-01", "merged", alone, one, "manual"),
        ("2026-07-01", "split", one, parted["2"], "never_link"),
        ("2026-07-02", "merged", parted["2"], one, "email"),
        ("2026-07-02", "split", one, alone, "decision_withdrawn"),
    ]


def test_a_decision_never_to_link_holds_through_others() -> None:
    rows: list[Row] = [
        {"id": "1", "loyalty_card_hash": "k1:c"}, {"id": "2", "loyalty_card_hash": "k1:c", "phone_hash": "k1:p"},
        {"id": "3", "phone_hash": "k1:p"},
    ]  # fmt: skip
    found = people(rows, decisions=[("1", "3", False)])
    assert found["1"] == found["2"] != found["3"]


def test_ids_last_and_what_was_linked_stays_linked() -> None:
    chain = Chain()
    first = [{"id": "1", "email_hash": "k1:e"}, {"id": "2", "email_hash": "k1:e"}, {"id": "3"}]
    chain.night(first)
    before = chain.people()
    # 2 has another e-mail now; an earlier record of the third person turns up: it joins, and takes nobody's id
    rows = [first[0], {"id": "2", "email_hash": "k1:new"}, {"id": "3", "phone_hash": "k1:p"},
            {"id": "0", "first_seen_on": date(2020, 1, 1), "phone_hash": "k1:p"}]  # fmt: skip
    chain.night(rows, TOMORROW)
    assert {name: chain.people()[name] for name in "123"} == before
    assert chain.people()["0"] == before["3"]
    assert [chain.known["crm", name]["known_since"] for name in "0123"] == [TOMORROW, DAY, DAY, DAY]
    assert chain.ledger == []


def test_two_people_who_prove_to_be_one_keep_the_older_id_and_part_again_when_it_was_a_slip() -> None:
    old: Row = {"id": "old", "payment_token_hash": "k1:1", "name": "Li Wei"}
    young: Row = {"id": "young", "first_seen_on": date(2020, 1, 1), "payment_token_hash": "k1:2", "name": "Wang Fang"}
    chain = Chain()
    chain.night([old])
    chain.night([old, young], TOMORROW)
    before = chain.people()
    slip = young | {"payment_token_hash": "k1:1"}
    chain.night([old, slip], LATER)
    assert set(chain.people().values()) == {before["old"]}
    chain.night([old, slip], date(2026, 7, 3))
    chain.night([old, young], date(2026, 7, 4))
    assert chain.people() == before
    assert [
        (str(e["day"]), e["event"], e["old_customer_id"], e["new_customer_id"], e["cause"]) for e in chain.ledger
    ] == [
        ("2026-07-02", "merged", before["young"], before["old"], "payment_token"),
        ("2026-07-04", "split", before["old"], before["young"], "withdrawn_identifier"),
    ]


def test_of_a_split_the_part_with_the_record_that_the_id_was_made_of_keeps_it() -> None:
    rows: list[Row] = [{"id": name, "email_hash": "k1:e"} for name in "123"]
    chain = Chain()
    chain.night(rows)
    (one,) = set(chain.people().values())
    chain.night(rows, TOMORROW, decisions=[("1", "2", False), ("1", "3", False)])
    found = chain.people()
    assert found["1"] == one == id_of("1")
    assert found["2"] == found["3"] == id_of("2")


def test_old_ids_lead_to_one_that_is_given_and_none_does_whose_id_is_back() -> None:
    chain = Chain()
    rows: list[Row] = [{"id": name} for name in "abc"]
    for number in range(3):  # ids of three ages
        chain.night(rows[: number + 1], date(2026, 6, 1 + number))
    a, b, c = (chain.people()[name] for name in "abc")
    chain.night(rows, DAY, decisions=[("b", "c", True)])
    assert chain.leads() == {c: b}
    chain.night(rows, TOMORROW, decisions=[("b", "c", True), ("a", "b", True)])
    assert chain.leads() == {b: a, c: a}
    chain.night(rows, LATER, decisions=[("a", "b", True)])
    assert chain.people()["c"] == c
    assert chain.leads() == {a: a, b: a}


def test_an_id_that_came_apart_and_ended_in_one_night_leads_on_once() -> None:
    """Reported by a newcomer: two rows of one alias stopped the night."""
    events = pa.table({"event": ["merged", "split"], "old_customer_id": ["a", "a"], "new_customer_id": ["b", "c"]})
    people = pa.table({"person_hash": ["k1:x", "k1:y"], "customer_id": ["b", "c"]})
    found = aliases(ALIASES.empty_table(), events, people, DAY)
    assert [(row["old_customer_id"], row["customer_id"], row["event"]) for row in found.to_pylist()] == [
        ("a", "b", "merged")
    ]


def test_a_part_has_the_id_back_that_it_had_though_another_record_was_seen_first() -> None:
    """Reported by a newcomer: after two merges and a split it got a third id, and the former led to somebody else."""
    rows: list[Row] = [{"id": "b"}, {"id": "a"}, {"id": "c", "first_seen_on": date(2020, 1, 1)}]
    chain = Chain()
    for number in range(3):  # b is known longest, c was seen first
        chain.night(rows[: number + 1], date(2026, 6, 1 + number))
    a, b, c = (chain.people()[name] for name in "abc")
    chain.night(rows, DAY, decisions=[("a", "c", True)])
    assert chain.people() == {"a": a, "b": b, "c": a}
    chain.night(rows, TOMORROW, decisions=[("a", "c", True), ("a", "b", True)])
    assert set(chain.people().values()) == {b}
    assert chain.leads() == {a: b, c: b}
    chain.night(rows, LATER, decisions=[("a", "c", True)])
    assert chain.people() == {"a": a, "b": b, "c": a}
    assert chain.leads() == {c: a, b: b}


def test_a_decided_link_joins_all_that_hangs_on_both() -> None:
    """Reported by a newcomer: the records beside the decided pair stayed foes, and one was torn off."""
    petra = {"name": "Petra Alt", "birth_date": "1950-03-04", "loyalty_card_hash": "k1:1"}
    zoltan = {"name": "Zoltan Neu", "birth_date": "1981-11-02", "loyalty_card_hash": "k1:2"}
    rows: list[Row] = [{"id": "1", **petra}, {"id": "2", **petra}, {"id": "3", **zoltan}, {"id": "4", **zoltan}]
    chain = Chain()
    chain.night(rows)
    assert len(set(chain.people().values())) == 2
    chain.night(rows, TOMORROW, decisions=[("1", "3", True)])
    assert len(set(chain.people().values())) == 1
    chain.night(rows, LATER, decisions=[("1", "3", True), ("2", "4", False)])
    assert len(set(chain.people().values())) == 2, "but for what somebody forbade"


def test_a_decision_that_parts_who_others_joined_is_the_cause() -> None:
    rows: list[Row] = [{"id": "1", "email_hash": "k1:e"}, {"id": "2", "email_hash": "k1:e", "phone_hash": "k1:p"},
                       {"id": "3", "phone_hash": "k1:p"}]  # fmt: skip
    chain = Chain()
    chain.night(rows)
    chain.night(rows, TOMORROW, decisions=[("1", "3", False)])
    assert [(event["event"], event["cause"]) for event in chain.ledger] == [("split", "never_link")]


def test_people_of_many_records_and_names_are_pointed_out() -> None:
    rows: list[Row] = [{"id": f"{n}", "payment_token_hash": "k1:t", "name": f"{name} Smith"}
                       for n, name in enumerate(["Anna", "Bert", "Carl", *["Anna"] * 9])]  # fmt: skip
    alarms = Chain().night(rows).alarms
    assert alarms == {"largest_person": 12, "people_of_many_records": 1, "people_of_many_names": 1}


def test_nobody_is_nobody() -> None:
    found = Chain().night([])
    assert (found.records.num_rows, found.links.num_rows, found.events.num_rows) == (0, 0, 0)


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ("+12125551234", "+12125551234", "same phone and given name"),
        ("+12125551234", "+12125551243", "a slip in the phone"),
        ("+12125551234", "+12129990000", "another phone of the area"),
        ("+12125551234", "+13129990000", "other"),
        ("+4366012345", "+4366098765", "another phone of the area"),
        ("5551234", "5559876", "other"),  # no area that one could see
        ("+12125551234", None, "not known"),
    ],
)
def test_what_two_telephones_say(left: str | None, right: str | None, said: str) -> None:
    (levels,) = (one["comparison_levels"] for one in model.comparisons() if one["output_column_name"] == "phone")
    given = "'anna' AS given_l, 'anna' AS given_r, ['anna'] AS roots_l, ['anna'] AS roots_r"
    cases = " ".join(
        f"WHEN {level['sql_condition']} THEN '{level['label_for_charts']}'"
        for level in levels if level["sql_condition"] != "ELSE"
    )  # fmt: skip
    ((found,),) = duckdb.execute(
        f"SELECT CASE {cases} ELSE 'other' END FROM (SELECT ?::VARCHAR AS phone_l, ?::VARCHAR AS phone_r, {given})",
        [left, right],
    ).fetchall()
    assert found == said

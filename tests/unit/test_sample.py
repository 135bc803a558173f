"""The sample businesses and the API server; the whole grocer is in ``tests/e2e/test_sample_grocer.py``."""

from __future__ import annotations

import csv
import gzip
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import phonenumbers
import pytest

from jobs.definitions.canonical import BY_NAME
from jobs.errors import UsageError
from jobs.sample import grocer_people, server
from jobs.sample.draw import pick, share
from jobs.sample.online import account_document, order_document, write_online
from jobs.sample.restaurant import generate, periods
from jobs.settings import load_settings

CONFIGURATIONS = Path(server.__file__).parent
Record = dict[str, str]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(400, 70, 3, tmp_path_factory.mktemp("chain"), date(2026, 7, 2))


def receipts(folder: Path) -> dict[str, list[Record]]:
    """File name -> its rows."""
    found = {}
    for path in sorted((folder / "pos").iterdir()):
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        found[path.name] = list(csv.DictReader(text.splitlines()))
    return found


def rows(database: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement).fetchall()


def truth(folder: Path, name: str) -> list[Record]:
    with (folder / "truth" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- invention -------------------------------------------------------------------------------------


def test_an_invented_value_is_fixed_for_all_time() -> None:
    # printf name:17 | sha256sum begins with d118064e2745e538
    assert share("name", 17) == (0xD118064E2745E538 >> 11) / 2**53
    assert pick("ab", "name", 17) == "b"
    assert share("name", 17) != share("name", 18)
    assert 0.45 < sum(share("x", key) for key in range(4_000)) / 4_000 < 0.55


def households(number: int) -> list[grocer_people.Household]:
    ids = range(1, number + 1)
    return grocer_people.invent(
        dict.fromkeys(ids, 1_490_000_000), dict.fromkeys(ids, ("Columbus", "Ohio")), set(range(1, 1_501))
    )


def e164(text: str) -> str:
    number = phonenumbers.parse(text, "US")
    assert phonenumbers.is_possible_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def test_no_two_households_share_a_contact() -> None:
    people = households(2_500)
    for contact in ("email", "phone", "card_number"):
        assert len({getattr(person, contact) for person in people}) == 2_500
    assert all(person.phone[5:].startswith("55501") and e164(person.phone) == person.phone for person in people)


def test_about_three_in_a_hundred_are_not_members_and_never_those_the_crm_must_know() -> None:
    people = households(2_500)
    outsiders = [person.household_id for person in people if not person.is_member]
    assert len(outsiders) == 75
    assert min(outsiders) > 1_500
    assert all(person.has_account for person in people if not person.is_member)


def test_every_account_of_a_member_leads_to_that_member_and_to_nobody_else() -> None:
    people = households(2_500)
    by_email = {person.email: person.household_id for person in people}
    by_phone = {person.phone: person.household_id for person in people}
    kinds = set()
    for person in people:
        account = grocer_people.account(person)
        email = by_email.get(account["email"].strip().casefold())
        phone = by_phone.get(e164(account["phone"])) if account["phone"] else None
        assert {email, phone} - {None} == {person.household_id}
        kinds.add((email is None, phone is None))
    assert kinds == {(False, False), (True, False), (False, True)}


# --- the generated chain ---------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_files(chain: Path, tmp_path: Path) -> None:
    again = generate(400, 70, 3, tmp_path / "again", date(2026, 7, 2))
    files = sorted(path.relative_to(chain) for path in chain.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert [path for path in files if (chain / path).read_bytes() != (again / path).read_bytes()] == []


def test_a_second_layout_replaces_the_first(tmp_path: Path) -> None:
    generate(20, 10, 1, tmp_path, date(2026, 1, 10))
    (tmp_path / "notes.txt").write_text("kept")
    generate(20, 10, 1, tmp_path, date(2026, 3, 10))
    assert not [path for path in (tmp_path / "pos").iterdir() if "2026-01" in path.name]
    assert (tmp_path / "notes.txt").read_text() == "kept"


def test_periods_are_months_and_then_four_nights() -> None:
    # 70 days end on 2 July: the last four nights begin on 29 June
    found = [(period.name, period.first, period.last, period.is_daily) for period in periods(date(2026, 4, 24), 70)]
    assert found == [
        ("2026-04", 0, 6, False),
        ("2026-05", 7, 37, False),
        ("2026-06-28", 38, 65, False),
        ("2026-06-29", 66, 66, True),
        ("2026-06-30", 67, 67, True),
        ("2026-07-01", 68, 68, True),
        ("2026-07-02", 69, 69, True),
    ]


def business_date(line: Record) -> str:
    """Shanghai is eight hours ahead, and its business day begins at 02:00."""
    return (datetime.fromisoformat(line["sold_at"]) + timedelta(hours=6)).date().isoformat()


def test_receipts_are_in_the_file_of_their_store_and_business_date(chain: Path) -> None:
    for name, lines in receipts(chain).items():
        *store, period = name.removeprefix("receipts_").split(".")[0].split("_")
        dates = {business_date(line) for line in lines}
        if store:
            assert {line["store_id"] for line in lines} == set(store)
            assert dates == {period}
        else:
            assert max(dates)[: len(period)] == period
            assert {day[:7] for day in dates} == {period[:7]}


def test_every_order_is_in_one_system_once_and_the_truth_knows_whose_it_is(chain: Path) -> None:
    by_kind: dict[tuple[str, str], list[str]] = {}
    for record in truth(chain, "records"):
        by_kind.setdefault((record["source"], record["kind"]), []).append(record["record_id"])
    lines = [line for file in receipts(chain).values() for line in file]
    named = {line["receipt_no"] for line in lines if line["card_number"]}
    guests = {line["receipt_no"] for line in lines if not line["card_number"]}
    assert sorted(by_kind["pos", "order"]) == sorted(named)
    assert sorted(by_kind["pos", "guest_order"]) == sorted(guests)
    assert sorted(by_kind["online", "order"]) == sorted(
        key for (key,) in rows(chain / "online.sqlite", "SELECT id FROM orders")
    )
    assert sorted(by_kind["crm", "customer"]) == sorted(
        str(key) for (key,) in rows(chain / "crm.sqlite", "SELECT member_id FROM members")
    )
    assert 0.2 < len(guests) / (len(guests) + len(named)) < 0.3
    assert len({(line["receipt_no"], line["line_no"]) for line in lines}) == len(lines)


def test_cards_belong_to_members_and_money_adds_up(chain: Path) -> None:
    cards = {card for (card,) in rows(chain / "crm.sqlite", "SELECT card_number FROM members")}
    for line in (line for file in receipts(chain).values() for line in file):
        assert not line["card_number"] or line["card_number"] in cards
        amounts = [Decimal(line[name]) for name in ("gross", "discount", "coupon_discount", "refunded")]
        assert all(amount.as_tuple().exponent == -2 and amount >= 0 for amount in amounts)
        assert amounts[0] - sum(amounts[1:]) >= 0


def test_nobody_comes_after_the_day_on_which_they_stopped(chain: Path) -> None:
    stopped = {person["person_id"]: person["churned_on"] for person in truth(chain, "people")}
    whose = {record["record_id"]: record["person_id"] for record in truth(chain, "records")}
    assert 20 < sum(bool(day) for day in stopped.values()) < 200
    for line in (line for file in receipts(chain).values() for line in file):
        day = stopped[whose[line["receipt_no"]]]
        assert not day or business_date(line) < day


def test_the_held_out_redeem_nothing(chain: Path) -> None:
    database = chain / "crm.sqlite"
    assert rows(database, "SELECT count(*) FROM redemptions")[0][0] > 20
    assert 0.1 < rows(database, "SELECT avg(is_holdout) FROM campaign_members")[0][0] < 0.3
    joined = "redemptions JOIN campaign_members USING (campaign_id, member_id)"
    held = f"SELECT count(*) FROM {joined} WHERE is_holdout"
    assert rows(database, held) == [(0,)]


def test_what_members_do_beside_visits_is_of_members_who_were_there(chain: Path) -> None:
    database = chain / "crm.sqlite"
    instants = {"web_sessions": "started_at", "social_events": "occurred_at", "survey_answers": "answered_at"}
    for table, instant in {**instants, "customer_attributes": "event.updated_at"}.items():
        lone = f"registered_at IS NULL OR {instant} < registered_at OR {instant} >= '2026-07-02T18:00:00Z'"
        joined = f"{table} AS event LEFT JOIN members USING (member_id)"
        assert rows(database, f"SELECT count(*) > 0, sum({lone}) FROM {joined}") == [(1, 0)], table
    referred = "SELECT DISTINCT kind FROM social_events WHERE referred_member_id IS NOT NULL"
    assert rows(database, referred) == [("referral",)]


def test_a_chain_without_customers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1 customer"):
        generate(0, 30, 1, tmp_path / "none")
    assert not (tmp_path / "none").exists()


# --- the configurations ----------------------------------------------------------------------------


@pytest.mark.parametrize("business", ["grocer", "restaurant"])
def test_the_configuration_maps_every_required_column(business: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_CONFIG", str(CONFIGURATIONS / f"{business}.toml"))
    for source in load_settings().sources.values():
        for feed in source.feeds.values():
            for entity, mapping in feed.maps.items():
                columns = {column.name: column for column in BY_NAME[entity].columns}
                required = {name for name, column in columns.items() if column.required} - {"source"}
                assert required <= set(mapping) <= set(columns)


@pytest.mark.parametrize("business", ["grocer", "restaurant"])
def test_the_configuration_declares_the_columns_that_the_database_has(
    business: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.sample import grocer_crm, restaurant

    schema = grocer_crm.SCHEMA if business == "grocer" else restaurant.SCHEMA
    monkeypatch.setenv("REGULARS_CONFIG", str(CONFIGURATIONS / f"{business}.toml"))
    feeds = load_settings().sources["crm"].feeds
    assert {feed.table: list(feed.columns) for feed in feeds.values()} == {
        table: list(columns) for table, columns in schema.items()
    }


# --- the API ---------------------------------------------------------------------------------------


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server with 25 orders, five at each of five instants."""
    orders = [
        order_document(
            {"order_id": f"W{number:02d}", "updated_at": f"2017-12-2{number % 5}T10:00:00Z"},
            [{"line_no": 1, "gross": Decimal("3.50")}],
        )
        for number in range(25)
    ]
    account = account_document({"account_id": "A1", "name": "Zoë", "updated_at": "2017-01-01T00:00:00Z"})
    write_online(tmp_path / "online.sqlite", [account], orders)
    monkeypatch.setenv(server.TOKEN_VARIABLE, "secret")
    running = server.open_server(tmp_path / "online.sqlite", "127.0.0.1", 0)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()
    thread.join()


def get(address: str, token: str | None = "secret", **parameters: str) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(Request(f"{address}?{urlencode(parameters)}", headers=headers), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def paged(address: str, **parameters: str) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = json.loads(get(address, **parameters, **cursor)[1])
        found += [order["order_id"] for order in page["data"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def test_paging_gives_each_order_once_in_the_order_of_change(api: str) -> None:
    expected = [f"W{start + 5 * step:02d}" for start in range(5) for step in range(5)]
    for limit in ("1", "3", "5", "25", "9999"):
        assert paged(f"{api}/orders", limit=limit) == expected


def test_since_is_inclusive_and_until_exclusive_in_any_offset(api: str) -> None:
    since, until = "2017-12-21T10:00:00Z", "2017-12-22T05:00:00-05:00"
    assert paged(f"{api}/orders", updated_since=since, updated_until=until) == [
        "W01",
        "W06",
        "W11",
        "W16",
        "W21",
    ]
    assert paged(f"{api}/orders", updated_since="2017-12-24T10:00:00.000001Z") == []


def test_numbers_keep_their_places_and_letters_their_marks(api: str) -> None:
    assert '"lines":[{"line_no":1,"gross":3.50}]' in get(f"{api}/orders", limit="1")[1]
    assert "Zoë" in get(f"{api}/accounts")[1]


@pytest.mark.parametrize("token", [None, "wrong", "secrets"])
def test_without_the_token_there_is_no_answer(api: str, token: str | None) -> None:
    status, body = get(f"{api}/orders", token)
    assert (status, "data" in body) == (401, False)
    assert get(f"{api}/health", token)[0] == 200


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("limit", "0"), ("limit", "many"), ("cursor", "x"), ("updated_since", "monday"), ("page", "2")],
)
def test_what_cannot_be_understood_is_said(api: str, parameter: str, value: str) -> None:
    status, body = get(f"{api}/orders", **{parameter: value})
    assert status == 400
    assert parameter in json.loads(body)["error"]


def test_another_resource_is_not_found(api: str) -> None:
    assert get(f"{api}/payments")[0] == 404


def test_the_server_does_not_start_without_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_online(tmp_path / "online.sqlite", [], [])
    monkeypatch.delenv(server.TOKEN_VARIABLE, raising=False)
    assert server.main(["--database", str(tmp_path / "online.sqlite")]) == 2
    assert server.main(["--database", str(tmp_path / "absent.sqlite")]) == 2

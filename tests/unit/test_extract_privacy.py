"""Contact data leaves raw, keyed, and only by mappings that can be protected."""

from __future__ import annotations

import pyarrow as pa
import pytest

from jobs.errors import ContractError, EnvironmentFault, UsageError
from jobs.extract.chunks import Reject, shown
from jobs.extract.contacts import contacts_of
from jobs.extract.digest import RowsHash
from jobs.extract.keys import Keys, is_unusable
from jobs.extract.privacy import VAULT_SCHEMA, PrivacyFilter
from jobs.source_settings import Feed

KEYS = Keys.from_master("k1", "0123456789abcdef")
MAPS = {"customers": {"source_customer_id": "id", "email": "Mail", "birth_date": "born", "city": "town"}}


def filtered(
    maps: dict[str, dict[str, str]], columns: dict[str, list[str | None]], *, sparse: bool = False
) -> tuple[dict[str, list[str | None]], list[dict[str, str | None]]]:
    contacts = contacts_of("crm.people", Feed(maps=maps))
    guard = PrivacyFilter("crm", "people", contacts, KEYS, "US", sparse=sparse)
    batch = pa.RecordBatch.from_pydict({n: pa.array(v, pa.string()) for n, v in columns.items()})
    raw, vault = guard.apply(batch, "people.csv")
    return raw.to_pydict(), [] if vault is None else vault.to_pylist()


def test_contact_columns_become_hashes_in_place() -> None:
    raw, vault = filtered(
        MAPS,
        {
            "id": ["1", "1", "2", None],
            "mail": ["A@x.org", "A@x.org", "nonsense", None],
            "born": ["1980-04-05", "1980-04-05", "1990-12-01", "?"],
            "town": ["Oslo", "Oslo", "Bergen", None],
        },
    )
    assert list(raw) == ["id", "mail", "born", "town", "_birth_year", "_birth_month", "_person_hash"]
    assert raw["mail"][:2] == [KEYS.pseudonym("email", "a@x.org")] * 2
    assert raw["mail"][2] == KEYS.unusable("email", "nonsense")
    assert raw["mail"][3] is None
    assert [is_unusable(value) for value in raw["mail"][1:3] if value] == [False, True]
    assert raw["_birth_year"] == ["1980", "1980", "1990", None]
    assert raw["_birth_month"] == ["4", "4", "12", None]
    assert raw["_person_hash"] == [KEYS.person("crm", "1")] * 2 + [KEYS.person("crm", "2"), None]
    assert raw["town"] == ["Oslo", "Oslo", "Bergen", None]
    emails = [row for row in vault if row["field"] == "email"]
    assert [(row["value"], row["normalised"]) for row in emails] == [
        ("A@x.org", "a@x.org"),
        ("nonsense", None),
    ]
    assert len(vault) == 5
    assert list(vault[0]) == VAULT_SCHEMA.names


def test_domains_and_keys_do_not_match() -> None:
    other = Keys.from_master("k2", "another master key")
    hashes = {KEYS.pseudonym("name", "x"), KEYS.pseudonym("address", "x"), other.pseudonym("name", "x")}
    assert len(hashes) == 3
    assert all(len(text.partition(":")[2]) == 32 for text in hashes)


def test_a_known_pseudonym_never_changes() -> None:
    import hashlib
    import hmac

    subkey = hmac.new(b"0123456789abcdef", b"regulars:email", hashlib.sha256).digest()
    expected = "k1:" + hmac.new(subkey, b"a@x.org", hashlib.sha256).hexdigest()[:32]
    assert KEYS.pseudonym("email", "a@x.org") == expected


@pytest.mark.parametrize("value", [None, "short"])
def test_no_key_no_start(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("REGULARS_KEY_K9", raising=False)
    if value:
        monkeypatch.setenv("REGULARS_KEY_K9", value)
    with pytest.raises(EnvironmentFault, match="REGULARS_KEY_K9") as caught:
        Keys.from_environment("k9")
    assert "secrets.token_hex(32)" in caught.value.next_command
    assert "short " not in str(caught.value)


def test_keys_do_not_show_themselves() -> None:
    assert repr(KEYS) == "Keys(key_id='k1')"


@pytest.mark.parametrize(
    ("entity", "mapping", "named"),
    [
        ("customers", {"email": "lower(mail)"}, "crm.people.maps.customers.email"),
        ("customers", {"email": "mail", "city": "mail"}, "crm.people.maps.customers.city"),
        ("customers", {"email": "mail", "city": "split(MAIL, '@')[0]"}, "crm.people.maps.customers.city"),
        ("customers", {"email": "mail", "phone": "mail"}, "crm.people.maps.customers.phone"),
        ("customers", {"birth_date": "born", "birth_year": "year(born)"}, "_birth_year"),
        ("orders", {"source_customer_id": "concat('x', id)"}, "crm.people.maps.orders.source_customer_id"),
    ],
)
def test_mappings_that_cannot_be_protected(entity: str, mapping: dict[str, str], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        contacts_of("crm.people", Feed(maps={entity: mapping}))


def test_names_of_things_are_no_contact_data() -> None:
    maps = {
        "products": {"product_id": "sku", "name": "upper(title)"},
        "orders": {"city": "concat('born', x)"},
    }
    assert contacts_of("shop.items", Feed(maps=maps)).fields == {}


def test_a_renamed_contact_column_is_not_carried_raw() -> None:
    columns: dict[str, list[str | None]] = {
        "id": ["1"],
        "e_mail": ["a@x.org"],
        "born": [None],
        "town": [None],
    }
    with pytest.raises(ContractError, match="column mail") as caught:
        filtered(MAPS, columns)
    assert "a@x.org" not in str(caught.value)
    raw, _ = filtered({"customers": {"email": "mail"}}, {"id": ["1"]}, sparse=True)
    assert raw == {"id": ["1"], "_person_hash": [None]}


def test_the_hash_of_rows_does_not_see_batches() -> None:
    def digest(*batches: dict[str, list[str | None]]) -> str:
        rows = RowsHash()
        for batch in batches:
            rows.update(pa.RecordBatch.from_pydict({n: pa.array(v, pa.string()) for n, v in batch.items()}))
        return rows.hexdigest()

    whole = digest({"a": ["x", None, "yz"], "b": [None, None, "1"]})
    assert digest({"a": ["x"]}, {"a": [None, "yz"], "b": [None, "1"]}) == whole
    sliced = pa.RecordBatch.from_pydict({"a": pa.array(["q", "x", None, "yz"]), "b": pa.array(["q", None, None, "1"])})
    rows = RowsHash()
    rows.update(sliced.slice(1, 2))
    rows.update(sliced.slice(3))
    assert rows.hexdigest() == whole
    assert digest({"a": [None, "x", "yz"], "b": [None, None, "1"]}) != whole
    assert digest({"a": ["x", "", "yz"], "b": [None, None, "1"]}) != whole
    assert digest({"a": ["xy", None, "z"], "b": [None, None, "1"]}) != whole
    rows.rejected(Reject(1, "unparsable.quote", "x"))
    assert rows.hexdigest() != whole


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("postgresql://ann:${DB_PASSWORD}@host/db", "postgresql://ann:${DB_PASSWORD}@host/db"),
        ("postgresql://ann:can@ry@host/db", "postgresql://ann:***@host/db"),
        ("https://host/v1?key=canary", "https://host/v1?..."),
        ("s3://bucket/in", "s3://bucket/in"),
        ("${SHOP_URL}", "${SHOP_URL}"),
    ],
)
def test_locations_are_shown_without_secrets(location: str, expected: str) -> None:
    assert shown(location) == expected

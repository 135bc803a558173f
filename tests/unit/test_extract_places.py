"""Addresses by hand, of each country: what they tell of region and city, and what they must never tell."""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.extract.contacts import contacts_of
from jobs.extract.keys import Keys
from jobs.extract.places import place
from jobs.extract.privacy import PrivacyFilter
from jobs.source_settings import Feed

KEYS = Keys.from_master("k1", "0123456789abcdef")
COUNTRIES = ("CN", "US", "GB", "DE", "AT", "CH", "FR", "IT", "ES", "NL")


@pytest.mark.parametrize(
    ("country", "address", "region", "city"),
    [
        ("CN", "广东省深圳市南山区科技园路1号", "广东", "深圳"),
        ("CN", "广东深圳市南山区", "广东", "深圳"),
        ("CN", "深圳市南山区", "广东", "深圳"),
        ("CN", "518000 中国 广东省，深圳市", "广东", "深圳"),
        ("CN", "吉林省吉林市船营区", "吉林", "吉林"),
        ("CN", "吉林市船营区", "吉林", "吉林"),
        ("CN", "上海市浦东新区世纪大道100号", "上海", "上海"),
        ("CN", "北京市朝阳区", "北京", "北京"),
        ("CN", "天津市和平区", "天津", "天津"),
        ("CN", "重庆市万州区", "重庆", "重庆"),
        ("CN", "香港特别行政区中西区", "香港", "香港"),
        ("CN", "澳门特别行政区", "澳门", "澳门"),
        ("CN", "内蒙古自治区呼和浩特市", "内蒙古", "呼和浩特"),
        ("CN", "广西壮族自治区南宁市青秀区", "广西", "南宁"),
        ("CN", "新疆维吾尔自治区克拉玛依市", "新疆", "克拉玛依"),
        ("CN", "吉林省延边朝鲜族自治州延吉市", "吉林", None),  # a prefecture that is no city
        ("CN", "江苏省昆山市前进路1号", "江苏", None),  # a city of county rank
        ("CN", "广东省王小明市民中心", "广东", None),
        ("CN", "上海路12号", None, None),
        ("CN", "上海市场路12号", None, None),
        ("CN", "南京路8号", None, None),
        ("CN", "王小明 广东省深圳市", None, None),
        ("CN", "No. 1 Nanjing Road, Shanghai", None, None),
        ("US", "1 Main St, Springfield, IL 62701", "IL", "Springfield"),
        ("US", "1 Main St, Apt 4, Winston-Salem, NC 27101-1234, USA", "NC", "Winston-Salem"),
        ("US", "Gateway Arch, 11 N 4th St\nSt. Louis, MO 63102", "MO", "St. Louis"),
        ("US", "1600 Pennsylvania Avenue NW, Washington, DC 20500", "DC", "Washington"),
        ("US", "1 Main St, Coeur d'Alene, ID 83814", "ID", "Coeur d'Alene"),
        ("US", "Springfield, IL 62701", "IL", None),  # the one part before may be a name or a street
        ("US", "1 Main St, Springfield, il 62701", None, None),
        ("US", "1 Main St, Springfield, XX 62701", None, None),
        ("US", "1 Main St, Springfield, IL 6270", None, None),
        ("US", "1 Main St, Springfield, IL", None, None),
        ("US", "12 Oak, Apt B, IL 62701", "IL", None),
        ("GB", "1 High Street, Oxford, OX1 1AA", None, "Oxford"),
        ("GB", "10 Downing Street, London, SW1A 2AA, United Kingdom", None, "London"),
        ("GB", "Rose Cottage, 2 Mill Lane, Stoke-on-Trent, st4 2aa", None, "Stoke-on-Trent"),
        ("GB", "1 High Street, St Albans, Hertfordshire, AL1 1AA", "Hertfordshire", "St Albans"),
        ("GB", "1 High Street, Kent, ME1 1AA", "Kent", None),
        ("GB", "Flat 2, High Street, OX1 1AA", None, None),
        ("GB", "Oxford, OX1 1AA", None, None),
        ("GB", "1 High Street, Oxford", None, None),
        ("DE", "Hauptstraße 1, 10115 Berlin", None, "Berlin"),
        ("DE", "Hauptstraße 1\nD-60311 Frankfurt am Main\nDeutschland", None, "Frankfurt am Main"),
        ("DE", "Hauptstraße 1, 8010 Graz", None, None),
        ("DE", "Hauptstraße 1 10115 Berlin", None, None),
        ("AT", "Herrengasse 1, 8010 Graz", None, "Graz"),
        ("AT", "A-3100 St. Pölten, Österreich", None, "St. Pölten"),
        ("AT", "８０１０　Graz", None, "Graz"),
        ("CH", "Bahnhofstrasse 1, CH-8001 Zürich, Schweiz", None, "Zürich"),
        ("FR", "1 rue de Rivoli, 75001 Paris", None, "Paris"),
        ("FR", "1 rue X, 92042 PARIS LA DÉFENSE CEDEX 08", None, "PARIS LA DÉFENSE"),
        ("FR", "1 rue X, 59650 Villeneuve-d’Ascq", None, "Villeneuve-d’Ascq"),
        ("IT", "Via Roma 1, 00184 Roma RM", None, "Roma"),
        ("IT", "Via Roma 1, 67100 L'Aquila (AQ), Italia", None, "L'Aquila"),
        ("IT", "VIA ROMA 1, 46027 SAN BENEDETTO PO", None, None),  # PO may be a province
        ("ES", "Calle Mayor 1, 28013 Madrid, España", None, "Madrid"),
        ("NL", "Damrak 1, 1012 LG Amsterdam", None, "Amsterdam"),
        ("NL", "Markt 1, 5211JX 's-Hertogenbosch", None, "'s-Hertogenbosch"),
        ("NL", "Damrak 1, 1012 Amsterdam", None, None),
        ("SE", "Storgatan 1, 111 22 Stockholm", None, None),
        ("AT", "", None, None),
        ("AT", " , ; ", None, None),
        ("AT", "Österreich", None, None),
    ],
)
def test_what_an_address_tells(country: str, address: str, region: str | None, city: str | None) -> None:
    assert place(address, country) == (region, city)


@pytest.mark.parametrize(
    ("country", "address", "region", "city"),
    [
        ("DE", "c/o Anna Berg, 12345 Graz", None, "Graz"),
        ("AT", "c/o Anna Berg, 12345 Graz", None, None),
        ("AT", "8010 Graz c/o Anna Berg", None, None),
        ("AT", "8010 Graz, Anna Berg", None, None),
        ("AT", "8010 Graz z.Hd. Anna Berg", None, None),
        ("AT", "8010 Frau Anna Berg", None, None),
        ("AT", "8010 anna.berg@leak.example", None, None),
        ("AT", "8010 Graz anna@leak.example", None, None),
        ("AT", "8010 Graz, anna@leak.example", None, None),
        ("AT", "8010 Graz 0664 1234567", None, None),
        ("AT", "8010 Graz Tel ０６６４１２３４５６７", None, None),
        ("AT", "8010 Graz 〇六六四一二三四五六七", None, None),
        ("AT", "8010 Graz <anna>", None, None),
        ("AT", "8010 " + "Gr" * 31, None, None),
        ("US", "Anna Berg, NY 10001", "NY", None),
        ("US", "1 Main St, c/o Anna Berg, NY 10001", "NY", None),
        ("US", "1 Main St, anna@leak.example, NY 10001", "NY", None),
        ("US", "1 Main St, 415 555 2671, NY 10001", "NY", None),
        ("US", "Anna Berg, 1 Main St, Springfield, IL 62701", "IL", "Springfield"),
        ("US", "1 Main St, Springfield, IL 62701, Anna Berg", None, None),
        ("GB", "Anna Berg, OX1 1AA", None, None),
        ("GB", "1 High Street, Mrs Berg, OX1 1AA", None, None),
        ("CN", "广东省深圳王小明市138 1234 5678", "广东", None),
        ("CN", "深圳市王小明 13812345678", "广东", "深圳"),
    ],
)
def test_no_person_comes_out_of_an_address(country: str, address: str, region: str | None, city: str | None) -> None:
    assert place(address, country) == (region, city)


HOSTILE = st.lists(
    st.sampled_from(
        ["Anna", "Berg", "c/o", "8010", "12345", "1012 LG", "Graz", "a@leak.example", "+43 664 1234567",
         "OX1 1AA", "62701", "一三八", "〇", ",", ", ", "\n", " ", "广东省", "深圳市",
         "市", "St.", "'", "-", "１２３", "\u0301", "_", "²", "NY"]
    ) | st.text(max_size=8),
    max_size=12,
)  # fmt: skip


@given(HOSTILE, st.sampled_from(COUNTRIES))
def test_a_place_is_letters_whatever_the_address_is(pieces: list[str], country: str) -> None:
    for value in place("".join(pieces), country):
        if value is not None:
            assert 0 < len(value) <= 60
            assert all(unicodedata.category(sign).startswith("L") or sign in " -'’." for sign in value)
            assert "." not in re.sub(r"^(St|Ste|Ft|Mt)\. ", "", value)


def derived(mapping: dict[str, str], columns: dict[str, list[str | None]], country: str) -> dict[str, list[str | None]]:
    """The columns that the privacy filter adds."""
    contacts = contacts_of("crm.people", Feed(maps={"customers": mapping}))
    guard = PrivacyFilter("crm", "people", contacts, KEYS, country, sparse=True)
    batch = pa.RecordBatch.from_pydict({name: pa.array(values, pa.string()) for name, values in columns.items()})
    raw, _ = guard.apply(batch, "people.csv")
    return {name: raw.column(name).to_pylist() for name in raw.schema.names if name.startswith(("_address", "_birth"))}


def test_raw_gains_region_and_city_beside_the_hash() -> None:
    mapping = {"source_customer_id": "id", "address": "home"}
    home = ["1 Main St, Springfield, IL 62701", None, "unknown", "1 Main St, Springfield, IL 62701"]
    assert derived(mapping, {"id": ["1", "2", "3", "4"], "home": home}, "US") == {
        "_address_region": ["IL", None, None, "IL"],
        "_address_city": ["Springfield", None, None, "Springfield"],
    }
    assert derived(mapping, {"id": ["1"]}, "US") == {"_address_region": [None], "_address_city": [None]}


def test_a_person_s_own_name_in_the_place_of_the_city_is_no_city() -> None:
    mapping = {"source_customer_id": "id", "address": "home", "name": "who"}
    columns: dict[str, list[str | None]] = {
        "id": ["1", "2", "3", "4"],
        "home": ["8010 Berg Anna", "8010 Graz Anna  BERG", "8010 Graz", "8010 Bruck"],
        "who": ["Anna Berg", "anna berg", "Anna Berg", None],
    }
    assert derived(mapping, columns, "AT")["_address_city"] == [None, None, "Graz", "Bruck"]


@pytest.mark.parametrize(
    ("mapped", "there"),
    [
        ({}, True),
        ({"city": "town"}, True),
        ({"city": "town", "region": "land"}, False),
        ({"city": "coalesce(town, _address_city)", "region": "land"}, True),
    ],
)
def test_places_are_derived_where_they_are_asked_for(mapped: dict[str, str], there: bool) -> None:
    found = derived({"source_customer_id": "id", "address": "home", **mapped}, {"id": ["1"], "home": ["x"]}, "AT")
    assert found == ({"_address_region": [None], "_address_city": [None]} if there else {})


def test_both_parts_of_a_birth_date_may_be_mapped_by_name() -> None:
    mapping = {"birth_date": "born", "birth_year": "_birth_year", "birth_month": "_birth_month"}
    assert derived(mapping, {"born": ["1980-04-05"]}, "AT") == {"_birth_year": ["1980"], "_birth_month": ["4"]}

"""Made-up people, up to millions of records, of whom three systems know different things, with known truth.

Made apart from the linker and its rules, so that it can be refereed by it. Most people are known everywhere by the same
card, e-mail or telephone; of a quarter of those with several records some record shares none of them. Nothing is real
but the commonest English first names and what people call them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tests.validation.people_noise import NO_REPLY, SOURCES, STORE_PHONES, Noise
from tests.validation.people_slips import abbreviated, misdated, misdialled, mistyped, mistyped_email
from tests.validation.people_words import (
    AREAS,
    DOMAINS,
    JOINTS,
    MADE_MEN,
    MADE_WOMEN,
    MEN,
    MIDDLES,
    REAL,
    STARTS,
    SURNAMES,
    WOMEN,
)

Ints, Flags, Texts = NDArray[np.int64], NDArray[np.bool_], NDArray[np.object_]


def make_people(records: int, seed: int, noise: Noise | None = None) -> pa.Table:
    """One row per record in an order that tells nothing; the same arguments give the same rows.

    Returns:
        ``records`` rows: record_id (int64, 0 .. records - 1), source, source_customer_id, name, email, phone (E.164),
        birth_date (ISO), address, city, loyalty_card (strings, null where the source does not know), person_id (int64).
    """
    draw = _Draw(seed, noise or Noise())
    people = _people(draw, int(records * 0.62) + 50)
    lives = _lives(draw, people, records)
    columns = {
        "name": _names(draw, people, lives),
        "email": _emails(draw, people, lives),
        "phone": _phones(draw, people, lives),
        "birth_date": _birth_dates(draw, people, lives),
        **_addresses(draw, people, lives),
        "loyalty_card": _cards(draw, people, lives),
    }
    order = draw.rng.permutation(records)
    ids = np.char.add(np.array(["C", "P", "W"])[lives.source], draw.rng.permutation(records).astype(str))
    strings = {"source": np.array(SOURCES, object)[lives.source], "source_customer_id": ids.astype(object)}
    for name, values in columns.items():
        share = np.array(draw.noise.known.get(name, (1, 1, 1)))
        strings[name] = np.where(draw.chance(records, share[lives.source]), values, None)
    return pa.table(
        {
            "record_id": pa.array(np.arange(records)),
            **{name: pa.array(values[order], pa.string()) for name, values in strings.items()},
            "person_id": pa.array(lives.person[order]),
        }
    )


class _Draw:
    """Draws of numbers, from one seed."""

    def __init__(self, seed: int, noise: Noise) -> None:
        self.rng, self.noise = np.random.default_rng(seed), noise

    def chance(self, size: int, share: float | NDArray[np.float64]) -> Flags:
        return self.rng.random(size) < share

    def skewed(self, size: int, count: int, shift: float = 12) -> Ints:
        """Places in a pool of ``count``, of which the first are far more frequent: 1 / (place + shift)."""
        until = np.cumsum(1 / (np.arange(count) + shift))
        return np.searchsorted(until, self.rng.random(size) * until[-1], side="right")

    def one_of(self, size: int, values: Texts) -> Texts:
        return values[self.rng.integers(0, len(values), size)]

    def altered(self, texts: Texts, rows: Flags, alter: Callable[[str, NDArray[np.float64]], str]) -> Texts:
        """The texts, those of ``rows`` altered one by one with four random numbers each."""
        made, places = texts.copy(), np.flatnonzero(rows)
        for place, numbers in zip(places, self.rng.random((len(places), 4)), strict=True):
            made[place] = alter(texts[place], numbers)
        return made


@dataclass(frozen=True)
class _Pools:
    """Names to draw from; ``given`` holds the real ones first, men's then women's, then made-up men's and women's."""

    given: Texts
    shorts: list[list[str]]
    real: int
    surnames: Texts
    streets: Texts
    cities: Texts
    words: Texts


@cache
def _pools() -> _Pools:
    made = _Made(np.random.default_rng(20))
    real = [entry.split("/") for text in (MEN, WOMEN) for entry in text.split()[:REAL]]
    given = [*made.names(1500, MADE_MEN), *made.names(1500, MADE_WOMEN)]
    surnames = [*made.names(12_000, SURNAMES), *made.names(5000, MIDDLES, SURNAMES)]
    kinds = ("Street", "Road", "Avenue", "Lane", "Drive", "Court")
    streets = [f"{name.title()} {kinds[n % 6]}" for n, name in enumerate(made.names(3000, SURNAMES))]
    return _Pools(
        given=np.array([entry[0] for entry in real] + given, object),
        shorts=[entry[1:] for entry in real] + [[]] * len(given),
        real=len(real),
        surnames=made.rng.permutation(np.array(list(dict.fromkeys(surnames)), object)),
        streets=np.array(streets, object),
        cities=np.array([name.title() for name in made.names(400, "ville ton burg field port")], object),
        words=np.array(made.names(2500, "fox star bird rock fan cat wolf mom dad"), object),
    )


class _Made:
    """Names made up of syllables."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def names(self, count: int, *ends: str) -> list[str]:
        """So many, no two the same, of four letters and more."""
        parts = [np.array(text.split(" "), object) for text in (STARTS, MIDDLES, JOINTS, *ends)]
        found: dict[str, None] = {}
        while len(found) < count:
            picked = zip(*(part[self.rng.integers(0, len(part), 4 * count)] for part in parts), strict=True)
            found.update(dict.fromkeys(name for name in map("".join, picked) if len(name) > 3))
        return list(found)[:count]


@dataclass(frozen=True)
class _People:
    """One entry per person; the people of a household follow each other.

    Attributes:
        given, surname, city: places in the pools; called: what friends call them, empty for their own name.
        born: days since 1970; head: the first person of the household.
        is_unsteady: their data change; shares: by identifier, whether it is the first person's.
    """

    given: Ints
    called: Texts
    surname: Ints
    city: Ints
    born: Ints
    head: Ints
    is_unsteady: Flags
    shares: dict[str, Flags]


def _people(draw: _Draw, size: int) -> _People:
    noise, pools = draw.noise, _pools()
    sizes = draw.rng.choice(4, size, p=noise.households) + 1
    head = np.repeat(np.cumsum(sizes) - sizes, sizes)[:size]
    place = np.arange(size) - head
    is_kin = place > 0
    born, is_child = _born(draw, head, place)
    is_woman = draw.chance(size, 0.5)
    is_woman = np.where(place == 1, ~is_woman[head], is_woman)
    given = _given(draw, is_woman)
    is_junior = is_child & (is_woman == is_woman[head]) & draw.chance(size, noise.junior)
    given = np.where(is_junior, given[head], given)
    surname, city = draw.skewed(size, len(pools.surnames)), draw.skewed(size, len(pools.cities))
    shares = {
        "phone": is_kin & draw.chance(size, np.where(is_junior, noise.junior_phone, noise.kin_phone)),
        "email": is_kin & draw.chance(size, noise.kin_email),
        "loyalty_card": is_kin & draw.chance(size, noise.kin_card),
        "address": is_kin & draw.chance(size, noise.kin_address),
    }
    return _People(
        given=given,
        called=_called(draw, given),
        surname=np.where(is_kin & draw.chance(size, noise.kin_surname), surname[head], surname),
        city=np.where(shares["address"], city[head], city),
        born=born,
        head=head,
        is_unsteady=draw.chance(size, noise.unsteady),
        shares=shares,
    )


def _born(draw: _Draw, head: Ints, place: Ints) -> tuple[Ints, Flags]:
    """Days since 1970, and whether somebody is a child of the household's first person."""
    size = len(head)
    alone = ((draw.rng.triangular(1930, 1975, 2006, size) - 1970) * 365.25).astype(np.int64)
    near = alone[head] + draw.rng.integers(-8 * 365, 8 * 365, size)
    later = alone[head] + draw.rng.integers(20 * 365, 38 * 365, size)
    is_child = (place > 1) & (later < 38 * 365)
    born = np.where(is_child, later, np.where(place > 0, near, alone))
    is_twin = (place > 0) & draw.chance(size, draw.noise.twins)
    return np.where(is_twin, np.roll(born, 1), born), is_child


def _given(draw: _Draw, is_woman: Flags) -> Ints:
    pools, size = _pools(), len(is_woman)
    half, rest = pools.real // 2, (len(pools.given) - pools.real) // 2
    real = draw.skewed(size, half, 10) + half * is_woman
    made = pools.real + draw.skewed(size, rest) + rest * is_woman
    return np.where(draw.chance(size, draw.noise.real_given), real, made)


def _called(draw: _Draw, given: Ints) -> Texts:
    """The short form that somebody goes by, empty where there is none."""
    shorts = _pools().shorts
    counts = np.array([len(each) for each in shorts])
    flat = np.array([short for each in shorts for short in each] + [""], object)
    picked = (np.cumsum(counts) - counts)[given] + (draw.rng.random(len(given)) * counts[given]).astype(np.int64)
    return np.where((counts[given] > 0) & draw.chance(len(given), draw.noise.called), flat[picked], "")


@dataclass(frozen=True)
class _Lives:
    """One entry per record, a person's records in the order of time.

    Attributes:
        person, source: numbers; surname: as the person is named by then.
        is_first: of the person; starts: place of each person's first record, one entry per person.
        rate: by how much shares of changes and slips are lessened, 1 for the unsteady.
    """

    person: Ints
    source: Ints
    surname: Texts
    is_first: Flags
    starts: Ints
    rate: NDArray[np.float64]

    def versions(self, draw: _Draw, share: float) -> tuple[Ints, Ints]:
        """Number of what each record's person has by then, and for each number the record with which it begins."""
        is_new = self.is_first | draw.chance(len(self.person), share * self.rate)
        return np.cumsum(is_new) - 1, np.flatnonzero(is_new)

    def slips(self, draw: _Draw, share: float | NDArray[np.float64]) -> Flags:
        """Records in which something goes wrong."""
        return draw.chance(len(self.person), share * self.rate)

    def shared(self, people: _People, name: str, values: Texts, version: Ints, begins: Ints) -> Texts:
        """The values, one per version, but that who shares has at first what the household's first person has."""
        person = self.person[begins]
        theirs = values[version[self.starts[people.head[person]]]]
        return np.where(self.is_first[begins] & people.shares[name][person], theirs, values)


def _lives(draw: _Draw, people: _People, records: int) -> _Lives:
    noise, rng, pools = draw.noise, draw.rng, _pools()
    counts = rng.choice(4, len(people.head), p=noise.records) + 1
    person = np.repeat(np.arange(len(counts)), counts)[:records]
    is_first = np.diff(person, prepend=-1) > 0
    starts = np.flatnonzero(is_first)
    nth = np.arange(records) - starts[person]
    first, turn = rng.choice(3, len(starts), p=(0.6, 0.2, 0.2))[person], rng.integers(0, 2, len(starts))[person]
    source = np.choose(nth, [first, (first + 1 + turn) % 3, (first + 2 - turn) % 3, rng.integers(0, 3, records)])
    source = np.where(draw.chance(records, noise.again) & ~is_first, rng.integers(0, 3, records), source)
    rate = np.where(people.is_unsteady, 1.0, noise.steady)[person]
    lives = _Lives(person, source, np.empty(0, object), is_first, starts, rate)
    version, begins = lives.versions(draw, noise.surname)
    is_own, married = is_first[begins], draw.skewed(len(begins), len(pools.surnames))
    names = pools.surnames[np.where(is_own, people.surname[person[begins]], married)]
    joined = ~is_own & draw.chance(len(begins), noise.hyphen)
    names[joined] = np.roll(names, 1)[joined] + "-" + names[joined]
    return replace(lives, surname=names[version])


def _names(draw: _Draw, people: _People, lives: _Lives) -> Texts:
    """As written: short forms, first letters, slips of the pen, first and last name swapped, capitals or none."""
    noise, size = draw.noise, len(lives.person)
    given, called = _pools().given[people.given][lives.person], people.called[lives.person]
    given = np.where((called != "") & lives.slips(draw, noise.nickname), called, given)
    initial = np.array([text[0] for text in given], object)
    given = draw.altered(given, lives.slips(draw, noise.given_typo), mistyped)
    given = np.where(lives.slips(draw, np.array(noise.initial)[lives.source]), initial, given)
    surname = draw.altered(lives.surname, lives.slips(draw, noise.surname_typo), mistyped)
    is_swapped = lives.slips(draw, noise.swapped)
    text = np.where(is_swapped, surname, given) + " " + np.where(is_swapped, given, surname)
    case = draw.rng.random(size) + 0.1 * (lives.source == 1)
    made = [t.title() if c < 0.85 else t.upper() if c < 0.95 else t for t, c in zip(text, case, strict=True)]
    return np.array(made, object)


def _emails(draw: _Draw, people: _People, lives: _Lives) -> Texts:
    noise = draw.noise
    version, begins = lives.versions(draw, noise.email)
    size, is_first = len(begins), lives.is_first[begins]
    local = _locals(draw, people, lives, begins)
    local = local[_kept(draw, is_first, noise.same_local)] + "@"
    domain = np.array(DOMAINS, object)[draw.skewed(size, len(DOMAINS), 1)]
    full = lives.shared(people, "email", _distinct(draw, local, domain), version, begins)[version]
    full = draw.altered(full, lives.slips(draw, noise.email_typo), mistyped_email)
    is_junk = (lives.source == 2) & draw.chance(len(full), max(noise.junk_email, 400 / len(full)))
    return np.where(is_junk, draw.one_of(len(full), np.array(NO_REPLY, object)), full)


def _kept(draw: _Draw, is_first: Flags, share: float) -> Ints:
    """For each version the one of which something is kept: itself, or with that share the one before, and so on."""
    is_kept = ~is_first & draw.chance(len(is_first), share)
    return np.maximum.accumulate(np.where(is_kept, 0, np.arange(len(is_first))))


def _locals(draw: _Draw, people: _People, lives: _Lives, begins: Ints) -> Texts:
    """What stands before the @, one per version: of the name mostly."""
    noise, rng, pools, size = draw.noise, draw.rng, _pools(), len(begins)
    person = lives.person[begins]
    given, family = pools.given[people.given[person]], lives.surname[begins]
    called = people.called[person]
    given = np.where((called != "") & draw.chance(size, 0.4), called, given)
    initial, last = np.array([g[0] for g in given], object), np.array([f[0] for f in family], object)
    year = (people.born[person] // 365.25 + 70).astype(np.int64) % 100
    number = np.where(draw.chance(size, 0.4), year, rng.integers(1, np.where(draw.chance(size, 0.6), 100, 1000)))
    number = number[_kept(draw, lives.is_first[begins], noise.keeps_number)].astype(str).astype(object)
    word = draw.one_of(size, pools.words) + number
    made = [
        given + "." + family, given + family, initial + family, given + "_" + family, given + "." + family + number,
        initial + family + number, given + number, given + last + number, family + "." + given, family + number,
    ]  # fmt: skip
    kind = rng.choice(len(made), size, p=(0.2, 0.08, 0.1, 0.05, 0.15, 0.17, 0.07, 0.06, 0.06, 0.06))
    return np.where(draw.chance(size, noise.named_email), np.choose(kind, made), word)


def _distinct(draw: _Draw, local: Texts, domain: Texts) -> Texts:
    """Addresses of which no two are the same: who comes later gets a number."""
    full = local + domain
    while True:
        codes = pa.array(full, pa.string()).dictionary_encode().indices.to_numpy()
        taken = np.ones(len(full), bool)
        taken[np.unique(codes, return_index=True)[1]] = False
        if not taken.any():
            return full
        stems = np.array([text[:-1] for text in local[taken]], object)
        numbers = draw.rng.integers(1, 10_000, len(stems)).astype(str).astype(object)
        full[taken] = stems + numbers + "@" + domain[taken]


def _phones(draw: _Draw, people: _People, lives: _Lives) -> Texts:
    noise, rng, size = draw.noise, draw.rng, len(lives.person)
    version, begins = lives.versions(draw, noise.phone)
    count = len(begins)
    area = np.array(AREAS.split(), np.int64)[people.city[lives.person[begins]] % 60]
    numbers = area * 10_000_000 + rng.integers(2_000_000, 10_000_000, count)
    numbers = np.where(draw.chance(count, noise.recycled_phone), rng.permutation(numbers), numbers)
    texts = "+1" + numbers.astype(str).astype(object)
    phones = lives.shared(people, "phone", texts, version, begins)[version]
    phones = draw.altered(phones, lives.slips(draw, noise.phone_typo), misdialled)
    is_junk = (lives.source == 1) & draw.chance(size, max(noise.junk_phone, 400 / size))
    return np.where(is_junk, draw.one_of(size, np.array(STORE_PHONES, object)), phones)


def _cards(draw: _Draw, people: _People, lives: _Lives) -> Texts:
    version, begins = lives.versions(draw, draw.noise.card)
    texts = "88" + (10_000_000 + draw.rng.permutation(9 * len(begins))[: len(begins)]).astype(str).astype(object)
    return lives.shared(people, "loyalty_card", texts, version, begins)[version]


def _addresses(draw: _Draw, people: _People, lives: _Lives) -> dict[str, Texts]:
    """Address and city, by name."""
    noise, pools = draw.noise, _pools()
    version, begins = lives.versions(draw, noise.move)
    count, is_first = len(begins), lives.is_first[begins]
    houses = draw.rng.integers(1, 400, count).astype(str).astype(object)
    texts = houses + " " + pools.streets[draw.skewed(count, len(pools.streets), 100)]
    addresses = lives.shared(people, "address", texts, version, begins)[version]
    addresses = draw.altered(addresses, draw.chance(len(version), 0.3), abbreviated)
    addresses = draw.altered(addresses, lives.slips(draw, noise.address_typo), mistyped)
    city = np.where(is_first, people.city[lives.person[begins]], draw.skewed(count, len(pools.cities)))
    city = city[_kept(draw, is_first, 1 - noise.moves_city)]
    return {"address": addresses, "city": pools.cities[city][version]}


def _birth_dates(draw: _Draw, people: _People, lives: _Lives) -> Texts:
    texts = people.born.astype("datetime64[D]").astype(str).astype(object)[lives.person]
    return draw.altered(texts, lives.slips(draw, draw.noise.birth_error), misdated)

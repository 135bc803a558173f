"""The privacy filter: contact columns leave for the vault, keyed hashes stay in raw.

A value that has a normal form is replaced by the hash of that form. One that has none (an e-mail
without an ``@``) is replaced by :meth:`Keys.unusable` of its text, so that raw shows that something was
there, and the vault holds the original with ``normalised`` null.
"""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import ContractError
from jobs.extract.contacts import CONTACT_COLUMNS, DERIVED, Contacts
from jobs.extract.feed import PERSON_COLUMN
from jobs.extract.keys import Keys, is_unusable
from jobs.extract.normalise import NORMALISERS
from jobs.extract.places import holds_name, place

__all__ = [
    "CONTACT_COLUMNS",
    "DERIVED_COLUMNS",
    "VAULT_SCHEMA",
    "Keys",
    "PrivacyFilter",
    "is_unusable",
]

#: raw, string, null where the birth date is missing or unusable: ``1980``; ``1`` to ``12``
BIRTH_YEAR, BIRTH_MONTH = DERIVED["birth_date"].values()
#: raw, string, null where the address does not tell them: ``IL``; ``Springfield``
ADDRESS_REGION, ADDRESS_CITY = DERIVED["address"].values()
DERIVED_COLUMNS = frozenset({BIRTH_YEAR, BIRTH_MONTH, ADDRESS_REGION, ADDRESS_CITY})

VAULT_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("feed", pa.string()),
        pa.field(PERSON_COLUMN, pa.string()),
        pa.field("field", pa.string()),  # canonical contact column
        pa.field("hash", pa.string()),  # as in raw
        pa.field("value", pa.string()),  # as it came
        pa.field("normalised", pa.string()),  # null where it has no normal form
    ]
)

#: values remembered across batches: receipts repeat the same cards
_CACHE_LIMIT = 500_000


class _Hashed(NamedTuple):
    hash: str
    normalised: str | None


class PrivacyFilter:
    """Replaces the contact columns of one feed's batches.

    Args:
        source: name of the source.
        feed: name of the feed.
        contacts: what the feed's mapping says.
        keys: the keys of this night.
        region: ISO 3166 alpha-2 for phone numbers, dates and addresses without one.
        sparse: whether a batch may lack mapped columns (JSON leaves nulls out).
    """

    def __init__(self, source: str, feed: str, contacts: Contacts, keys: Keys, region: str, *, sparse: bool) -> None:
        """See the class."""
        self._source = source
        self._feed = feed
        self._contacts = contacts
        self._keys = keys
        self._region = region
        self._sparse = sparse
        self._cache: dict[str, dict[str, _Hashed]] = {}

    def check_columns(self, names: list[str], where: str) -> None:
        """Refuse a table that lacks a mapped contact or customer column.

        A renamed contact column would otherwise be carried raw under its new name.

        Raises:
            ContractError: naming the column and ``where`` it is missing.
        """
        if self._sparse:
            return
        present = {name.casefold() for name in names}
        wanted = dict(self._contacts.fields)
        if self._contacts.person is not None:
            wanted.setdefault(self._contacts.person, "source_customer_id")
        for column, canonical in wanted.items():
            if column not in present:
                raise ContractError(
                    f"{self._source}.{self._feed}: column {column} (mapped to {canonical}) is not in {where}",
                    next_command=f"regulars check-source {self._source}",
                )

    def apply(self, batch: pa.RecordBatch, where: str) -> tuple[pa.RecordBatch, pa.RecordBatch | None]:
        """Hash the contact columns of a batch of strings.

        Returns:
            The batch with hashes in place, ``_birth_...`` and ``_address_...`` where derived and ``_person_hash``;
            and the distinct vault rows, or None where the feed holds no contact data.
        """
        self.check_columns(batch.schema.names, where)
        person = self._person(batch)
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        normals: dict[str, pa.StringArray] = {}
        addresses: pa.StringArray | None = None
        vaults: list[pa.RecordBatch] = []
        for name in batch.schema.names:
            canonical = self._contacts.fields.get(name.casefold())
            if canonical is None:
                continue
            addresses = columns[name] if canonical == "address" else addresses
            columns[name], vault, normals[canonical] = self._replace(columns[name], canonical, person)
            vaults.append(vault)
        if self._contacts.derive_birth:
            columns.update(_birth_parts(normals.get("birth_date"), batch.num_rows))
        if self._contacts.derive_place:
            columns.update(_address_parts(addresses, normals.get("name"), self._region, batch.num_rows))
        columns[PERSON_COLUMN] = person
        vault_batch = pa.concat_batches(vaults) if vaults else None
        return pa.RecordBatch.from_pydict(columns), vault_batch

    def _person(self, batch: pa.RecordBatch) -> pa.StringArray:
        for name in batch.schema.names:
            if name.casefold() == self._contacts.person:
                encoded = batch.column(name).dictionary_encode()
                values = encoded.dictionary.to_pylist()
                hashes = [self._remember("person", value).hash for value in values]
                return pa.array(hashes, pa.string()).take(encoded.indices)
        return pa.nulls(batch.num_rows, pa.string())

    def _replace(
        self, column: pa.StringArray, canonical: str, person: pa.StringArray
    ) -> tuple[pa.StringArray, pa.RecordBatch, pa.StringArray]:
        encoded = column.dictionary_encode()  # each distinct value is normalised and hashed once
        found = [self._remember(canonical, value) for value in encoded.dictionary.to_pylist()]
        hashes = pa.array([item.hash for item in found], pa.string())
        normals = pa.array([item.normalised for item in found], pa.string())
        pairs = pa.table({"person": person, "index": encoded.indices})
        pairs = pairs.filter(pc.is_valid(pairs["index"])).group_by(["person", "index"], use_threads=False).aggregate([])
        index = pairs["index"].combine_chunks()
        vault = self._vault_rows(
            pairs["person"].combine_chunks(),
            canonical,
            hashes.take(index),
            encoded.dictionary.take(index),
            normals.take(index),
        )
        return hashes.take(encoded.indices), vault, normals.take(encoded.indices)

    def _vault_rows(self, person: pa.Array, canonical: str, *rest: pa.Array) -> pa.RecordBatch:
        count = len(person)
        constants = [pa.repeat(pa.scalar(text, pa.string()), count) for text in (self._source, self._feed)]
        field = pa.repeat(pa.scalar(canonical, pa.string()), count)
        return pa.RecordBatch.from_arrays([*constants, person, field, *rest], schema=VAULT_SCHEMA)

    def _remember(self, domain: str, value: str) -> _Hashed:
        cache = self._cache.setdefault(domain, {})
        hashed = cache.get(value)
        if hashed is None:
            if len(cache) >= _CACHE_LIMIT:
                cache.clear()
            hashed = cache[value] = self._hash(domain, value)
        return hashed

    def _hash(self, domain: str, value: str) -> _Hashed:
        if domain == "person":
            return _Hashed(self._keys.person(self._source, value), value)
        normalised = NORMALISERS[domain](value, self._region)
        if normalised is None:
            return _Hashed(self._keys.unusable(domain, value), None)
        return _Hashed(self._keys.pseudonym(domain, normalised), normalised)


def _birth_parts(dates: pa.StringArray | None, rows: int) -> dict[str, pa.StringArray]:
    if dates is None:
        return {name: pa.nulls(rows, pa.string()) for name in (BIRTH_YEAR, BIRTH_MONTH)}
    month = pc.utf8_ltrim(pc.utf8_slice_codeunits(dates, 5, 7), characters="0")
    return {BIRTH_YEAR: pc.utf8_slice_codeunits(dates, 0, 4), BIRTH_MONTH: month}


def _address_parts(
    addresses: pa.StringArray | None, names: pa.StringArray | None, country: str, rows: int
) -> dict[str, pa.StringArray]:
    """Region and city; no city where the person's own name stands in its place."""
    if addresses is None:
        return {name: pa.nulls(rows, pa.string()) for name in (ADDRESS_REGION, ADDRESS_CITY)}
    encoded = addresses.dictionary_encode()
    places = [place(address, country) for address in encoded.dictionary.to_pylist()]
    regions = pa.array([one.region for one in places], pa.string()).take(encoded.indices)
    cities = pa.array([one.city for one in places], pa.string()).take(encoded.indices)
    if names is not None:
        pairs = zip(cities.to_pylist(), names.to_pylist(), strict=True)
        cities = pa.array(
            [None if city and name and holds_name(city, name) else city for city, name in pairs], pa.string()
        )
    return {ADDRESS_REGION: regions, ADDRESS_CITY: cities}

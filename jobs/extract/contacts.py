"""Which columns of a feed hold contact data, read off its mapping."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from jobs.definitions.canonical import FROM_ADDRESS
from jobs.errors import UsageError
from jobs.source_settings import Feed

CONTACT_COLUMNS = ("name", "email", "phone", "birth_date", "address", "loyalty_card", "payment_token")
#: entities that are not about people: their ``name`` is a product's, a store's, a campaign's, an attribute's
IMPERSONAL_ENTITIES = frozenset(
    {"products", "stores", "campaigns", "coupons", "customer_attributes", "rates", "holidays"}
)

#: contact column -> canonical columns of a customer that follow from it -> the raw columns that hold them
DERIVED = {
    "birth_date": {"birth_year": "_birth_year", "birth_month": "_birth_month"},
    "address": FROM_ADDRESS,
}

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile(r"`((?:[^`]|``)+)`")
_LITERAL_WORDS = frozenset({"null", "true", "false", "current_date", "current_timestamp"})


@dataclass(frozen=True)
class Contacts:
    """What the privacy filter does to a feed; column names in lower case, as Spark compares them."""

    fields: dict[str, str]  #: source column -> canonical contact column
    person: str | None  #: source column that holds source_customer_id
    derive_birth: bool  #: raw gains ``_birth_year`` and ``_birth_month``
    derive_place: bool  #: raw gains ``_address_region`` and ``_address_city``


def plain_column(expression: str) -> str | None:
    """The column that a mapping names if it is a column and no expression."""
    text = expression.strip()
    if quoted := _QUOTED.fullmatch(text):
        return quoted.group(1).replace("``", "`")
    if _IDENTIFIER.fullmatch(text) and text.casefold() not in _LITERAL_WORDS:
        return text
    return None


def exact_columns(mapping: Mapping[str, str], present: Iterable[str]) -> dict[str, str]:
    """A mapping in which whatever is a present column's name, to the letter, means that column and is no expression."""
    odd = {name for name in present if not _IDENTIFIER.fullmatch(name)}
    return {
        canonical: f"`{text.strip().replace('`', '``')}`" if text.strip() in odd else text
        for canonical, text in mapping.items()
    }


def contacts_of(label: str, feed: Feed) -> Contacts:
    """Read the mapping of feed ``label`` (``source.feed``).

    Raises:
        UsageError: a contact column is mapped by an expression, to two meanings, or also used as
            something that is published; or source_customer_id is an expression.
    """
    fields: dict[str, str] = {}
    for where, entity, canonical, expression in _mappings(label, feed):
        if is_contact(entity, canonical):
            column = _plain(where, expression)
            if fields.setdefault(column, canonical) != canonical:
                raise UsageError(
                    f"{where}: the column is also mapped to {fields[column]}, and has one hash",
                    next_command="edit regulars.toml, or give the source a second column",
                )
    _check_no_other_use(label, feed, fields)
    derived = {contact: _is_derived(contact, fields, feed) for contact in DERIVED}
    return Contacts(fields, _person_column(label, feed), derived["birth_date"], derived["address"])


def _is_derived(contact: str, fields: Mapping[str, str], feed: Feed) -> bool:
    """Whether what follows from a contact column is asked for: the source gives some of it in no other way."""
    mapped = feed.maps.get("customers", {})
    return contact in fields.values() and any(
        canonical not in mapped or _uses(mapped[canonical], raw) for canonical, raw in DERIVED[contact].items()
    )


def is_contact(entity: str, canonical: str) -> bool:
    """Whether a canonical column of an entity holds contact data."""
    return canonical in CONTACT_COLUMNS and entity not in IMPERSONAL_ENTITIES


def _mappings(label: str, feed: Feed) -> Iterator[tuple[str, str, str, str]]:
    for entity, mapping in feed.maps.items():
        for canonical, expression in mapping.items():
            yield f"{label}.maps.{entity}.{canonical}", entity, canonical, expression


def _plain(where: str, expression: str) -> str:
    column = plain_column(expression)
    if column is None:
        raise UsageError(
            f"{where} must name a plain column (in backticks if its name has blanks or signs): contact data is hashed "
            "before expressions can be computed",
            next_command="edit regulars.toml: map it to one column of the source",
        )
    return column.casefold()


def _check_no_other_use(label: str, feed: Feed, fields: dict[str, str]) -> None:
    for where, entity, canonical, expression in _mappings(label, feed):
        if is_contact(entity, canonical):
            continue
        for column, field in fields.items():
            if _uses(expression, column):
                advice = f" (use {', '.join(DERIVED[field].values())})" if field in DERIVED else ""
                raise UsageError(
                    f"{where} uses the column that is mapped to {field}, of which raw holds only a hash{advice}",
                    next_command="edit regulars.toml: map another column",
                )


def _uses(expression: str, column: str) -> bool:
    """Whether an expression names a column (folded), outside of text literals."""
    code = re.sub(r"'(?:[^'\\]|\\.|'')*'", "''", expression).casefold()
    if f"`{column}`" in code:
        return True
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", code) is not None


def _person_column(label: str, feed: Feed) -> str | None:
    found: str | None = None
    for where, _, canonical, expression in _mappings(label, feed):
        if canonical != "source_customer_id":
            continue
        column = _plain(where, expression)
        if found not in (None, column):
            raise UsageError(
                f"{where}: another entity of the feed has source_customer_id in another column",
                next_command="edit regulars.toml: make two feeds of it",
            )
        found = column
    return found

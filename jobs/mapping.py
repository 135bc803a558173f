"""Mappings held to the canonical input: what is wrong with them, and what a new one might be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher, get_close_matches

from jobs.definitions.canonical import BY_NAME
from jobs.definitions.model import Column, Entity
from jobs.errors import UsageError
from jobs.extract.contacts import contacts_of, is_contact, plain_column
from jobs.settings import Settings
from jobs.source_settings import Feed, Mapping

#: how alike two names must be to be proposed for each other, 0 to 1
ALIKE = 0.8

#: canonical column -> what others call it
SYNONYMS: dict[str, tuple[str, ...]] = {
    "source_customer_id": ("member_id", "customer_id", "account_id", "client_id", "user_id", "cust_no", "member_no"),
    "registered_at": ("created_at", "joined_at", "signup_at", "sign_up_date", "enrolled_on"),
    "name": ("full_name", "customer_name", "product_name", "item_name", "store_name", "title"),
    "email": ("email_address", "mail", "e_mail"),
    "phone": ("mobile", "phone_number", "telephone", "cell", "msisdn"),
    "birth_date": ("birthday", "date_of_birth", "dob"),
    "address": ("street", "street_address", "postal_address"),
    "loyalty_card": ("card_number", "card_no", "loyalty_number", "membership_card"),
    "payment_token": ("card_token", "token"),
    "region": ("state", "province"),
    "income_band": ("income",),
    "kids_count": ("children", "kids"),
    "marketing_consent": ("opt_in", "marketing_opt_in", "newsletter"),
    "profiling_consent": ("profiling_opt_in",),
    "order_id": ("receipt_no", "receipt_id", "transaction_id", "ticket_id", "invoice_no", "bill_no", "basket_id"),
    "ordered_at": ("sold_at", "order_time", "order_date", "transaction_date", "purchased_at", "created_at"),
    "store_id": ("shop_id", "branch_id", "location_id", "restaurant_id", "outlet"),
    "fulfilment": ("delivery_type", "order_type"),
    "party_size": ("guests", "covers", "pax"),
    "line_id": ("line_no", "line_number", "item_no"),
    "product_id": ("item_id", "sku", "article", "dish_id", "upc"),
    "quantity": ("qty", "units", "amount_sold"),
    "gross": ("gross_amount", "list_price", "line_total", "sales_value", "amount"),
    "discount": ("discount_amount", "retail_disc", "rebate"),
    "coupon_discount": ("coupon_disc", "voucher_amount", "coupon_amount"),
    "refunded": ("refund_amount", "returned"),
    "refund_id": ("return_id", "credit_note", "credit_note_no", "cancellation_no"),
    "refunded_at": ("returned_at", "refund_date", "credited_at"),
    "amount": ("refund_amount", "amount_refunded", "credit_amount"),
    "unit_cost": ("cost_price", "cogs"),
    "category": ("product_category", "group", "product_group"),
    "department": ("division",),
    "given_at": ("reviewed_at", "created_at"),
    "rating": ("stars", "score"),
    "text": ("comment", "review"),
    "session_id": ("visit_id",),
    "started_at": ("session_start", "visited_at"),
    "minutes": ("duration_minutes",),
    "device": ("device_type", "platform"),
    "pages": ("page_views",),
    "favourites": ("favorites",),
    "occurred_at": ("event_time", "happened_at"),
    "referred_source_customer_id": ("referred_member_id", "referred_customer_id"),
    "question": ("question_code",),
    "answer": ("response",),
    "provider": ("vendor",),
    "value": ("attribute_value",),
    "observed_on": ("observed_at",),
    "starts_on": ("start_date", "valid_from"),
    "ends_on": ("end_date", "valid_to"),
    "updated_at": ("modified_at", "last_modified", "changed_at", "last_updated"),
}


@dataclass(frozen=True)
class Proposal:
    """A source column that might be a canonical one."""

    column: str
    entity: str
    canonical: str
    alike: float  #: 0 to 1

    @property
    def is_contact(self) -> bool:
        """It would be contact data."""
        return is_contact(self.entity, self.canonical)


def check_mappings(settings: Settings) -> None:
    """Hold every mapping of the settings to the canonical input.

    Raises:
        UsageError: an entity or column that does not exist, a required column left out, or contact
            data mapped in a way that cannot be protected.
    """
    found = [
        problem
        for source_name, source in sorted(settings.sources.items())
        for feed_name, feed in sorted(source.feeds.items())
        for problem in problems(f"{source_name}.{feed_name}", feed)
    ]
    found += [said for name, rule in sorted(settings.imputation.items()) if (said := _imputation_problem(name, rule))]
    if found:
        raise UsageError("; ".join(found), next_command="edit regulars.toml, then regulars check-source NAME")


def _imputation_problem(name: str, rule: str) -> str | None:
    entity, _, wanted = name.partition(".")
    columns = {column.name: column for column in BY_NAME[entity].columns} if entity in BY_NAME else {}
    column = columns.get(wanted)
    if column is None:
        return f"imputation.{name}: there is no such canonical column{_meant(wanted, columns)}"
    if column.required or column.contact or column.default:
        return f"imputation.{name}: only a column that may be empty can be imputed, and no contact data"
    if wanted.endswith("_consent"):
        return f"imputation.{name}: consent is given by the person or not at all"
    if rule.startswith("constant:") and not _can_be(column, rule.removeprefix("constant:")):
        return f"imputation.{name}: {rule.removeprefix('constant:')!r} is no {column.type}"
    if rule in ("mean", "median") and not column.type.startswith(("INT", "BIGINT", "DECIMAL")):
        return f"imputation.{name}: {rule} needs numbers, the column is {column.type}"
    return None


def _can_be(column: Column, text: str) -> bool:
    """Whether a constant can stand in a column."""
    try:
        if column.type.startswith("DECIMAL"):
            return Decimal(text).is_finite()
        if column.type in ("INT", "BIGINT"):
            return str(int(text)) == text
        if column.type in ("DATE", "TIMESTAMP"):
            return bool(datetime.fromisoformat(text))
    except (ArithmeticError, ValueError):
        return False
    return column.type != "BOOLEAN" or text in ("true", "false")


def problems(label: str, feed: Feed) -> list[str]:
    """What is wrong with the mapping of feed ``label`` (``source.feed``), one sentence each."""
    found = [said for entity, mapping in feed.maps.items() for said in _entity_problems(label, entity, mapping)]
    try:
        contacts_of(label, feed)
    except UsageError as error:
        found.append(error.message)
    return found


def _entity_problems(label: str, entity: str, mapping: Mapping) -> Iterator[str]:
    where = f"{label}.maps.{entity}"
    if entity not in BY_NAME:
        yield f"{where}: there is no canonical entity {entity}{_meant(entity, BY_NAME)}"
        return
    known = [column.name for column in BY_NAME[entity].columns if column.name != "source"]
    for name in mapping:
        if name not in known:
            yield f"{where}.{name}: {entity} has no column {name}{_meant(name, known)}"
    for column in BY_NAME[entity].columns:
        literal = re.fullmatch(r"\s*'([^']*)'\s*", mapping.get(column.name, ""))
        if literal and column.values and literal.group(1) not in column.values:
            yield f"{where}.{column.name}: '{literal.group(1)}' is none of {', '.join(column.values)}"
    missing = [name for name in required(BY_NAME[entity]) if name not in mapping]
    if missing:
        yield f"{where}: required and not mapped: {', '.join(missing)}"


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def required(entity: Entity) -> list[str]:
    """Columns that a mapping of an entity must give; ``source`` is the source's name and needs none."""
    return [c.name for c in entity.columns if c.required and c.default is None and c.name != "source"]


def uses(feed: Feed, column: str) -> list[tuple[str, str]]:
    """(entity, canonical column) of every mapping that names a source column, in expressions too."""
    found = []
    for entity, mapping in feed.maps.items():
        for canonical, expression in mapping.items():
            plain = plain_column(expression)
            named = plain.casefold() == column.casefold() if plain else _names(expression, column)
            if named:
                found.append((entity, canonical))
    return found


def _names(expression: str, column: str) -> bool:
    code = re.sub(r"'(?:[^'\\]|\\.|'')*'", "''", expression)
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", code, re.IGNORECASE) is not None


def absent_columns(feed: Feed, present: Iterable[str]) -> list[str]:
    """Mappings to a plain column that a sample does not have, as ``entity.canonical = column``."""
    known = {name.casefold() for name in present}
    found = []
    for entity, mapping in feed.maps.items():
        for canonical, expression in mapping.items():
            column = plain_column(expression)
            if column and column.casefold() not in known and not column.startswith("_"):
                found.append(f"{entity}.{canonical} = {column}")
    return found


def propose(feed: Feed, columns: Iterable[str]) -> list[Proposal]:
    """For source columns that no mapping uses, the free canonical column most like it, if one is.

    Looks at the entities the feed is mapped to; without any mapping, at the one entity that most
    columns fit.
    """
    free = [column for column in columns if not uses(feed, column)]
    mapped = [name for name in feed.maps if name in BY_NAME]
    if mapped:
        return _matches(free, mapped, {(entity, name) for entity in mapped for name in feed.maps[entity]})
    candidates = [_matches(free, [name], set()) for name in BY_NAME]
    return max(candidates, key=lambda found: sum(one.alike for one in found), default=[])


def _matches(columns: list[str], entities: list[str], taken: set[tuple[str, str]]) -> list[Proposal]:
    """The best pairs first; each source column and each canonical column once."""
    pairs = [
        Proposal(column, entity, target.name, likeness(column, target))
        for column in columns
        for entity in entities
        for target in BY_NAME[entity].columns
        if target.name != "source" and (entity, target.name) not in taken
    ]
    found: list[Proposal] = []
    for pair in sorted(pairs, key=lambda p: (-p.alike, p.column, p.canonical)):
        free = all(pair.column != f.column and (pair.entity, pair.canonical) != (f.entity, f.canonical) for f in found)
        if pair.alike >= ALIKE and free:
            found.append(pair)
    order = {(entity, c.name): n for entity in entities for n, c in enumerate(BY_NAME[entity].columns)}
    return sorted(found, key=lambda p: (entities.index(p.entity), order[p.entity, p.canonical]))


def likeness(column: str, target: Column) -> float:
    """How much a source column's name is like a canonical column's or one of its synonyms, 0 to 1."""
    name = _normal(column)
    alike = SequenceMatcher(None, name, _normal(target.name)).ratio()
    others = [SequenceMatcher(None, name, _normal(other)).ratio() for other in SYNONYMS.get(target.name, ())]
    return max([alike, *(0.99 * other for other in others)])


def _normal(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[\W_]+", "_", spaced).strip("_").casefold()

"""How made-up people differ from what is written down of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SOURCES = ("crm", "pos", "web")
#: what crm, pos and web know of a person, as often as that
KNOWN = {
    "email": (0.80, 0.06, 1.00), "phone": (0.93, 0.92, 0.82), "birth_date": (0.85, 0.10, 0.30),
    "address": (0.85, 0.05, 0.80), "city": (0.95, 0.60, 0.85), "loyalty_card": (1.00, 0.95, 0.00),
}  # fmt: skip
STORE_PHONES = ("+12125550100", "+13125550100", "+14155550100")
NO_REPLY = ("no-reply@store.example", "none@none.com")


@dataclass(frozen=True)
class Noise:
    """How people differ from their records; shares between 0 and 1.

    Attributes:
        known: by column, what each source knows of a person.
        records: share of people who have 1, 2, 3 and 4 records; again: of further ones, in whatever source.
        unsteady: of people, whose contact data and writing change from record to record.
        steady: how much of that the other people have.
        phone, email, card, move, surname: changes of an unsteady person between two records; hyphen: of surnames that
            change, those to which the new one is added.
        same_local: of changed e-mail addresses, the same name at another provider.
        named_email: of e-mail addresses, those made of the name; keeps_number: of changed ones, with the old number.
        moves_city: of moves, to another city.
        given_typo .. birth_error: of records of the unsteady, wrong or differently written in that place.
        initial: by source, of records of the unsteady, the first name's first letter alone.
        real_given: of people, with a first name of which there are short forms; called: of them, who use one.
        households: share of households of 1, 2, 3 and 4 people; the next ones are of those who belong to one.
        kin_surname, kin_address, kin_phone, kin_email, kin_card: have what the household's first person has.
        junior: of children, named as the first person; junior_phone: of them, with the same telephone; twins.
        recycled_phone: of telephones, those that somebody else had.
        junk_phone, junk_email: of records at the till and on the web, with one of the store's own; dozens at least.
    """

    known: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: KNOWN)
    records: tuple[float, ...] = (0.54, 0.285, 0.13, 0.045)
    again: float = 0.1
    unsteady: float = 0.27
    steady: float = 0.06
    phone: float = 0.55
    email: float = 0.65
    card: float = 0.80
    move: float = 0.35
    surname: float = 0.05
    hyphen: float = 0.15
    same_local: float = 0.3
    named_email: float = 0.8
    keeps_number: float = 0.5
    moves_city: float = 0.5
    given_typo: float = 0.12
    surname_typo: float = 0.14
    swapped: float = 0.03
    nickname: float = 0.35
    initial: tuple[float, ...] = (0.03, 0.2, 0.05)
    phone_typo: float = 0.06
    email_typo: float = 0.05
    address_typo: float = 0.1
    birth_error: float = 0.12
    real_given: float = 0.35
    called: float = 0.6
    households: tuple[float, ...] = (0.55, 0.25, 0.12, 0.08)
    kin_surname: float = 0.88
    kin_address: float = 0.9
    kin_phone: float = 0.05
    kin_email: float = 0.0003
    kin_card: float = 0.00015
    junior: float = 0.012
    junior_phone: float = 0.1
    twins: float = 0.006
    recycled_phone: float = 0.004
    junk_phone: float = 0.002
    junk_email: float = 0.0015

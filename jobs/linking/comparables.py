"""What records are compared by: contact data in one spelling, whatever script, order and titles it came in."""

from __future__ import annotations

import re
from functools import cache

import duckdb
import pyarrow as pa

from jobs.linking import sql

#: contact data of each record: one row per record ``n``, each value in its normal form or null
CONTACTS = pa.schema(
    [
        pa.field("n", pa.int64()),
        *(pa.field(name, pa.string()) for name in ("name", "email", "phone", "birth_date", "address", "city")),
    ]
)
#: Chinese surnames of two characters
COMPOUND_SURNAMES = frozenset(
    ["欧阳", "司马", "上官", "诸葛", "东方", "尉迟", "公孙", "慕容", "司徒", "令狐", "皇甫", "宇文", "长孙", "夏侯",
     "端木", "南宫"]
)  # fmt: skip
_HAN = re.compile(r"[\u3400-\u9fff]+")


def prepare(database: duckdb.DuckDBPyConnection) -> None:
    """Make ``comparables`` from ``contacts``, both tables of the connection.

    One row per record: n; given, family and full name in plain Latin letters; the names that the given name may be
    short for (roots); birth_date; email, its mailbox without dots and tags; phone; address; city. Null where nothing
    is known.
    """
    foreign = "SELECT DISTINCT name FROM contacts WHERE regexp_matches(strip_accents(name), '[^\\x00-\\x7f]')"
    names = [name for (name,) in database.execute(foreign).fetchall()]
    latin = pa.table({"name": pa.array(names, pa.string()), "latin": pa.array(map(_latin, names), pa.string())})
    database.register("latin_names", latin)
    database.register("name_roots", _roots())
    sql.run(database, "comparables")
    for view in ("latin_names", "name_roots"):
        database.unregister(view)


def _latin(name: str) -> str:
    """A name of another script in Latin letters, the given name first."""
    from text_unidecode import unidecode

    if _HAN.fullmatch(name.replace(" ", "")):
        name = name.replace(" ", "")
        at = 2 if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else 1
        name = f"{_joined(name[at:])} {_joined(name[:at])}"
    return str(unidecode(name)).lower()


def _joined(text: str) -> str:
    from text_unidecode import unidecode

    return str(unidecode(text)).replace(" ", "")


@cache
def _roots() -> pa.Table:
    """The names that a given name may be short for, by the ``nicknames`` package: given, roots."""
    from nicknames import NickNamer

    known = NickNamer().canonical_lookup
    given = sorted(known)
    return pa.table({"given": given, "roots": [sorted(known[name]) for name in given]})

"""Which pairs of records are worth a comparison: those that share a key, of keys that not too many records have."""

from __future__ import annotations

import duckdb

#: name of a rule -> SQL of its key over ``known`` and each of its roots (root); null has no key
KEYS = {
    "phone": "phone",
    "mailbox": "CASE WHEN length(mailbox) > 4 THEN mailbox END",
    "name": "root || '|' || family",
    "turned": "CASE WHEN given < family THEN family || '|' || given ELSE given || '|' || family END",
    "family_birth": "family || '|' || birth_date",
    "start_city": "left(given, 1) || '|' || family || '|' || city",
    "family_skeleton": "given || '|' || left(family, 1) || regexp_replace(family[2:], '[aeiouyh]', '', 'g')",
    "family_start": "given || '|' || left(family, 4)",
    "given_start": "left(given, 3) || '|' || family",
    "phone_start": "left(phone, -3) || '|' || left(given, 1)",
    "birth_city": "birth_date || '|' || city",
    "address": "address || '|' || left(given, 1)",
}


#: a key that more records have says too little; one of names alone, which namesakes share, sooner
MOST, MOST_NAMESAKES = 40, 10
_NAMES = frozenset({"name", "turned", "family_skeleton", "family_start", "given_start"})


def find(database: duckdb.DuckDBPyConnection) -> None:
    """Make ``pairs``: two records by n that share a key, one of them fresh, and are not one person by now.

    Args:
        database: holds ``known``, ``fresh`` and ``groups``.
    """
    database.execute("CREATE OR REPLACE TABLE keyed (n BIGINT, key UBIGINT)")
    for name, key in KEYS.items():
        rows = "(SELECT *, unnest(roots) AS root FROM known)" if "root" in key else "known"
        most = MOST_NAMESAKES if name in _NAMES else MOST
        every = f"SELECT n, hash('{name}|' || {key}) AS key FROM {rows} WHERE ({key}) IS NOT NULL"
        asked = "SELECT DISTINCT key FROM every SEMI JOIN fresh USING (n)"
        few = f"SELECT key FROM every SEMI JOIN asked USING (key) GROUP BY key HAVING count(*) BETWEEN 2 AND {most}"
        database.execute(
            f"INSERT INTO keyed WITH every AS MATERIALIZED ({every}), asked AS ({asked}), few AS ({few})"
            " FROM every SEMI JOIN few USING (key)"
        )
    database.execute(
        "CREATE OR REPLACE TABLE pairs AS SELECT DISTINCT least(a.n, b.n) AS l, greatest(a.n, b.n) AS r FROM"
        " (FROM keyed SEMI JOIN fresh USING (n)) AS a JOIN keyed AS b USING (key)"
        " JOIN groups AS g ON g.n = a.n JOIN groups AS h ON h.n = b.n WHERE a.n <> b.n AND g.grp <> h.grp"
    )
    database.execute("DROP TABLE keyed")

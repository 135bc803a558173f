"""The probabilistic linkage: a Fellegi-Sunter model by Splink, fitted without labels, frozen as one text.

Its parameters and the frequencies of names stay as fitted until a refit, so that the same two records have the same
weight every night.
"""

from __future__ import annotations

import json
import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from jobs.linking import candidates

if TYPE_CHECKING:
    from splink import Linker

#: what is compared, in the order of the evidence
COMPARED = ("name", "birth_date", "phone", "email", "city", "address")
#: frequencies are kept of terms that at least so many records have; rarer ones count as they do on average
LEAST_FREQUENT = 5
#: columns whose frequency matters
_TERMS = ("full_name", "given", "family", "city")
_COLUMNS = (
    "n AS unique_id, given, family, full_name, roots, birth_date, mailbox, is_mailbox_named, mailbox_digits, email,"
    " phone, city, address"
)
#: records that the fit looks at: those of so many in a thousand families' names, at most
FIT_RECORDS = 200_000


def _level(sql: str, label: str, term: str | None = None) -> dict[str, Any]:
    level: dict[str, Any] = {"sql_condition": sql, "label_for_charts": label}
    if term is not None:
        level["tf_adjustment_column"] = term
    return level


def _null(sql: str) -> dict[str, Any]:
    return {"sql_condition": sql, "label_for_charts": "not known", "is_null_level": True}


def _near(column: str, least: float) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {least}"


_NICK = (
    "(list_has_any(roots_l, roots_r) OR (starts_with(given_l, given_r) AND length(given_r) = 1)"
    " OR (starts_with(given_r, given_l) AND length(given_l) = 1))"
)
_OTHER = _level("ELSE", "other")
_NAMED = "(is_mailbox_named_l AND is_mailbox_named_r)"
_NEAR_MAILBOX = "(mailbox_l = mailbox_r OR damerau_levenshtein(mailbox_l, mailbox_r) <= 2 AND length(mailbox_l) > 6)"
NAME_AND_NUMBER = "mailbox of the own name with the same number"


def comparisons() -> list[dict[str, Any]]:
    """What two records are asked, from the most alike to the least."""
    return [
        {
            "output_column_name": "name",
            "comparison_levels": [
                _null("given_l IS NULL OR given_r IS NULL"),
                _level("full_name_l = full_name_r", "same name", "full_name"),
                _level("given_l = family_r AND family_l = given_r", "names turned"),
                _level(f"family_l = family_r AND {_NICK}", "same family name, given name in short", "family"),
                _level(f"family_l = family_r AND {_near('given', 0.85)}", "given name nearly", "family"),
                _level(f"given_l = given_r AND {_near('family', 0.85)}", "family name nearly", "given"),
                _level(f"{_near('family', 0.85)} AND ({_NICK} OR {_near('given', 0.85)})", "both names nearly"),
                _level("given_l = given_r", "same given name alone", "given"),
                _level("list_has_any(roots_l, roots_r)", "given name in short alone"),
                _level("family_l = family_r", "same family name alone", "family"),
                _OTHER,
            ],
        },
        {
            "output_column_name": "birth_date",
            "comparison_levels": [
                _null("birth_date_l IS NULL OR birth_date_r IS NULL"),
                _level("birth_date_l = birth_date_r", "same date of birth"),
                _level("damerau_levenshtein(birth_date_l, birth_date_r) <= 1 OR birth_date_l = left(birth_date_r, 5) ||"
                       " right(birth_date_r, 2) || '-' || birth_date_r[6:7]", "a slip in the date of birth"),
                _level("left(birth_date_l, 4) = left(birth_date_r, 4)", "same year of birth"),
                _level("abs(left(birth_date_l, 4)::INT - left(birth_date_r, 4)::INT) <= 2", "born within two years"),
                _OTHER,
            ],
        },
        {
            "output_column_name": "phone",
            "comparison_levels": [
                _null("phone_l IS NULL OR phone_r IS NULL"),
                _level(f"phone_l = phone_r AND (given_l = given_r OR {_NICK})", "same phone and given name"),
                _level("phone_l = phone_r", "same phone"),
                _level("damerau_levenshtein(phone_l, phone_r) <= 1", "a slip in the phone"),
                # who changes the number mostly stays in the area; what stands before the last seven digits says which
                _level("length(phone_l) > 9 AND left(phone_l, -7) = left(phone_r, -7)", "another phone of the area"),
                _OTHER,
            ],
        },
        {
            "output_column_name": "email",
            "comparison_levels": [
                _null("email_l IS NULL OR email_r IS NULL"),
                _level("email_l = email_r", "same e-mail"),
                _level(f"{_NAMED} AND mailbox_digits_l = mailbox_digits_r AND {_NEAR_MAILBOX}", NAME_AND_NUMBER),
                _null(f"{_NAMED} AND {_NEAR_MAILBOX}"),
                _level("mailbox_l = mailbox_r", "same mailbox elsewhere"),
                _level(f"mailbox_digits_l IS NOT DISTINCT FROM mailbox_digits_r AND {_NEAR_MAILBOX}",
                       "a slip in the mailbox"),
                _OTHER,
            ],
        },
        {
            "output_column_name": "city",
            "comparison_levels": [
                _null("city_l IS NULL OR city_r IS NULL"),
                _level("city_l = city_r", "same city", "city"),
                _OTHER,
            ],
        },
        {
            "output_column_name": "address",
            "comparison_levels": [
                _null("address_l IS NULL OR address_r IS NULL"),
                _level("address_l = address_r", "same address"),
                _level("levenshtein(address_l, address_r) <= 3", "address nearly"),
                _OTHER,
            ],
        },
    ]  # fmt: skip


@dataclass(frozen=True)
class Linkage:
    """A fitted model."""

    version: str
    settings: dict[str, Any]  #: Splink's, parameters and all
    terms: dict[str, dict[str, float]]  #: column -> term -> share of records, of the frequent ones
    rare: dict[str, float]  #: column -> share of records that any other term stands for

    @property
    def _compared(self) -> list[str]:
        return [one["output_column_name"] for one in self.settings["comparisons"]]

    def to_json(self) -> str:
        """The model as one text."""
        return json.dumps(vars(self), indent=1, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Linkage:
        """The model that :meth:`to_json` wrote."""
        return cls(**json.loads(text))

    def score(self, database: duckdb.DuckDBPyConnection) -> None:
        """Make ``scored``: l, r, weight (log2 of the odds), score (probability), evidence, of every candidate pair.

        Args:
            database: holds ``known``, ``fresh`` and ``groups``.
        """
        candidates.find(database)
        database.execute(f"CREATE OR REPLACE TABLE linkable AS SELECT {_COLUMNS} FROM known"
                         " SEMI JOIN (SELECT unnest([l, r]) AS n FROM pairs) USING (n)")  # fmt: skip
        self._add_frequencies(database)
        database.execute(
            "CREATE OR REPLACE TABLE blocked AS SELECT '0' AS match_key, l AS join_key_l, r AS join_key_r FROM pairs"
        )
        linker = _linker(database, self.settings)
        linker.table_management.register_blocked_pairs_for_predict(linker._db_api.register("blocked"))
        found = linker.inference.predict(warning_mode="never")
        weights = {one: f"mw_{one}{_tf(self.settings, one)}" for one in self._compared}
        parts = ", ".join(f"CASE WHEN {sql} <> 0 THEN printf('{one} %+.1f', {sql}) END" for one, sql in weights.items())
        database.execute(
            "CREATE OR REPLACE TABLE scored AS SELECT least(unique_id_l, unique_id_r) AS l, greatest(unique_id_l,"
            " unique_id_r) AS r, match_weight AS weight, match_probability AS score,"
            f" concat_ws(', ', {parts}) AS evidence FROM {found.physical_name}"
        )
        linker.table_management.delete_tables_created_by_splink_from_db()

    def _add_frequencies(self, database: duckdb.DuckDBPyConnection) -> None:
        for name in _TERMS:
            known = self.terms[name]
            terms = pa.table({name: list(known), f"tf_{name}": pa.array(known.values(), pa.float64())})
            database.register("terms_in", terms)
            database.execute(
                f"CREATE OR REPLACE TABLE linkable AS SELECT k.*, CASE WHEN k.{name} IS NOT NULL THEN"
                f" coalesce(tf_{name}, {self.rare[name]!r}) END AS tf_{name} FROM linkable AS k LEFT JOIN terms_in"
                f" USING ({name})"
            )
            database.unregister("terms_in")


def _tf(settings: dict[str, Any], one: str) -> str:
    (levels,) = (c["comparison_levels"] for c in settings["comparisons"] if c["output_column_name"] == one)
    return f" + coalesce(mw_tf_adj_{one}, 0)" if any("tf_adjustment_column" in level for level in levels) else ""


def _linker(database: duckdb.DuckDBPyConnection, settings: dict[str, Any]) -> Linker:
    from splink import Linker
    from splink.backends.duckdb import DuckDBAPI

    for name in ("splink", "splink.internals", *(one for one in logging.root.manager.loggerDict if "splink" in one)):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = DuckDBAPI(connection=database)
        return Linker(api.register("linkable"), settings)


def fit(database: duckdb.DuckDBPyConnection, version: str) -> Linkage:
    """Fit the model to the records of ``known``: no labels, always the same for the same records.

    How often unlike people agree is counted over random pairs, how often one person's records agree is learned by
    expectation maximisation over pairs that agree in something (Fellegi and Sunter 1969; Winkler 1988), once for each
    of several grounds, so that no comparison is learned from pairs that were chosen by it.

    Args:
        database: holds ``known``.
        version: what to call it.

    Raises:
        ValueError: there is too little to learn from.
    """
    ((count,),) = database.execute("SELECT count(full_name) FROM known").fetchall()
    if count < LEAST_RECORDS:
        raise ValueError(f"{count} records with a name, {LEAST_RECORDS} needed to learn how records differ")
    every = max(1, -(-count // FIT_RECORDS))
    database.execute(
        f"CREATE OR REPLACE TABLE linkable AS SELECT {_COLUMNS} FROM known WHERE full_name IS NOT NULL"
        f" AND ({every} = 1 OR hash(coalesce(birth_date, full_name)) % {every} = 0) ORDER BY n"
    )
    grounds = [one for one in _GROUNDS if _pairs(database, one) >= LEAST_PAIRS]
    if len(grounds) < 2:
        raise ValueError("too few records agree in anything to learn how one person's differ")
    told = {name for name in COMPARED if _told(database, name)}
    settings = {
        "link_type": "dedupe_only", "unique_id_column_name": "unique_id",
        "comparisons": [one for one in comparisons() if one["output_column_name"] in told],
        "blocking_rules_to_generate_predictions": [{"blocking_rule": "l.email = r.email"}],
        "retain_intermediate_calculation_columns": True, "retain_matching_columns": False, "linker_uid": "regulars",
    }  # fmt: skip
    linker = _linker(database, settings)
    training = linker.training
    training.estimate_probability_two_random_records_match(
        ["l.full_name = r.full_name AND l.birth_date = r.birth_date", "l.email = r.email",
         "l.phone = r.phone AND l.given = r.given"], recall=RECALL,
    )  # fmt: skip
    training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    for ground in grounds:
        training.estimate_parameters_using_expectation_maximisation(ground, max_pairs=TRAINING_PAIRS)
    fitted = _rounded(linker.misc.save_model_to_json())
    _set_by_hand(fitted, NAME_AND_NUMBER, _same_by_chance(database, "mailbox_digits", "is_mailbox_named"))
    linker.table_management.delete_tables_created_by_splink_from_db()
    terms, rare = _frequencies(database)
    return Linkage(version, fitted, terms, rare)


#: share of matches that the three grounds of the prior find, as a guess; and pairs that the fit looks at
RECALL, RANDOM_PAIRS, TRAINING_PAIRS = 0.7, 2e6, 1e6
LEAST_RECORDS = 500
LEAST_PAIRS = 50
#: pairs that agree in one of these hold enough matches to learn from
_GROUNDS = ("l.email = r.email", "l.phone = r.phone", "l.full_name = r.full_name", "l.birth_date = r.birth_date AND"
            " l.given = r.given")  # fmt: skip


def _pairs(database: duckdb.DuckDBPyConnection, ground: str) -> int:
    """How many pairs agree, counted up to some."""
    ((found,),) = database.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM linkable AS l JOIN linkable AS r ON {ground} WHERE l.unique_id <"
        f" r.unique_id LIMIT {LEAST_PAIRS})"
    ).fetchall()
    return int(found)


def _told(database: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a tenth of a percent of the records say something of it."""
    column = "full_name" if name == "name" else name
    ((share,),) = database.execute(f"SELECT count({column}) / count(*) FROM linkable").fetchall()
    return bool(share >= 0.001)


def _rounded(said: Any) -> Any:
    """Numbers to eight digits: the last ones depend on the order in which threads add."""
    if isinstance(said, dict):
        return {name: _rounded(one) for name, one in said.items()}
    if isinstance(said, list):
        return [_rounded(one) for one in said]
    return float(f"{said:.8g}") if isinstance(said, float) else said


def _set_by_hand(settings: dict[str, Any], label: str, by_chance: float) -> None:
    """Say how often unlike people of one name agree, which random pairs, of other names, do not tell."""
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level["label_for_charts"] == label:
                level["u_probability"] = by_chance


def _same_by_chance(database: duckdb.DuckDBPyConnection, column: str, of: str) -> float:
    """How likely it is that two records drawn at random have the same value."""
    ((share,),) = database.execute(
        f"SELECT sum(n * n) / greatest(sum(n) * sum(n), 1) FROM (SELECT count(*) AS n FROM known WHERE {of} GROUP BY"
        f" {column})"
    ).fetchall()
    return max(float(share or 0.0), 1e-6)


def _frequencies(database: duckdb.DuckDBPyConnection) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    terms, rare = {}, {}
    for name in _TERMS:
        ((total,),) = database.execute(f"SELECT count({name}) FROM known").fetchall()
        found = database.execute(
            f"SELECT {name}, count(*) FROM known WHERE {name} IS NOT NULL GROUP BY 1"
            f" HAVING count(*) >= {LEAST_FREQUENT} ORDER BY 1"
        ).fetchall()
        terms[name] = {term: times / total for term, times in found}
        ((times,),) = database.execute(
            f"SELECT coalesce(sum(n * n) / sum(n), 1) FROM (SELECT count(*) AS n FROM known WHERE {name} IS NOT NULL"
            f" GROUP BY {name}) WHERE n < {LEAST_FREQUENT}"
        ).fetchall()
        rare[name] = times / max(total, 1)
    return terms, rare

"""What a linker is held against, in the same run: exact keys, and Splink as its documentation trains it.

Tables are those of ``people.make_people``; nothing here reads ``person_id``. Records are named by ``record_id``, which
is 0 .. records - 1 in any order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]

#: an identifier on more records than this tells nothing
MAX_SHARING = 20
_FORENAME = "lower(split_part(name, ' ', 1))"
_SURNAME = "lower(split_part(name, ' ', -1))"
#: an identifier's value, where the record has one
_KEYS = (
    ("loyalty_card", "loyalty_card"),
    ("lower(email)", "lower(email)"),
    (f"phone || ' ' || {_FORENAME}", "phone"),
)


def exact_keys(table: pa.Table) -> Ints:
    """Records joined by the same card, the same e-mail, or the same telephone with the same first name.

    Returns:
        The part's number by ``record_id``, of shape (records,).
    """
    left, right = exact_links(table)
    return cluster(len(table), left, right)


def exact_links(table: pa.Table) -> tuple[Ints, Ints]:
    """Pairs of records, of shape (links,) each: each record and the first with the same key."""
    with duckdb.connect() as database:
        database.register("people", table)
        found = [database.execute(_links(key, counted)).fetchnumpy() for key, counted in _KEYS]
    return tuple(np.concatenate([each[side] for each in found]).astype(np.int64) for side in ("l", "r"))


def _links(key: str, counted: str) -> str:
    """SQL of each record's link to the first with its key; ``counted`` is the identifier that few records share."""
    return (
        f"SELECT l, r FROM (SELECT min(record_id) OVER (PARTITION BY {key}) AS l, record_id AS r FROM people"
        f" WHERE {key} IS NOT NULL QUALIFY count(*) OVER (PARTITION BY {counted}) <= {MAX_SHARING}) WHERE l < r"
    )


def cluster(records: int, left: Ints, right: Ints) -> Ints:
    """Number of the part by record, of shape (records,), where pairs of shape (links,) each are together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(records, records))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


@dataclass(frozen=True)
class Scored:
    """Pairs of records that a model has scored, each of shape (pairs,).

    Attributes:
        left, right: record ids; probability: that they are one person, as the model says.
    """

    left: Ints
    right: Ints
    probability: NDArray[np.float64]

    def at(self, threshold: float) -> tuple[Ints, Ints]:
        """Pairs with at least that probability."""
        keep = self.probability >= threshold
        return self.left[keep], self.right[keep]


def splink_at(table: pa.Table, scored: Scored, threshold: float) -> Ints:
    """Number of the part by ``record_id``, of shape (records,): the exact links and the pairs from a threshold on."""
    exact, found = exact_links(table), scored.at(threshold)
    return cluster(len(table), *(np.concatenate(sides) for sides in zip(exact, found, strict=True)))


def stock_splink(table: pa.Table, threshold: float = 0.5, seed: int = 7) -> Scored:
    """Pairs that Splink finds with comparisons from its library, trained as its documentation does.

    Args:
        table: of people, all columns of ``make_people`` but the truth.
        threshold: probability below which pairs are not returned; higher ones are chosen from what is.
        seed: of the sample from which u is estimated.
    """
    from splink import DuckDBAPI, Linker

    with duckdb.connect() as database:
        database.register("given_table", table)
        database.execute(f"CREATE TABLE people AS {_PREPARED}")
        linker = Linker(DuckDBAPI(database).register("people"), _settings(), log_level="ERROR")
        _train(linker, seed)
        found = linker.inference.predict(threshold_match_probability=threshold).physical_name
        columns = database.execute(
            f"SELECT record_id_l AS l, record_id_r AS r, match_probability AS p FROM {found}"
        ).fetchnumpy()
    return Scored(columns["l"].astype(np.int64), columns["r"].astype(np.int64), columns["p"])


def _seldom(name: str) -> str:
    """An identifier, where few records have it: a shop's own telephone would be compared with itself all over."""
    return f"CASE WHEN count(*) OVER (PARTITION BY {name}) <= {MAX_SHARING} THEN {name} END AS {name}"


_PREPARED = (
    f"SELECT record_id, {_FORENAME} AS forename, {_SURNAME} AS surname, forename || ' ' || surname AS full_name,"
    f" {_seldom('email')}, {_seldom('phone')}, birth_date, city FROM given_table"
)


def _settings() -> Any:
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on

    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        blocking_rules_to_generate_predictions=[
            block_on("email"),
            block_on("phone"),
            block_on("forename", "surname"),
            block_on("surname", "birth_date"),
            block_on("forename", "birth_date"),
            block_on("substr(forename, 1, 2)", "surname", "city"),
            block_on("forename", "substr(surname, 1, 3)", "city"),
            block_on("split_part(email, '@', 1)"),
        ],
        comparisons=[
            cl.ForenameSurnameComparison("forename", "surname", forename_surname_concat_col_name="full_name"),
            cl.DateOfBirthComparison("birth_date", input_is_string=True),
            cl.EmailComparison("email"),
            cl.LevenshteinAtThresholds("phone", [1, 2]),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        ],
        retain_matching_columns=False,
    )


def _train(linker: Any, seed: int) -> None:
    from splink import block_on

    training = linker.training
    rules = [block_on("email"), block_on("phone", "forename"), block_on("full_name", "birth_date")]
    training.estimate_probability_two_random_records_match(rules, recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=1e7, seed=seed)
    for rule in (block_on("forename", "surname"), block_on("birth_date")):
        training.estimate_parameters_using_expectation_maximisation(rule, estimate_without_term_frequencies=True)

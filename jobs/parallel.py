"""Independent queries side by side: each mostly waits for the engine, which has cores to spare."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

WORKERS = 4


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """``work`` over ``items`` in a few threads; results in the items' order, the first error raised."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, items))

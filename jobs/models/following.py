"""What goes on when a model is fitted anew: names are kept, and how far the new groups are the old ones is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from jobs.definitions.segments.fitted import Found
from jobs.models import prototypes, topics
from jobs.models.naming import TAKEN, free
from jobs.models.prototypes import Method, Prototypes
from jobs.models.rfm import RfmCuts
from jobs.models.space import points
from jobs.models.stability import Labels, adjusted_rand_index, aligned, bootstrapped, jaccard, stability_index
from jobs.models.topics import Topics

_Grouped = TypeVar("_Grouped", Prototypes, Topics)

#: share of both groups' members that a new one and the old one it goes on from have in common for it to keep the name
KEEPS_NAME = 0.5


def groups(old: Prototypes, new: Prototypes, sample: pa.Table, method: Method) -> tuple[Prototypes, dict[str, Any]]:
    """A new fit with the names of the old one where a group goes on, and how they agree.

    Args:
        old: the fit that is followed.
        new: the one that follows it.
        sample: the customers that it was fitted to.
        method: how.
    """
    was, now = old.places(sample), new.places(sample)
    where = points(sample, new.axes)
    in_old = points(sample, old.axes)
    centroids = np.array([in_old[now == group].mean(axis=0) for group in range(len(new.found))])

    def again(rows: Labels) -> Labels:
        middles, of_point = method(where[rows])
        return of_point[prototypes.nearest(where, middles)]

    follows = aligned(np.asarray(old.middles), centroids)
    report = _agreement(was, now, bootstrapped(now, again, len(new.found)))
    report["drift"] = old.drift(sample)
    return _renamed(old, new, follows, was, now), report


def themes(old: Topics, new: Topics, counts: Labels, categories: Sequence[str]) -> tuple[Topics, dict[str, Any]]:
    """The same of topics.

    Args:
        old: the fit that is followed.
        new: the one that follows it.
        counts: one row per customer of the sample, one column per category.
        categories: of the columns.
    """
    was, now = (one.places(counts, categories) for one in (old, new))
    known = counts.sum(axis=1) > 0
    follows = aligned(*(one.distributions(categories) for one in (old, new)))

    def again(rows: Labels) -> Labels:
        some = {name: counts[rows, n].tolist() for n, name in enumerate(categories)}
        return topics.fit(some, new.version, among=(len(new.found),)).places(counts, categories)

    report = _agreement(was[known], now[known], bootstrapped(now, again, len(new.found)))
    sizes = np.bincount(was[known], minlength=len(old.found))
    report["drift"] = {"groups": round(stability_index(old.sizes, [int(size) for size in sizes]), 4)}
    return _renamed(old, new, follows, was, now), report


def cuts(old: RfmCuts, new: RfmCuts) -> dict[str, Any]:
    """How cut points moved: each as (old, new)."""
    named = ("recency", "frequency", "monetary", "medians")
    return {name: [list(getattr(old, name)), list(getattr(new, name))] for name in named}


def _agreement(was: Labels, now: Labels, jaccards: list[float]) -> dict[str, Any]:
    return {"adjusted_rand_index": round(adjusted_rand_index(was, now), 4), "jaccard_under_bootstrap": jaccards}


def _renamed(old: _Grouped, new: _Grouped, follows: dict[int, int], was: Labels, now: Labels) -> _Grouped:
    used = {*TAKEN, *(one.code for one in (*old.found, *old.gone))}
    found: list[Found] = []
    for group, own in enumerate(new.found):
        before = follows.get(group)
        if before is not None and jaccard(now == group, was == before) >= KEEPS_NAME:
            found.append(old.found[before])
        else:
            found.append(free([own], used, own))
    kept = {one.code for one in found}
    gone = tuple(one for one in (*old.found, *old.gone) if one.code not in kept)
    return replace(new, found=tuple(found), gone=gone)

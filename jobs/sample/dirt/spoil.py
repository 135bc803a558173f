"""Damage to a generated chain, and the truth about it."""

from __future__ import annotations

import csv
from dataclasses import astuple, fields
from datetime import date
from pathlib import Path

import numpy as np

from jobs.errors import UsageError
from jobs.sample.dirt import crm, online, receipts
from jobs.sample.dirt.kind import Kind, WholeFile
from jobs.sample.dirt.receipt_rows import Receipts
from jobs.sample.dirt.spots import Source, Truth, chosen
from jobs.sample.dirt.table_rows import Crm, Online, mentioned

KINDS: tuple[Kind, ...] = (*receipts.KINDS, *crm.KINDS, *online.KINDS)
TRUTH = "dirt.csv"


def spoil(out: Path, share: float, seed: int, last_date: date) -> list[Truth]:
    """Damage a share of the rows of every feed of a generated chain; writes ``truth/dirt.csv``.

    Args:
        out: the chain, undamaged.
        share: of the rows of each feed; every kind strikes at least once, and at most where it can.
        seed: the same chain, share and seed give the same damage.
        last_date: the chain's last business date.

    Returns:
        one entry per damaged row, or file.

    Raises:
        UsageError: the share is none, or the chain is too small for some kind.
    """
    if not 0 < share <= 1:
        raise UsageError("dirt is a share of rows, above 0 and at most 1", next_command="--dirt 0.01")
    spoken_of = mentioned(out / "crm.sqlite")
    files = Receipts(out / "pos", last_date, spoken_of)
    sources: dict[str, Source] = {
        "pos": files,
        "crm": Crm(out / "crm.sqlite", last_date),
        "online": Online(out / "online.sqlite", last_date, spoken_of),
    }
    rng = np.random.default_rng([seed, len(KINDS)])
    of_rows = [kind for kind in KINDS if not isinstance(kind.damage, WholeFile)]
    truth = []
    for feed in dict.fromkeys(kind.feed for kind in of_rows):
        source = sources[feed.partition(".")[0]]
        kinds = [kind for kind in of_rows if kind.feed == feed]
        truth += [source.damage(kind, spot) for kind, spot in chosen(rng, kinds, source, feed, share)]
    for source in sources.values():
        source.save()
    truth += _files(rng, files, share)
    _write(truth, out / "truth" / TRUTH)
    return truth


def _files(rng: np.random.Generator, receipts: Receipts, share: float) -> list[Truth]:
    """The share of the files for each kind that is about files, each file once."""
    names = rng.permutation(receipts.files()).tolist()
    kinds = [kind for kind in KINDS if isinstance(kind.damage, WholeFile)]
    count = max(1, round(share * len(names) / len(kinds)))
    return [
        receipts.damage_file(kind, name)
        for place, kind in enumerate(kinds)
        for name in names[place * count : (place + 1) * count]
    ]


def _write(truth: list[Truth], path: Path) -> None:
    names = [entry.name for entry in fields(Truth)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*names[:1], "source", *names[1:]])
        for one in sorted(truth, key=lambda one: (one.kind, one.place, one.line or 0, one.key)):
            kind, *rest = astuple(one)
            writer.writerow([kind, one.feed.partition(".")[0], *rest])

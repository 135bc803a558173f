"""CDNOW: 2,357 customers of a music shop, 39 weeks to fit and 39 to hold out; figures against published ones."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path

import numpy as np

from jobs.models import lifetime
from jobs.models.lifetime import Floats, Histories, OrderModel, ValueModel

WEEKS = 39.0
_LAST_DAY = "19970930"  #: of the weeks to fit


def dataset(name: str) -> Path:
    """A file of the package lifetimes, which is not imported."""
    (path,) = (file for file in files("lifetimes") or () if file.name == name)
    return Path(str(path.locate()))


def calibration() -> tuple[Histories, Floats]:
    """Everybody's history of the first 39 weeks, and the mean value of the repeated purchases."""
    with dataset("cdnow_customers_summary_with_transactions.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    x, last, observed, value = (np.array([float(row[name]) for row in rows]) for name in ("x", "t_x", "T", "zbar"))
    return Histories(x, last, observed, np.ones(len(rows))), value


def holdout() -> Floats:
    """Days with a purchase in the 39 weeks after, in the same order of customers."""
    days: dict[int, set[str]] = {}
    for line in dataset("CDNOW_sample.txt").read_text().splitlines():
        _, customer, day, *_ = line.split()
        days.setdefault(int(customer), set()).add(day)
    return np.array([float(sum(day > _LAST_DAY for day in days[customer])) for customer in sorted(days)])


def fitted() -> tuple[OrderModel, ValueModel]:
    """Both models; the value of the 946 who came again."""
    kinds, value = calibration()
    again = kinds.repeats > 0
    return lifetime.fit_orders(kinds), lifetime.fit_value(kinds.repeats[again], value[again], np.ones(again.sum()))


def area(high: Floats, low: Floats) -> float:
    """Under the curve: how often one of those who should be higher is, ties counting half."""
    return float((high[:, None] > low).mean() + (high[:, None] == low).mean() / 2)


def section() -> Iterator[str]:
    """Lines of the page."""
    orders, value = fitted()
    kinds, after = calibration()[0], holdout()
    expected, none = orders.expected_orders(kinds, WEEKS), orders.probability_of_none(kinds, WEEKS)
    alive, bought = orders.probability_alive(kinds), after > 0
    one = Histories(*(np.array([number]) for number in (2.0, 30.43, 38.86, 1.0)))
    figures: list[tuple[str, str, float]] = [
        ("BG/NBD r", "0.2426", orders.r),
        ("BG/NBD alpha", "4.4136", orders.alpha),
        ("BG/NBD a", "0.7929", orders.a),
        ("BG/NBD b", "2.4259", orders.b),
        ("BG/NBD log-likelihood", "-9582.43", orders.log_likelihood),
        ("orders in 39 weeks of x = 2, t_x = 30.43, T = 38.86", "1.226", float(orders.expected_orders(one, WEEKS)[0])),
        ("Gamma-Gamma p", "6.25", value.p),
        ("Gamma-Gamma q", "3.74", value.q),
        ("Gamma-Gamma v", "15.44", value.v),
        ("held out: mean absolute error", "0.7855", float(np.abs(expected - after).mean())),
        ("held out: root mean square error", "1.6080", float(np.sqrt(((expected - after) ** 2).mean()))),
        (f"held out: orders in all, of {after.sum():.0f}", "1653", float(expected.sum())),
        ("held out: area under the curve, buys again", "0.7725", area(expected[bought], expected[~bought])),
        ("held out: area, stops, by 1 - probability_alive", "0.316", area(1 - alive[~bought], 1 - alive[bought])),
        ("held out: area, stops, by the probability of no order", "0.771 (days since the last order)",
         area(none[~bought], none[bought])),
    ]  # fmt: skip
    yield from ("## Customer value: CDNOW", "")
    yield "Fitted on 39 weeks of 2,357 customers, held out 39 (the data of the package lifetimes). References: Fader,"
    yield "Hardie, Lee (2005), Fader, Hardie (2013), and others' measurements on the same weeks."
    yield from ("", "| figure | reference | here |", "|---|---|---|")
    yield from (f"| {name} | {reference} | {found:.4f} |" for name, reference, found in figures)
    yield ""
    yield "The probability of no order is a worse sign of churn here than days since the last one: it stands in only"
    yield "where there is too little history to learn from what came later (`churn_probability_90d`)."

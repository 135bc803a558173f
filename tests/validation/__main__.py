"""Dirt, segments, predictions and who is who, held against what is known of them: ``python -m tests.validation``.

Generates a dirty chain, runs two nights, compares what they set aside, repaired and merged with the truth about the
dirt, prints a table and writes it to ``docs/validation.md``. Ends with 1 if a kind without a stated reason is below
1.00, if one with a reason is not, or if a clean row was set aside.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from tests.support import ROOT, Site, business
from tests.validation import cdnow, grocer, groups, identity, month
from tests.validation.measure import Evidence, Figure, Measured, read_truth

NIGHTS = 2
#: customers, days and seed of the chain whose future is foretold
CHAIN = (1_500, 500, 23)
#: made-up records, those of them that come in thirty nights, and their seed
PEOPLE = (1_000_000, 50_000, 3)
PAGE = ROOT / "docs" / "validation.md"

HEAD = """# How well dirt is found, customers are told apart, and what they do is foretold

Written by `make validation`; edit `tests/validation`, not this page. A generated chain is damaged by a known hand
(`jobs/sample/dirt`, {kinds} kinds over three sources), {nights} nights are run, and what they set aside is compared
with the truth, row by row.

**Precision** of a kind: of the rows set aside (reported, dropped as duplicates) by its rules, the share that truth says
is damaged by a kind that has those rules; `-` where it has none. **Recall**: of its rows, the share that became exactly
what was expected; a row set aside by another rule, or by one more, is not right. **Outcome** is what is expected:
*quarantined* and *held*: by exactly the rules that the kind names; *repaired*: in the tables with what was meant, and a
note; *duplicate*: one survivor; *reported*: in the tables, and counted by a rule; *linked*: two records, one customer;
*harmless*: in the tables as if nothing were wrong. Structural kinds are decided by form alone (bytes, types, bounds,
known values, references).

"""


def page(measured: Measured, size: str, foretold: Sequence[str]) -> Iterator[str]:
    """Lines of the page.

    Args:
        measured: of dirt.
        size: of the damaged chain.
        foretold: lines about segments and predictions.
    """
    figures = measured.figures
    yield from HEAD.format(kinds=len(figures), nights=NIGHTS).splitlines()
    yield f"{size}; {sum(one.rows for one in figures)} damaged rows."
    for title, chosen in (
        ("Structural kinds", [one for one in figures if one.kind.is_structural]),
        ("Other kinds", [one for one in figures if not one.kind.is_structural]),
    ):
        yield from ("", f"## {title}", "")
        yield "| kind | what it is | feed | rows | outcome | precision | recall | reason below 1.00 |"
        yield "|---|---|---|---|---|---|---|---|"
        for one in chosen:
            yield f"| {' | '.join(_cells(one))} |"
    yield from ("", "## Clean rows", "")
    yield f"{len(measured.strays)} rows without damage were set aside."
    yield ""
    yield from foretold
    yield ""
    yield from cdnow.section()
    yield ""
    yield (
        f"{platform.system()}, Python {platform.python_version()}, "
        + ", ".join(
            f"{name} {version(name)}"
            for name in ("scikit-learn", "minisom", "scipy", "numpy", "pysail", "splink", "duckdb", "recordlinkage")
        )
        + "."
    )


def _cells(one: Figure) -> tuple[str, ...]:
    kind = one.kind
    precision = "-" if one.precision is None else f"{one.precision:.2f}"
    instead = "; ".join(f"{count} {what}" for what, count in sorted(one.instead.items()))
    reason = f"{kind.gap.reason if kind.gap else 'unexplained'} ({instead})" if instead else ""
    return (
        kind.name, kind.says, kind.feed, str(one.rows), kind.expected.outcome, precision, f"{one.recall:.2f}", reason,
    )  # fmt: skip


def faults(measured: Measured) -> list[str]:
    """Kinds that are not as they are said to be."""
    below = [one.kind.name for one in measured.figures if not one.kind.gap and not one.is_perfect]
    mended = [one.kind.name for one in measured.figures if one.kind.gap and one.is_perfect]
    strays = [f"{one.table} {one.file}:{one.row} {' '.join(sorted(one.rules))}" for one in measured.strays[:20]]
    return [
        *(f"below 1.00 without a reason: {name}" for name in below),
        *(f"at 1.00, its reason has to go: {name}" for name in mended),
        *(f"clean and set aside: {stray}" for stray in strays),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__.split("\n")[0])
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--dirt", type=float, default=0.05)
    parser.add_argument("--engine", default="sail")
    options = parser.parse_args(argv)
    # so much dirt is what a chain would be stopped for
    lifted = {"REGULARS_ENGINE": options.engine, "REGULARS_THRESHOLDS__MAX_QUARANTINE_SHARE": "1"}
    with tempfile.TemporaryDirectory(prefix="regulars-validation-") as folder:
        root = Path(folder)
        sizes = {"customers": options.customers, "days": options.days, "seed": options.seed}
        with business(root / "business", **sizes, dirt=options.dirt) as chain:
            site = Site(chain, root / "warehouse", lifted)
            days = chain.nights[-NIGHTS:]
            for day in days:
                site.night(day)
        nights = [night for day in days if (night := site.warehouse.latest(day))]
        measured = Measured(read_truth(root / "business", days[-1]), Evidence(nights))
        size = f"{options.customers} customers x {options.days} days, seed {options.seed}, dirt {options.dirt:g}"
        foretold = list(groups.section(root / "foretold", options.engine, *CHAIN))
        foretold += ["", *grocer.section(root / "grocer", options.engine)]
        foretold += ["", *month.section(month.run(root / "month", options.engine))]
        foretold += ["", *identity.section(*PEOPLE)]
        PAGE.write_text("\n".join(page(measured, size, foretold)) + "\n", encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    wrong = faults(measured)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

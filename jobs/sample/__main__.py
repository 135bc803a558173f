"""Make a sample business: ``python -m jobs.sample grocer --out DIR``, or ``restaurant --customers N ...``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from jobs.errors import RegularsError


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m jobs.sample", description="make a sample business")
    kinds = parser.add_subparsers(dest="business", required=True)
    grocer = kinds.add_parser("grocer", help="the real Complete Journey purchases of 2017")
    grocer.add_argument("--out", type=Path, default=Path("business/grocer"))
    restaurant = kinds.add_parser("restaurant", help="a generated chain with known truth (synthetic)")
    restaurant.add_argument("--customers", type=int, default=2_000)
    restaurant.add_argument("--days", type=int, default=365)
    restaurant.add_argument("--seed", type=int, default=7)
    restaurant.add_argument("--last-date", type=date.fromisoformat, default=date(2026, 6, 30))
    restaurant.add_argument("--out", type=Path, default=Path("business/restaurant"))
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Make the business and say where it is."""
    options = _arguments(argv)
    try:
        _make(options)
    except RegularsError as error:
        print(f"{error.message}\nnext: {error.next_command}", file=sys.stderr)
        return error.exit_code
    print(options.out)
    return 0


def _make(options: argparse.Namespace) -> None:
    # imported here so that one business does not wait for what the other one needs
    if options.business == "grocer":
        from jobs.sample.grocer import lay_out

        lay_out(options.out)
    else:
        from jobs.sample.restaurant import generate

        generate(options.customers, options.days, options.seed, options.out, options.last_date)


if __name__ == "__main__":
    sys.exit(main())

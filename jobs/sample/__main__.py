"""Lay out the example grocer: ``python -m jobs.sample grocer --out DIR``; ``regulars generate`` makes chains."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.errors import RegularsError
from jobs.sample.grocer import lay_out


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m jobs.sample", description="lay out the example business")
    kinds = parser.add_subparsers(dest="business", required=True)
    grocer = kinds.add_parser("grocer", help="the real Complete Journey purchases of 2017")
    grocer.add_argument("--out", type=Path, default=Path("business/grocer"))
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Make the business and say where it is."""
    options = _arguments(argv)
    try:
        lay_out(options.out)
    except RegularsError as error:
        print(f"{error.message}\nnext: {error.next_command}", file=sys.stderr)
        return error.exit_code
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())

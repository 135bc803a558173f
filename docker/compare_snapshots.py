"""Whether two warehouses published the same rows: ``compare_snapshots.py ONE OTHER DATE ...``.

Order does not matter; publish_log (when and by which run) is left out. Ends with 1 where any table differs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def differing(one: Path, other: Path) -> int:
    """Rows of either table that the other lacks."""
    tables = [f"SELECT * FROM read_parquet('{folder}/*.parquet')" for folder in (one, other)]
    both = [(tables[0], tables[1]), (tables[1], tables[0])]
    return sum(int(duckdb.sql(f"SELECT count(*) FROM ({a} EXCEPT ALL {b})").fetchall()[0][0]) for a, b in both)


def main() -> None:
    """Compare every table of every date."""
    one, other, dates = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    worst = 0
    for table in sorted(path.name for path in (other / "published/by_date").iterdir() if path.name != "publish_log"):
        for date in dates:
            rows = differing(*(root / "published/by_date" / table / f"ds={date}" for root in (one, other)))
            worst = max(worst, rows)
            print(f"{date} {table}: {'same' if rows == 0 else f'{rows} rows differ'}")
    sys.exit(1 if worst else 0)


if __name__ == "__main__":
    main()

"""What predictions are worth on real purchases: the example business, as its year ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from tests.support import ROOT, Business, Site, serving
from tests.validation.groups import EARLIER, LATER, Shown, line, opened, predictions

LAST = date(2017, 12, 31)


def section(root: Path, engine: str) -> Iterator[str]:
    """Lines of the page."""
    place = root / "business"
    layout = [sys.executable, "-m", "jobs.sample", "grocer", "--out", str(place)]
    subprocess.run(layout, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    nights = tuple(LAST - timedelta(days=ago) for ago in (EARLIER, LATER, 0))
    # a past night sees the CRM of today, campaigns to come among it
    own = {
        "REGULARS_CONFIG": str(ROOT / "jobs" / "sample" / "grocer.toml"),
        "REGULARS_ENGINE": engine,
        "REGULARS_THRESHOLDS__MAX_QUARANTINE_SHARE": "1",
    }
    with serving(place) as host:
        site = Site(Business(place, host, nights), root / "warehouse", own)
        for day in nights:
            site.night(day)
    found = Shown(opened(root, LAST), "")
    yield from ("## Predictions: the example business", "")
    yield f"2,469 households that buy for real, the year 2017; nights on {', '.join(map(str, nights))}."
    yield "What was said on the earlier ones is held against what the last one knows."
    yield from ("", "| figure | beside | here |", "|---|---|---|")
    for row in predictions(found):
        yield line(*row)

"""What the DAGs share: the chain's time zone, the business date, the asset of the tables, how often a task is tried."""

from __future__ import annotations

import os
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, Param
from failure_notifier import FailureNotifier

PUBLISHED = Asset(name="regulars_published", uri="regulars://published")
DEFAULTS: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=int(os.environ.get("REGULARS_RETRY_SECONDS", "20"))),
    "on_failure_callback": FailureNotifier(),
}
PARAMS = {
    "business_date": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Business date",
        description="YYYY-MM-DD. Needed when a run is triggered by hand; there is no default.",
    )
}


def chain_zone() -> str:
    """The chain's time zone, from the environment or the settings file."""
    if zone := os.environ.get("REGULARS_TIME_ZONE"):
        return zone
    path = Path(os.environ.get("REGULARS_CONFIG", "regulars.toml"))
    settings = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return str(settings.get("time_zone", "UTC"))

"""The day so far, published because of an event: a DAG that looks every now and then, where somebody asks for it."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, CronDataIntervalTimetable
from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowSkipException

# Airflow puts the root of a DAG bundle on the path, which this folder need not be
if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))

from dag_defaults import DEFAULTS, PARAMS, PUBLISHED, chain_zone
from regulars_command import BeginNight

#: cron, in the chain's zone; without it the DAG only runs when somebody asks
SCHEDULE = os.environ.get("REGULARS_REFRESH_SCHEDULE", "")

DOC = """
### The day so far
Reads what the sources have of a day that is not over. If a first order, an order far above the customer's own mean or a
complaint marks anybody, the day so far is published in one flip, as a night is; the day's own night replaces it later.
If nobody is marked, nothing is published and the task is skipped.

- **business date**: as of the nightly run; a scheduled run takes the day on which its interval starts.
- **what is computed**: the customers that the day's rows touch; of all others the days that have passed are added.
- **skipped too** while the night before is not published, and once the day's own night is.
"""


class Refresh(BeginNight):
    """Runs ``regulars refresh``; skipped where it published nothing, so that no consumer of the asset starts."""

    def execute(self, context: Context) -> Any:
        """Run it and say whom what marked."""
        result = super().execute(context)
        if not result["published"]:
            raise AirflowSkipException("nobody is marked, or it is not the time: see the log")
        return result


with DAG(
    dag_id="refresh",
    description="The day so far, if a first order, a large one or a complaint asks for it",
    doc_md=DOC,
    tags=["regulars", "refresh"],
    schedule=CronDataIntervalTimetable(SCHEDULE, timezone=chain_zone()) if SCHEDULE else None,
    start_date=datetime(2000, 1, 1, tzinfo=ZoneInfo(chain_zone())),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    default_args=DEFAULTS,
) as dag:
    Refresh(task_id="refresh", arguments=["refresh"], report=PUBLISHED, outlets=[PUBLISHED])

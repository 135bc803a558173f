"""The nightly run: when, in which order, and what is tried again. What the steps do is in the ``regulars`` executable.

Imports Airflow and the standard library alone. ``jobs/flow.py`` holds the same steps; a test holds both together.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, CronDataIntervalTimetable, chain

# Airflow puts the root of a DAG bundle on the path, which this folder need not be
if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))

from approval import AskPerson
from dag_defaults import DEFAULTS, PARAMS, PUBLISHED, chain_zone
from regulars_command import BeginNight, RegularsCommand

#: cron, in the chain's zone; empty where nights only run when somebody asks
SCHEDULE = os.environ.get("REGULARS_SCHEDULE", "0 4 * * *")
RUN = "{{ ti.xcom_pull(task_ids='begin')['run'] }}"

DOC = """
### The nightly run
One night: read every source, judge, clean, find out who is who, compute features and segments, judge again, publish.
Either everything of a night is published in one flip or nothing is; yesterday's tables stay readable throughout.

- **business date**: the parameter `business_date` wins; scheduled and backfill runs take the day on which their data
  interval starts in the chain's zone; any other run fails.
- **by hand**: `airflow dags trigger nightly --conf '{"business_date": "2017-12-31"}'`
- **retries**: twice, for faults that may pass (exit code 75, or killed). Faults of data, usage or machine fail at once.
- **gates**: `gate_raw` sets bad rows aside and stops above the threshold, or has `approve` ask a person where the
  policy says so (Required Actions; `REGULARS_APPROVAL_MINUTES`); `gate_clean` and `gate_published` stop on a critical
  rule.
- **after a failure**: mend what the task's log says under `next:`, then clear the **whole run** or trigger the date
  again. A night starts from the published night before it, never from a half-made one.
- **result**: the asset `regulars://published` carries rows per table, snapshot date and quarantine share.
- **alerts**: `REGULARS_ALERT_WEBHOOK`, `REGULARS_ALERT_SMTP`; see `dags/failure_notifier.py`.
"""


with DAG(
    dag_id="nightly",
    description="One night of customer segmentation, from the sources to the published tables",
    doc_md=DOC,
    tags=["regulars", "nightly"],
    schedule=CronDataIntervalTimetable(SCHEDULE, timezone=chain_zone()) if SCHEDULE else None,
    start_date=datetime(2000, 1, 1, tzinfo=ZoneInfo(chain_zone())),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=3,
    params=PARAMS,
    default_args=DEFAULTS,
) as dag:
    begin = BeginNight(
        task_id="begin", arguments=["begin"], doc_md="Takes the warehouse, starts the engine, opens the night."
    )
    sources = RegularsCommand(task_id="sources", arguments=["sources"], doc_md="Names the configured sources.")
    extract = RegularsCommand.partial(
        task_id="extract",
        arguments=["step", "extract", "--run", RUN],
        map_index_template="{{ source }}",
        doc_md="Reads one source; contact data goes to the vault.",
    ).expand(source=sources.output)
    gate_raw = RegularsCommand(
        task_id="gate_raw",
        arguments=["step", "gate_raw", "--run", RUN],
        doc_md="Maps rows to the canonical input, judges them one by one and sets bad ones aside.",
    )
    approve = AskPerson(
        task_id="approve",
        questions_of="gate_raw",
        begun_by="begin",
        doc_md="Passes at once, unless a circuit breaker with the policy `ask` has tripped: then a person decides.",
    )
    clean = RegularsCommand(
        task_id="clean", arguments=["step", "clean", "--run", RUN], doc_md="Deduplicates, dates and merges."
    )
    gate_clean = RegularsCommand(
        task_id="gate_clean",
        arguments=["step", "gate_clean", "--run", RUN],
        doc_md="Judges what was merged and accounts for every row.",
    )
    identity = RegularsCommand(
        task_id="identity", arguments=["step", "identity", "--run", RUN], doc_md="Finds out who is who."
    )
    features = RegularsCommand(
        task_id="features",
        arguments=["step", "features", "--run", RUN],
        doc_md="Computes daily aggregates and customer features.",
    )
    segments = RegularsCommand(
        task_id="segments",
        arguments=["step", "segments", "--run", RUN],
        doc_md="Computes scores, segments, memberships and migrations.",
    )
    dimensions = RegularsCommand(
        task_id="dimensions",
        arguments=["step", "dimensions", "--run", RUN],
        doc_md="Writes dimension tables and the crosswalk.",
    )
    gate_published = RegularsCommand(
        task_id="gate_published",
        arguments=["step", "gate_published", "--run", RUN],
        doc_md="Reads the tables back and judges them.",
    )
    publish = RegularsCommand(
        task_id="publish",
        arguments=["step", "publish", "--run", RUN],
        report=PUBLISHED,
        outlets=[PUBLISHED],
        doc_md="Writes the manifest and flips the pointer; readers see the night from here on.",
    )
    end = RegularsCommand(
        task_id="end",
        arguments=["end", "--run", RUN],
        doc_md="Stops the engine and gives the warehouse back, whatever happened before.",
    ).as_teardown(setups=begin)  # which makes begin a setup: end runs whenever begin succeeded

    chain(
        begin,
        sources,
        extract,
        gate_raw,
        approve,
        clean,
        gate_clean,
        identity,
        features,
        segments,
        dimensions,
        gate_published,
        publish,
        end,
    )
    gate_raw >> clean  # what clean reads, gate_raw writes; in between a person may have a word

"""Executes one run of the nightly DAG with ``dag.test`` and prints what became of it, as JSON in the last line.

Started by tests as a program, with the Python of the environment that is to run it:
``python one_run.py DAGS_FOLDER BUSINESS_DATE_OR_EMPTY``. Imports Airflow and the standard library alone.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select


def main(folder: str, business_date: str) -> None:
    """Run and tell."""
    bag = DagBag(folder)
    if bag.import_errors:
        sys.exit(str(bag.import_errors))
    conf = {"business_date": business_date} if business_date else {}
    run = bag.dags["nightly"].test(logical_date=datetime.now(UTC), run_conf=conf)
    with create_session() as session:
        found = session.scalars(select(DagRun).where(DagRun.run_id == run.run_id)).one()
        states = {f"{ti.task_id}.{ti.map_index}": str(ti.state) for ti in found.task_instances}
        events = [event.extra for event in session.scalars(select(AssetEvent)) if event.source_run_id == run.run_id]
        told = {"state": str(found.state), "tasks": states, "events": events}
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])

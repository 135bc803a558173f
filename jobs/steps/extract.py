"""Source -> raw rows, vault entries, rejected lines, and the feed's new state."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pyarrow as pa

from jobs import faultpoints
from jobs.errors import UsageError
from jobs.extract.feed import LANDED_COLUMN, FeedState, Landing, Window
from jobs.extract.feeds import extract
from jobs.extract.privacy import Keys
from jobs.steps.context import Context
from jobs.storage import files
from jobs.storage.night import PARTITION, STAGING
from jobs.storage.parquet import Sink

#: what could not be split into columns; below quarantine/, one row per rejected line
UNPARSABLE = "unparsable"


def run(context: Context, source: str) -> dict[str, Any]:
    """Extract every feed of one source.

    Returns:
        feed -> landing: rows, rejected, cursor, files, content hash.

    Raises:
        UsageError: the settings have no such source.
    """
    if source not in context.settings.sources:
        known = ", ".join(sorted(context.settings.sources)) or "none"
        raise UsageError(f"no source {source}; known: {known}", next_command="regulars doctor")
    landings = {feed: _land(context, source, feed) for feed in sorted(context.settings.sources[source].feeds)}
    record = {f"{source}.{feed}": asdict(landing) for feed, landing in landings.items()}
    context.night.record(f"extract.{source}", record)
    return record


def _land(context: Context, source: str, feed: str) -> Landing:
    settings, night = context.settings, context.night
    state_file = night.table("raw", f"{source}.{feed}") / "state.json"
    base_state = context.base.table("raw", f"{source}.{feed}") / "state.json" if context.base else None
    before = FeedState(**files.read_json(base_state)) if base_state and base_state.is_file() else FeedState()
    window = Window(context.day, context.until)
    keys = Keys.from_environment(settings.privacy.key_id)
    extraction = extract(
        source, settings.sources[source], feed, settings.sources[source].feeds[feed], before, window, keys,
        settings.country,
    )  # fmt: skip
    sinks = {zone: Sink(night.path / STAGING / f"{zone}.{source}.{feed}") for zone in ("raw", "vault", "quarantine")}
    for sink in sinks.values():
        files.remove_tree(sink.folder)
    for batch in extraction:
        for zone, rows in (("raw", batch.raw), ("vault", batch.vault), ("quarantine", batch.rejected)):
            if rows is not None and rows.num_rows:
                sinks[zone].write(_landed(rows, str(context.day)) if zone == "raw" else rows)
        faultpoints.reach("extract.batch_taken")
    _adopt(context, source, feed, sinks)
    landing = extraction.landing
    if landing is None:
        raise RuntimeError(f"extraction of {source}.{feed} ended without a landing")
    seen = before.seen | {str(f["sha256"]): str(f["name"]) for f in landing.files if f["status"] == "landed"}
    files.write_json(state_file, {"cursor": landing.cursor_to, "seen": seen})
    faultpoints.reach("extract.feed_landed")
    return landing


def _landed(rows: pa.RecordBatch, day: str) -> pa.RecordBatch:
    """Raw rows and the night that took them in."""
    return rows.append_column(LANDED_COLUMN, pa.repeat(pa.scalar(day), rows.num_rows))


def _adopt(context: Context, source: str, feed: str, sinks: dict[str, Sink]) -> None:
    """Move what landed into its zones, in the place of what an earlier try of this step left there."""
    day = str(context.day)
    name = f"{source}.{feed}"
    tables = {"raw": name, "vault": name, "quarantine": f"{UNPARSABLE}.{name}"}
    for zone, sink in sinks.items():
        sink.close()
        staged = context.night.path / STAGING / f"adopt.{zone}.{name}"
        files.remove_tree(staged)
        staged.mkdir(parents=True)
        if sink.folder.is_dir():
            sink.folder.rename(staged / f"{PARTITION}={day}")
        context.night.adopt(staged, zone, tables[zone], partitions=[day])  # type: ignore[arg-type]  # a Zone each
        faultpoints.reach(f"extract.{zone}_landed")

"""The optional feeds as views: whose rows they are, and which feeds there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.definitions.features import OF_FEED
from jobs.steps.context import Context
from jobs.transforms import feed_views

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: entity -> the instant of a row; where it has none, or a date, see :func:`_business_date`
_INSTANTS = {
    "feedback": "given_at",
    "web_sessions": "started_at",
    "social_events": "occurred_at",
    "survey_answers": "answered_at",
}


def absent(context: Context) -> frozenset[str]:
    """Views whose feed the chain does not have."""
    return frozenset(view for entity, views in OF_FEED.items() if not context.feeds_of(entity) for view in views)


def events(context: Context, entity: str, records: DataFrame) -> DataFrame:
    """Clean rows of an optional entity up to the snapshot, with ``customer_id`` and ``days_ago``.

    Args:
        context: the night.
        entity: which.
        records: source, source_customer_id, customer_id of those who allow profiling.
    """
    return feed_views.events(context.clean(entity), records, _business_date(context, entity), str(context.day))


def views(context: Context, records: DataFrame) -> dict[str, DataFrame]:
    """The views of the feeds, those of feedback aside; see :func:`events`."""
    sessions = events(context, "web_sessions", records)
    return {
        "sessions": sessions,
        "devices": feed_views.devices(sessions),
        "social": events(context, "social_events", records),
        "answers": feed_views.answers(events(context, "survey_answers", records)),
        "attributes": feed_views.attributes(events(context, "customer_attributes", records)),
    }


def _business_date(context: Context, entity: str) -> str:
    """SQL of a row's business date; of what states none, that of the night that took it in."""
    if entity == "customer_attributes":
        return "coalesce(observed_on, _landed)"
    cut_off = context.settings.day_cut_off
    minutes = cut_off.hour * 60 + cut_off.minute
    found = feed_views.business_date(_INSTANTS[entity], context.settings.time_zone, minutes)
    return f"coalesce({found}, _landed)"

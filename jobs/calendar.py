"""Business dates: when one ends, which are holidays. Nothing here reads the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pyarrow as pa


def end_of(day: date, time_zone: str, cut_off: time) -> datetime:
    """The instant, UTC, at which a business date ends in the chain's zone (exclusive)."""
    local = datetime.combine(day + timedelta(days=1), cut_off, ZoneInfo(time_zone))
    return local.astimezone(UTC)


def business_date_of(instant: datetime, time_zone: str) -> date:
    """The calendar date, in the chain's zone, on which a scheduled interval starts: the business day it is about."""
    return instant.astimezone(ZoneInfo(time_zone)).date()


def dates(first: date, last: date, country: str, own: Mapping[str, Sequence[tuple[date, date]]]) -> pa.Table:
    """One row per date of dim_date, ``snapshot_date`` aside: day type, holidays, ISO week, month, quarter, year.

    Args:
        first: the first date.
        last: the last one.
        country: whose public holidays count.
        own: the chain's own calendar, a name -> first and last days. ``is_own_day`` is null where it is empty.
    """
    public = holidays.country_holidays(country, years=range(first.year, last.year + 1))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    names = [public.get(day) for day in days]
    own_days = [_own_day(day, own) for day in days]
    return pa.table(
        {
            "business_date": pa.array(days, pa.date32()),
            "day_type": [_day_type(day, name) for day, name in zip(days, names, strict=True)],
            "holiday_name": pa.array(names, pa.string()),
            "own_day": pa.array(own_days, pa.string()),
            "is_own_day": pa.array([name is not None if own else None for name in own_days], pa.bool_()),
            "week": pa.array([day.isocalendar().week for day in days], pa.int32()),
            "month": pa.array([day.month for day in days], pa.int32()),
            "quarter": pa.array([(day.month + 2) // 3 for day in days], pa.int32()),
            "year": pa.array([day.year for day in days], pa.int32()),
        }
    )


def _own_day(day: date, own: Mapping[str, Sequence[tuple[date, date]]]) -> str | None:
    return next((name for name, ranges in own.items() if any(a <= day <= b for a, b in ranges)), None)


def _day_type(day: date, holiday: str | None) -> str:
    if holiday:
        return "holiday"
    return "weekend" if day.weekday() >= 5 else "weekday"

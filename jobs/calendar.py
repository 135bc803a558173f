"""Business dates: when one ends, which are holidays. Nothing here reads the clock."""

from __future__ import annotations

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


def dates(first: date, last: date, country: str) -> pa.Table:
    """One row per date of dim_date, ``snapshot_date`` aside: day type, holiday, ISO week, month, quarter, year."""
    public = holidays.country_holidays(country, years=range(first.year, last.year + 1))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    names = [public.get(day) for day in days]
    return pa.table(
        {
            "business_date": pa.array(days, pa.date32()),
            "day_type": [_day_type(day, name) for day, name in zip(days, names, strict=True)],
            "holiday_name": pa.array(names, pa.string()),
            "week": pa.array([day.isocalendar().week for day in days], pa.int32()),
            "month": pa.array([day.month for day in days], pa.int32()),
            "quarter": pa.array([(day.month + 2) // 3 for day in days], pa.int32()),
            "year": pa.array([day.year for day in days], pa.int32()),
        }
    )


def _day_type(day: date, holiday: str | None) -> str:
    if holiday:
        return "holiday"
    return "weekend" if day.weekday() >= 5 else "weekday"

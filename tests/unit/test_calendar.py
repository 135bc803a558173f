"""Days and their names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jobs import calendar
from jobs.errors import UsageError
from jobs.settings import load_settings


def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    (tmp_path / "regulars.toml").write_text(f"[own_calendar]\nfair = {days}\nweek = ['2026-06-30/2026-07-06']\n")
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "regulars.toml"))


def test_days_have_the_first_name_that_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(tmp_path, monkeypatch, "['2026-07-03/2026-07-04', '2026-06-30']")
    own = load_settings().own_calendar
    found = calendar.dates(date(2026, 6, 29), date(2026, 7, 4), "US", own).to_pydict()
    assert found["own_day"] == [None, "fair", "week", "week", "fair", "fair"]
    assert found["is_own_day"] == [False, True, True, True, True, True]
    # the fourth is a Saturday: the day off is the third
    assert found["day_type"] == ["weekday", "weekday", "weekday", "weekday", "holiday", "holiday"]


def test_without_a_calendar_no_day_is_or_is_not_in_it() -> None:
    found = calendar.dates(date(2026, 6, 29), date(2026, 6, 30), "US", {}).to_pydict()
    assert (found["own_day"], found["is_own_day"]) == ([None, None], [None, None])


@pytest.mark.parametrize("days", ["['2026-07-04/2026-07-03']", "['summer']"])
def test_days_that_are_none_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    configured(tmp_path, monkeypatch, days)
    with pytest.raises(UsageError, match="own_calendar"):
        load_settings()

"""What every step is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from jobs import calendar, engine
from jobs.definitions import clean
from jobs.keeper import Keeper
from jobs.settings import Settings
from jobs.storage import parquet
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Context:
    """One open night under work."""

    settings: Settings
    night: Night
    base: Night | None  #: the night it was started from
    keeper: Keeper
    full: bool = False  #: recompute everything from all raw rows
    replay: bool = False  #: judge again, beside tonight's rows, those that earlier nights set aside

    @classmethod
    def of(cls, settings: Settings, run: str) -> Context:
        """The context of a run that has begun.

        Raises:
            ContractError: the run has no open night, or no longer holds the warehouse.
        """
        warehouse = Warehouse(settings.warehouse)
        keeper = Keeper.of(warehouse, run)
        keeper.lock.require(run)
        night = warehouse.open_night(run)
        begun = night.records()["begin"]
        full, replay = begun.get("full", False), begun.get("replay", False)
        return cls(settings, night, warehouse.base(night), keeper, full, replay)

    @property
    def day(self) -> date:
        """The business date."""
        return self.night.date

    @property
    def judges_earlier(self) -> bool:
        """Rows of earlier nights are judged again: what those nights set aside is written anew."""
        return self.full or self.replay

    @cached_property
    def until(self) -> datetime:
        """The instant at which the business date ends, UTC, exclusive."""
        return calendar.end_of(self.day, self.settings.time_zone, self.settings.day_cut_off)

    @cached_property
    def hours(self) -> dict[str, int]:
        """Daypart -> local hour at which it begins, in the order of the day."""
        found: dict[str, int] = dict(self.settings.dayparts)  # type: ignore[arg-type]  # a Literal is a str
        return dict(sorted(found.items(), key=lambda item: item[1]))

    @cached_property
    def warehouse(self) -> Warehouse:
        """The warehouse of the settings."""
        return Warehouse(self.settings.warehouse)

    @cached_property
    def spark(self) -> SparkSession:
        """A session on the night's engine."""
        return engine.connect(self.keeper.engine_url())

    def clean(self, name: str) -> DataFrame:
        """A clean table of tonight as it stands; dated ones have their partition ``ds`` beside."""
        dated = clean.BY_NAME[name].dated is not None
        return parquet.read(self.spark, self.night, "clean", name, clean.table(name), partitioned=dated)

    def left_out(self, name: str) -> DataFrame:
        """Rows that a clean table is without because others are near duplicates of them, with ``ds`` beside."""
        return parquet.read(self.spark, self.night, "clean", clean.LEFT_OUT[name], clean.table(name), partitioned=True)

    def known(self, name: str) -> DataFrame:
        """A clean table and what was left out of it: everything that a row of tonight may restate."""
        rows = self.clean(name)
        if name not in clean.LEFT_OUT or not self.night.parts("clean", clean.LEFT_OUT[name]):
            return rows
        # a partition that was merged tonight holds its rows again
        return rows.unionByName(self.left_out(name).join(rows, [*clean.BY_NAME[name].key], "left_anti"))

    def close(self) -> None:
        """Release the session, if one was used, before the engine goes."""
        if "spark" in self.__dict__:
            engine.disconnect(self.spark)

    def feeds_of(self, entity: str) -> list[tuple[str, str]]:
        """(source, feed) of every feed that becomes an entity, by name."""
        return sorted(
            (source_name, feed_name)
            for source_name, source in self.settings.sources.items()
            for feed_name, feed in source.feeds.items()
            if entity in feed.maps
        )

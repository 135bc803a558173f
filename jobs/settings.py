"""The one configuration object, read from ``regulars.toml`` and ``REGULARS_...`` variables.

Entry points load it once with :func:`load_settings` and pass it (or a part of it) on; nothing else
reads a file or the environment to find out how to behave. Secrets are never in it: a setting names
the environment variable that holds one.
"""

from __future__ import annotations

import os
import re
import tomllib
import zoneinfo
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from jobs.definitions.segments import Preset, Scheme, schemes
from jobs.errors import UsageError

CONFIG_VARIABLE = "REGULARS_CONFIG"
DEFAULT_CONFIG = "regulars.toml"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _parted(days: object) -> object:
    """``2026-07-01/2026-08-31`` as its first and last day; one date is both."""
    if not isinstance(days, str):
        return days
    first, _, last = days.partition("/")
    return first, last or first


def _in_order(days: tuple[date, date]) -> tuple[date, date]:
    if days[0] > days[1]:
        raise ValueError(f"{days[0]}/{days[1]} ends before it begins")
    return days


#: first and last day, both inclusive
Days = Annotated[tuple[date, date], BeforeValidator(_parted), AfterValidator(_in_order)]
#: canonical column -> a column of the source, or (but for contact data) a Spark SQL expression over its columns
Mapping = dict[str, str]


class Part(BaseModel):
    """A frozen piece of the settings that knows no undeclared field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Feed(Part):
    """One stream of rows of a source, and the canonical entities its rows become.

    Which fields are used depends on the kind of the source; each says so.
    """

    #: canonical entity -> mapping; one feed may feed several (a receipt line is an order and a line)
    maps: dict[Name, Mapping] = {}
    #: a night without any row blocks unless this is true
    may_be_empty: bool = False
    #: the source column that orders changes; incremental reading needs it (sql, http)
    cursor: str | None = None
    #: with a cursor, rows of this many seconds before the last one seen are read again (sql, http)
    overlap_seconds: int = 300
    #: a Spark SQL condition over the source's columns; rows for which it is false are not this feed's
    where: str | None = None
    #: dotted path to a list inside each JSON record (http, files of JSON lines); one row per element, its fields as
    #: ``<name>_<field>``
    explode: str | None = None

    # sql
    table: str | None = None
    query: str | None = None
    #: declared column types, column -> SQL type; needed for SQLite, whose own types are only a hint
    columns: dict[str, str] = {}

    # files
    pattern: str = "*"
    format: Literal["csv", "jsonl", "parquet"] = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    #: a regular expression with one group over the file's name; its date (YYYYMMDD, YYYY-MM-DD or
    #: YYYY-MM, which means the month's last day) says up to which business date the file belongs
    date_in_name: str | None = None

    # http
    path: str | None = None
    #: dotted path to the list of records in a page
    records: str = ""
    pagination: Literal["none", "cursor", "page", "link"] = "none"
    #: query parameter that carries the cursor or the page number
    page_parameter: str = "cursor"
    #: dotted path to the next cursor in a page (pagination = cursor) or to the next address (link);
    #: for link, an RFC 8288 ``Link: <...>; rel="next"`` header is used where the body has none
    next_page: str = "next"
    since_parameter: str | None = None
    until_parameter: str | None = None
    parameters: dict[str, str] = {}


#: options of a feed that only one kind of source has
_OF_ONE_KIND = {
    "sql": {"table", "query", "columns"},
    "files": {"pattern", "format", "encoding", "delimiter", "date_in_name"},
    "http": {
        "path", "records", "pagination", "page_parameter", "next_page", "since_parameter", "until_parameter",
        "parameters",
    },
}  # fmt: skip


class Source(Part):
    """One source system: where it is and which feeds it has."""

    kind: Literal["sql", "files", "http"]
    #: an address; ``${NAME}`` is replaced by that environment variable, which is how secrets get in
    location: str
    feeds: dict[Name, Feed]

    # files
    #: seconds between two looks at a folder; a file that changed in between is still growing
    settle_seconds: float = 1.0
    endpoint: str | None = None
    region: str | None = None

    # http
    #: environment variable that holds a bearer token
    token_variable: str | None = None
    timeout_seconds: float = 30.0
    max_attempts: int = 6

    #: zone of times that state none; the chain's if absent
    time_zone: str | None = None
    #: how times are written beyond ISO 8601, in Spark's pattern letters, as in ``M/d/yyyy[ H:mm]``; also epoch_seconds,
    #: epoch_millis
    date_formats: tuple[str, ...] = ()
    #: the mark before decimals; declared, the other one may group thousands (1.234,50), else neither may
    decimal_mark: Literal[".", ","] | None = None
    #: region for phone numbers without a country code, ISO 3166 alpha-2; the chain's country if absent
    phone_region: str | None = None

    @field_validator("date_formats")
    @classmethod
    def _are_patterns(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for one in formats:
            letters = set(re.findall("[A-Za-z]", re.sub("'[^']*'", "", one)))
            if one not in ("epoch_seconds", "epoch_millis") and not {"y", "d"} <= letters <= set("yMdHhmsSaXxZz"):
                raise ValueError(
                    f"{one!r} is no format of a date, as M/d/yyyy[ H:mm] is, nor epoch_seconds, epoch_millis"
                )
        return formats

    @model_validator(mode="after")
    def _says_nothing_that_is_not_heard(self) -> Self:
        for name, feed in self.feeds.items():
            others = {option for kind, only in _OF_ONE_KIND.items() if kind != self.kind for option in only}
            if self.kind == "sql" or (self.kind == "files" and feed.format != "jsonl"):
                others.add("explode")
            unheard = sorted(feed.model_fields_set & others)
            if unheard:
                what = f"{self.kind} of {feed.format}" if self.kind == "files" else self.kind
                raise ValueError(f"feed {name} has {', '.join(unheard)}, which a source of kind {what} does not use")
        return self


class Privacy(Part):
    """How people are protected."""

    #: id of the key that new pseudonyms are made with; its value is in REGULARS_KEY_<ID in capitals>
    key_id: Name = "k1"
    #: smallest group that is published in profiles and mixes
    min_group_size: Annotated[int, Field(ge=1)] = 10


class Thresholds(Part):
    """Bounds at which a night stops, a score is withheld or an event counts."""

    late_horizon_days: Annotated[int, Field(ge=1)] = 90
    #: a night blocks when more than this share of a table's rows is set aside
    max_quarantine_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    #: shares of fewer rows than this say nothing and do not block
    min_rows_for_share: Annotated[int, Field(ge=0)] = 200
    #: earlier nights that must be there before tonight is held to what is usual
    history_min_nights: Annotated[int, Field(ge=1)] = 7
    #: robust standard deviations from the median of earlier nights that are still usual
    history_deviations: Annotated[float, Field(gt=0)] = 5.0
    rfm_min_buyers: Annotated[int, Field(ge=1)] = 500
    rfm_min_history_days: Annotated[int, Field(ge=1)] = 180
    #: adjusted Rand index below which a refit waits for a person
    refit_min_agreement: Annotated[float, Field(ge=0, le=1)] = 0.6
    #: population stability index of the sizes of groups above which a night says that it is time for a refit
    drift_major: Annotated[float, Field(gt=0)] = 0.25
    #: an order of so many times the customer's own mean is an event that `regulars refresh` goes by
    large_order_times: Annotated[float, Field(gt=1)] = 3.0


class EngineOptions(Part):
    """Limits of the engine that a night starts for itself."""

    memory: str = "3g"
    cores: int | None = None
    #: a night whose engine nobody has used for this long is taken to be abandoned
    idle_minutes: float = 60.0
    start_seconds: float = 120.0


class Retention(Part):
    """How many nights are kept."""

    nights: Annotated[int, Field(ge=2)] = 35


class Policies(Part):
    """What happens to rows that point at something nobody declared, and when a circuit breaker trips."""

    unknown_store: Literal["quarantine", "infer"] = "quarantine"
    unknown_product: Literal["quarantine", "infer"] = "quarantine"
    #: an order that says what another one says, under another id (same person, store, instant and lines): ``keep`` both
    #: and report it, because two equal receipts may be real; ``drop`` all but the one with the smallest id
    near_duplicates: Literal["keep", "drop"] = "keep"
    #: nothing arrived, too much was set aside, or far more or less came than usual: block the night, publish with a
    #: warning, or ask a person (``regulars approve``, or the page of Airflow)
    breaker: Literal["block", "warn", "ask"] = "block"
    #: other answers for single feeds (``"pos.receipts"``) and canonical entities (``orders``)
    breakers: dict[str, Literal["block", "warn", "ask"]] = {}


class OwnRule(Part):
    """What a chain says of a segment in the place of what is declared."""

    #: SQL condition over customer_features, the scores and the columns of earlier schemes
    when: str | None = None
    #: what stands in the reasons that people read; a rule that is not described describes itself
    description_en: str | None = None
    description_zh: str | None = None
    action: str | None = None


class Settings(BaseSettings):
    """Everything a site can choose. Unknown names are refused."""

    model_config = SettingsConfigDict(env_prefix="REGULARS_", env_nested_delimiter="__", frozen=True, extra="forbid")

    warehouse: Path = Path("warehouse")
    #: ``local[*]``, ``local[N]``, ``sc://host:port`` or ``sail``, which is also used where nothing is said and there is
    #: no fitting Java
    engine: Annotated[str, Field(pattern=r"^(local\[(\*|\d+)\]|sc://.+|sail)$")] = "local[*]"
    time_zone: str = "UTC"
    #: store-local time at which a business day begins
    day_cut_off: time = time(0, 0)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    tax_included: bool = True
    #: ISO 3166 alpha-2; public holidays and phone numbers without a country code follow it
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "US"
    preset: Preset = "restaurant"
    #: local hour at which each daypart begins; it lasts until the next one
    dayparts: dict[Literal["breakfast", "lunch", "afternoon", "evening", "late_night"], int] = {
        "breakfast": 5,
        "lunch": 11,
        "afternoon": 14,
        "evening": 17,
        "late_night": 21,
    }
    sources: dict[Name, Source] = {}
    privacy: Privacy = Privacy()
    thresholds: Thresholds = Thresholds()
    engine_options: EngineOptions = EngineOptions()
    retention: Retention = Retention()
    policies: Policies = Policies()
    #: optional canonical column (``"order_lines.unit_cost"``) -> what stands where a source says nothing: ``mean``,
    #: ``median``, ``mode``, or ``constant:VALUE``; fitted on the first rows and frozen
    imputation: dict[str, Annotated[str, Field(pattern=r"^(mean|median|mode|constant:.+)$")]] = {}

    #: city (in whatever case) -> its tier, as in ``"Shanghai"="1"``; for customers and stores that a source gives none
    city_tiers: dict[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]] = {}

    #: the chain's own calendar: a name -> its days, as in ``summer=["2026-07-01/2026-08-31"]``; of a day with
    #: several names the first one counts
    own_calendar: dict[Name, tuple[Days, ...]] = {}

    #: the chain's own rules: scheme -> segment -> rule, as in ``[segments.consumption_occasion.late_night]``
    segments: dict[Name, dict[Name, OwnRule]] = {}

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """The segment schemes of the preset, by the chain's own rules where it has some."""
        own = {name: {code: rule.model_dump(exclude_none=True) for code, rule in rules.items()}
               for name, rules in self.segments.items()}  # fmt: skip
        return schemes(self.preset, own)

    @model_validator(mode="after")
    def _segments_name_what_there_is(self) -> Self:
        try:
            _ = self.schemes
        except KeyError as error:
            raise ValueError(
                f"segments names {error.args[0]}, which is no segment (regulars sql 'FROM dim_segment')"
            ) from None
        return self

    @field_validator("city_tiers")
    @classmethod
    def _no_city_has_two_tiers(cls, tiers: dict[str, str]) -> dict[str, str]:
        folded = [city.lower() for city in tiers]
        twice = sorted({city for city in tiers if folded.count(city.lower()) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} are one city in two spellings")
        return tiers

    @model_validator(mode="after")
    def _breakers_name_what_there_is(self) -> Self:
        feeds = {f"{source}.{feed}" for source, one in self.sources.items() for feed in one.feeds}
        entities = {entity for one in self.sources.values() for feed in one.feeds.values() for entity in feed.maps}
        unknown = sorted(self.policies.breakers.keys() - feeds - entities)
        if unknown:
            raise ValueError(f"policies.breakers names {', '.join(unknown)}, which is no feed and no mapped entity")
        return self

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name not in zoneinfo.available_timezones():
            raise ValueError(f"{name!r} is no IANA time zone")
        return name

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_path()))


def config_path() -> Path:
    """The configuration file: ``REGULARS_CONFIG`` or ``./regulars.toml``."""
    return Path(os.environ.get(CONFIG_VARIABLE, DEFAULT_CONFIG))


def load_settings() -> Settings:
    """Read the configuration.

    Raises:
        UsageError: the file is missing, is not TOML, or holds something that is not a setting.
    """
    path = config_path()
    if not path.is_file():
        raise UsageError(
            f"no configuration at {path}",
            next_command="regulars init, or set REGULARS_CONFIG to your regulars.toml",
        )
    try:
        return Settings()
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}", next_command=f"edit {path}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"{path}: {problems}", next_command=f"edit {path}") from error


_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def expand(text: str) -> str:
    """Replace every ``${NAME}`` by that environment variable.

    Raises:
        UsageError: a named variable is not set (the message holds its name, never a value).
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise UsageError(f"environment variable {name} is not set", next_command=f"export {name}=...")
        return os.environ[name]

    return _REFERENCE.sub(value, text)

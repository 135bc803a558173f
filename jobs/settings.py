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
    BeforeValidator,
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
from jobs.source_settings import Name, Part, Source

CONFIG_VARIABLE = "REGULARS_CONFIG"
DEFAULT_CONFIG = "regulars.toml"


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


class Identity(Part):
    """How records are found to be one person's."""

    #: a card, e-mail, phone or token on more records than this is nobody's and links none
    max_sharing: Annotated[int, Field(ge=2)] = 20
    #: one that more receipts of a single day show is a shop's own; those receipts are guests'
    max_orders_a_day: Annotated[int, Field(ge=1)] = 20
    #: whether records that share no identifier are compared by name, birth and the like
    linkage: Literal["on", "off"] = "on"
    #: probability of a match at which such a comparison is a link
    match_probability: Annotated[float, Field(gt=0.5, lt=1)] = 0.8
    #: a reviewed file of decisions: decision (link or never_link), source_a, id_a, source_b, id_b, decided_by,
    #: decided_on
    decisions: Path | None = None


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
    identity: Identity = Identity()
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

"""What is said of a source: where it is, its feeds, and what their rows are; a part of :mod:`jobs.settings`."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
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

"""Expressions of mappings held to the engine that will compute them, before a night meets them."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jobs import engine
from jobs.errors import UsageError
from jobs.extract.contacts import plain_column
from jobs.settings import Settings
from jobs.source_settings import Feed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: ``source.feed`` -> its settings
Feeds = dict[str, Feed]
_LITERAL = re.compile(r"'(?:[^'\\]|\\.|'')*'")
_NAME = re.compile(r"`((?:[^`]|``)+)`|([^\W\d]\w*)")


def check(settings: Settings) -> str:
    """Every expression of every mapping can be computed.

    Raises:
        UsageError: naming the source, feed, column and expression of those that cannot.
        EnvironmentFault: the engine cannot be started.
    """
    feeds = {f"{name}.{one}": feed for name, source in settings.sources.items() for one, feed in source.feeds.items()}
    if found := problems(settings, feeds):
        raise UsageError("; ".join(found), next_command="edit regulars.toml, then regulars doctor")
    return f"{sum(len(list(_expressions(label, feed))) for label, feed in feeds.items())} can be computed"


def problems(settings: Settings, feeds: Feeds) -> list[str]:
    """What is wrong with the expressions of feeds, one sentence each; no engine is started where there is none.

    Raises:
        EnvironmentFault: the engine cannot be started.
    """
    asked = [one for label, feed in sorted(feeds.items()) for one in _expressions(label, feed)]
    if not asked:
        return []
    with session(settings) as spark:
        found = [(where, expression, _fault(spark, expression)) for where, expression in asked]
    return [f"{where}: {expression!r} cannot be computed ({fault})" for where, expression, fault in found if fault]


@contextmanager
def session(settings: Settings) -> Iterator[SparkSession]:
    """A session on the settings' engine, which is started unless it is somebody else's server."""
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # pyspark prints every error's stack
    with ExitStack() as stack:
        url, _ = engine.choose(settings)
        if not url.startswith("sc://"):
            log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regulars-"))) / "engine.log"
            url = stack.enter_context(engine.running(url, settings.engine_options, log))
        spark = engine.connect(url)
        stack.callback(engine.disconnect, spark)
        yield spark


def _expressions(label: str, feed: Feed) -> Iterator[tuple[str, str]]:
    """(where it stands, text) of what is no plain column and no literal."""
    if feed.where:
        yield f"{label}.where", feed.where
    for entity, mapping in feed.maps.items():
        for column, expression in mapping.items():
            if plain_column(expression) is None and not _LITERAL.fullmatch(expression.strip()):
                yield f"{label}.maps.{entity}.{column}", expression


def _fault(spark: SparkSession, expression: str) -> str | None:
    """The kind of error that an expression is; whatever it may take for a column is one, of text as in raw rows.

    Columns that a source lacks are told elsewhere; the engine's words are left out, which are long and its own.
    """
    # pyspark would slow down the start of every other command
    from jobs.transforms.conform import as_text

    names = {(quoted or plain).replace("``", "`").casefold() for quoted, plain in _NAME.findall(_code(expression))}
    columns = ", ".join(f"`{name.replace('`', '``')}` STRING" for name in sorted(names)) or "_none STRING"
    try:
        _ = spark.createDataFrame([], columns).select(as_text(expression)).schema
    except Exception as error:
        condition = getattr(error, "getCondition", lambda: None)()
        return str(condition or type(error).__name__)
    return None


def _code(expression: str) -> str:
    return _LITERAL.sub("''", expression)

"""What notes sound like and are about, in English and Chinese."""

from __future__ import annotations

import pytest

from jobs.definitions.features.wording import SENTIMENT, TOPIC, TOPICS
from tests.spark.conftest import Table, rows_of

#: text -> what it sounds like, what it is about
NOTES: dict[str, tuple[int | None, str | None]] = {
    "Great food, friendly staff!": (1, "service"),
    "The soup was COLD and the dish bland.": (-1, "food"),
    "Not good.": (-1, None),
    "not bad at all": (1, None),
    "It wasn't very clean": (-1, "cleanliness"),
    "good food but slow": (0, "food"),
    "We waited in the queue": (None, "speed"),
    "Delivery came late, two items missing": (-1, "delivery"),
    "overpriced": (-1, "price"),
    "my goodness, badminton": (None, None),
    "味道很好，服务热情": (1, "service"),
    "太贵了，不推荐": (-1, "price"),
    "外卖送来都凉了，漏送一份": (-1, "delivery"),
    "不错": (1, None),
    "不太干净": (-1, "cleanliness"),
    "明天见": (None, None),
    "": (None, None),
}


def test_notes(table: Table) -> None:
    frame = table("n INT, text STRING", [{"n": n, "text": text} for n, text in enumerate(NOTES)])
    found = rows_of(frame.selectExpr("n", f"{SENTIMENT} AS sentiment", f"{TOPIC} AS topic"))
    said = {list(NOTES)[row["n"]]: (row["sentiment"], row["topic"]) for row in found}
    assert said == NOTES


def test_nothing_said_tells_nothing(table: Table) -> None:
    (row,) = rows_of(table("text STRING", [{"text": None}]).selectExpr(f"{SENTIMENT} AS s", f"{TOPIC} AS t"))
    assert row == {"s": None, "t": None}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_words_in_both_languages(topic: str) -> None:
    assert all(TOPICS[topic])

"""Features: one entry each, from which everything else follows.

A feature is an SQL expression over one *view* of a customer's history. The views are built in
``jobs.transforms``; each has ``customer_id`` and the columns listed in :data:`VIEWS`. Money in
views is in whole cents (BIGINT), so sums are exact in any order; ``days_ago`` is the business date of
the snapshot minus the row's; ``place`` is 1 for the customer's own first. An entry's expression is an
aggregate over its view's rows of one customer, or, for the view ``profile``, a scalar expression over
what the sources say of the person, or, for ``features``, over the features of views.

To add a feature add an entry to the room that it belongs to: the Spark aggregate, the Arrow schema, the
structural suite, the data dictionary and the column order are made from it.
"""

from __future__ import annotations

from jobs.definitions.features.behaviour import BEHAVIOUR
from jobs.definitions.features.feature import FROM_RECEIPTS, OF_FEED, VIEWS, Feature, View
from jobs.definitions.features.habits import HABITS
from jobs.definitions.features.person import PERSON
from jobs.definitions.features.preferences import PREFERENCES
from jobs.definitions.features.rhythm import RHYTHM
from jobs.definitions.features.value import VALUE

__all__ = ["FEATURES", "FROM_RECEIPTS", "OF_FEED", "VIEWS", "Feature", "View"]

FEATURES: tuple[Feature, ...] = (*RHYTHM, *VALUE, *HABITS, *PREFERENCES, *BEHAVIOUR, *PERSON)

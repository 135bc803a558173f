"""Optional feeds beside trade: what people say and do elsewhere, and what others say of them.

A chain without one of these has none of its features.
"""

from __future__ import annotations

from jobs.definitions.model import SOURCE, UPDATED, Column, Entity

#: what may happen elsewhere; a referral brings somebody in
SOCIAL_KINDS = ("referral", "share", "review", "mention", "follow", "like", "other")

FEEDBACK = Entity(
    "feedback",
    ("source", "feedback_id"),
    (
        SOURCE,
        Column("feedback_id", "STRING", "The note.", required=True),
        Column("source_customer_id", "STRING", "Who gave it."),
        Column("order_id", "STRING", "Order it is about."),
        Column("given_at", "TIMESTAMP", "When, UTC.", required=True),
        Column("rating", "INT", "1 (worst) to 5 (best).", minimum=1, maximum=5),
        Column("is_complaint", "BOOLEAN", "It is a complaint."),
        Column("responded_at", "TIMESTAMP", "When it was answered, UTC."),
        Column("text", "STRING", "What was said; stays below clean/.", free_text=True),
        UPDATED,
    ),
    "Feedback or a complaint.",
    optional=True,
)

WEB_SESSIONS = Entity(
    "web_sessions",
    ("source", "session_id"),
    (
        SOURCE,
        Column("session_id", "STRING", "The session.", required=True),
        Column("source_customer_id", "STRING", "Who it was, if signed in."),
        Column("started_at", "TIMESTAMP", "When it began, UTC.", required=True),
        Column("minutes", "DECIMAL(18,4)", "How long it lasted.", minimum=0, maximum=1440, unit="minutes"),
        Column("device", "STRING", "Kind of device, as the source names it."),
        Column("pages", "INT", "Pages or screens seen.", minimum=0, maximum=100_000, unit="pages"),
        Column("favourites", "INT", "Dishes or products marked as favourites.", minimum=0, maximum=100_000),
        Column("abandoned_carts", "INT", "Carts filled and left.", minimum=0, maximum=100_000),
        UPDATED,
    ),
    "A visit to the web shop or the app.",
    optional=True,
)

SOCIAL_EVENTS = Entity(
    "social_events",
    ("source", "source_customer_id", "kind", "occurred_at"),
    (
        SOURCE,
        Column("source_customer_id", "STRING", "Who did it.", required=True),
        Column("kind", "STRING", "What was done.", required=True, values=SOCIAL_KINDS),
        Column("occurred_at", "TIMESTAMP", "When, UTC.", required=True),
        Column("referred_source_customer_id", "STRING", "Whom a referral brought in; the source's own id."),
        UPDATED,
    ),
    "Something that a person did for the chain among others: a referral, a share, a review.",
    optional=True,
)

SURVEY_ANSWERS = Entity(
    "survey_answers",
    ("source", "source_customer_id", "question"),
    (
        SOURCE,
        Column("source_customer_id", "STRING", "Who answered.", required=True),
        Column("question", "STRING", "Code of the question; satisfaction is one answered by 1 (worst) to 5 (best).",
               required=True),
        Column("answer", "STRING", "What was answered.", required=True, free_text=True),
        Column("answered_at", "TIMESTAMP", "When, UTC."),
        UPDATED,
    ),
    "A person's newest answer to a question.",
    optional=True,
)  # fmt: skip

CUSTOMER_ATTRIBUTES = Entity(
    "customer_attributes",
    ("source", "source_customer_id", "name", "provider"),
    (
        SOURCE,
        Column("source_customer_id", "STRING", "Of whom.", required=True),
        Column("name", "STRING", "Name of the attribute, as in interest or lifestyle.", required=True),
        Column("provider", "STRING", "Who says so.", required=True),
        Column("value", "STRING", "Value of the attribute.", required=True, free_text=True),
        Column("observed_on", "DATE", "When it was true."),
        UPDATED,
    ),
    "Something that a third party says of a person.",
    optional=True,
)

BEHAVIOUR = (FEEDBACK, WEB_SESSIONS, SOCIAL_EVENTS, SURVEY_ANSWERS, CUSTOMER_ATTRIBUTES)

"""What a customer says and does beside buying; each needs a feed that a chain may not have."""

from __future__ import annotations

from jobs.definitions.features.feature import Feature, counted, summed


def _said(name: str, attribute: str) -> Feature:
    """What third parties say of one attribute."""
    said = f"The attribute {attribute} as third parties say, the value observed last, all history."
    return Feature(name, "STRING", None, said, "attributes", f"max(value) FILTER (WHERE name = '{attribute}')")


BEHAVIOUR: tuple[Feature, ...] = (
    Feature("average_rating", "DOUBLE", "stars", "Mean rating in 365 days.", "feedback",
            "sum(rating) / nullif(count(rating), 0)", minimum=1, maximum=5),
    Feature("last_rating", "INT", "stars", "The last rating in 365 days.", "feedback",
            "max_by(rating, struct(given_at, feedback_id)) FILTER (WHERE rating IS NOT NULL)", minimum=1, maximum=5),
    counted("reviews", 365, "feedback", "rating IS NOT NULL", "Notes with a rating"),
    Feature("complaint_count", "BIGINT", "complaints", "Complaints in 365 days.",
            "feedback", "count_if(is_complaint)", "0", minimum=0),
    Feature("response_hours", "DOUBLE", "hours", "Mean hours from a note of 365 days to its answer, of those answered.",
            "feedback",
            "sum(unix_micros(responded_at) - unix_micros(given_at)) FILTER (WHERE responded_at >= given_at) "
            "/ 3600000000D / nullif(count_if(responded_at >= given_at), 0)", minimum=0),
    Feature("feedback_sentiment", "DOUBLE", "score", "Mean of what notes of 365 days sound like by their words: -1 "
            "against, 1 for; null where no word tells.", "feedback",
            "CAST(sum(sentiment) AS DOUBLE) / nullif(count(sentiment), 0)", minimum=-1, maximum=1),
    Feature("feedback_topic", "STRING", None, "What the last note of 365 days that tells is about, by its words.",
            "feedback", "max_by(topic, struct(given_at, feedback_id)) FILTER (WHERE topic IS NOT NULL)"),
    counted("complaints", 90, "feedback", "is_complaint", "Complaints"),
    Feature("last_visit_days", "INT", "days", "Snapshot date minus the last web or app session's, over all history.",
            "sessions", "min(days_ago)", minimum=0),
    counted("sessions", 30, "sessions", "true", "Web and app sessions"),
    summed("minutes", 30, "sessions", "DECIMAL(18,4)", "Minutes in web and app sessions"),
    summed("pages", 30, "sessions", "BIGINT", "Pages seen in web and app sessions"),
    summed("favourites", 90, "sessions", "BIGINT", "Favourites marked"),
    summed("abandoned_carts", 90, "sessions", "BIGINT", "Carts filled and left"),
    Feature("preferred_device", "STRING", None, "Device of most sessions in 90 days, ties by smallest name.", "devices",
            "min_by(device, struct(-sessions, device))"),
    counted("referrals", 365, "social", "kind = 'referral'", "People referred to the chain"),
    counted("social_events", 90, "social", "true", "Social events of any kind"),
    Feature("survey_satisfaction", "INT", "points", "Answer to the question satisfaction in 365 days, 1 to 5.",
            "answers",
            "max(CASE WHEN question = 'satisfaction' AND try_cast(answer AS INT) BETWEEN 1 AND 5 "
            "THEN try_cast(answer AS INT) END)", minimum=1, maximum=5),
    Feature("stated_need", "STRING", None, "Answer to the question need in 365 days, in small letters.", "answers",
            "max(CASE WHEN question = 'need' THEN lower(trim(answer)) END)"),
    Feature("questions_answered", "BIGINT", "questions", "Questions of surveys answered in 365 days.", "answers",
            "count(question)", "0", minimum=0),
    Feature("known_attributes", "BIGINT", "attributes", "Attributes that third parties know, all history.",
            "attributes", "count(name)", "0", minimum=0),
    _said("attributed_interest", "interest"),
    _said("attributed_lifestyle", "lifestyle"),
)  # fmt: skip

-- By what two records can, or can never, be one person's; of a record is asked what ``known.who`` holds.

-- By their names they may be: null where a given name is not known.
CREATE OR REPLACE MACRO alike(l, r) AS CASE
    WHEN l.given IS NULL OR r.given IS NULL THEN NULL
    WHEN l.given = r.given OR list_has_any(l.roots, r.roots) THEN TRUE
    WHEN length(r.given) = 1 AND starts_with(l.given, r.given) THEN TRUE
    WHEN length(l.given) = 1 AND starts_with(r.given, l.given) THEN TRUE
    -- one word alone is either name
    WHEN l.family IS NULL OR r.family IS NULL THEN greatest(
        jaro_winkler_similarity(l.given, r.given),
        CASE WHEN l.family IS NULL THEN jaro_winkler_similarity(l.given, r.family) END,
        CASE WHEN r.family IS NULL THEN jaro_winkler_similarity(l.family, r.given) END
    ) >= 0.88
    WHEN l.given = r.family OR l.family = r.given THEN
        least(jaro_winkler_similarity(l.given, r.family), jaro_winkler_similarity(l.family, r.given)) >= 0.9
    ELSE jaro_winkler_similarity(l.given, r.given) >= 0.88
END;

CREATE OR REPLACE MACRO day_and_month_turned(l, r) AS l = left(r, 5) || right(r, 2) || '-' || r[6:7];

-- Two dates of birth, of which either may be a year alone or its first day, are not one with a slip of the pen.
CREATE OR REPLACE MACRO born_apart(l, r) AS CASE
    WHEN l IS NULL OR r IS NULL THEN FALSE
    WHEN length(l) = 4 OR length(r) = 4 THEN left(l, 4) <> left(r, 4)
    WHEN left(l, 4) = left(r, 4) AND (l[6:] = '01-01' OR r[6:] = '01-01') THEN FALSE
    ELSE damerau_levenshtein(l, r) > 1 AND NOT day_and_month_turned(l, r)
END;

CREATE OR REPLACE MACRO born_together(l, r) AS
    coalesce(length(l) = 10 AND length(r) = 10 AND (damerau_levenshtein(l, r) <= 1 OR day_and_month_turned(l, r)), FALSE);

-- What a model may guess at: names that may be one person's, or nearly, of somebody born on the same day; no other birth.
CREATE OR REPLACE MACRO may_be_guessed(l, r) AS NOT born_apart(l.birth_date, r.birth_date) AND (
    coalesce(alike(l, r), TRUE)
    OR born_together(l.birth_date, r.birth_date) AND jaro_winkler_similarity(l.given, r.given) >= 0.65
);

-- Two records that are never one person's, whatever they share: other names, and another birth or another card each.
CREATE OR REPLACE MACRO apart(l, r) AS
    NOT coalesce(alike(l, r), TRUE) AND (born_apart(l.birth_date, r.birth_date) OR coalesce(l.card <> r.card, FALSE));

-- How strong a link is, the strongest first.
CREATE OR REPLACE MACRO strength(linked_by) AS list_position(getvariable('linked_by'), linked_by);

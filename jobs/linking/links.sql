-- Links of tonight: what stands of earlier nights', what was decided, and what identifiers prove. Variable: day.

-- pairs that share an identifier, one of them fresh
CREATE OR REPLACE TABLE shared AS
WITH asked AS (
    SELECT DISTINCT identifier, value FROM owned SEMI JOIN fresh USING (n) ANTI JOIN crowded USING (identifier, value)
), pair AS (
    SELECT l.n AS l, r.n AS r, identifier, value
    FROM (FROM owned SEMI JOIN asked USING (identifier, value)) AS l JOIN owned AS r USING (identifier, value)
    WHERE l.n < r.n
)
SELECT
    pair.*,
    apart(a.who, b.who) AS is_apart,
    coalesce(alike(a.who, b.who), TRUE) AS is_alike,
    born_apart(a.birth_date, b.birth_date) AS is_born_apart,
    born_together(a.birth_date, b.birth_date) AS is_born_together
FROM pair JOIN known AS a ON a.n = l JOIN known AS b ON b.n = r;

-- Why a link of an earlier night is gone; null where it stands. A link outlasts the value that it came from (people change
-- phones), unless that is a crowd's now, or the records say now that they are two people: outright, or in that one of them
-- has another value and their names are unlike.
CREATE OR REPLACE TABLE judged AS
SELECT kept.*, CASE
    WHEN f.l IS NOT NULL THEN 'never_link'
    WHEN linked_by = 'manual' THEN CASE WHEN d.l IS NULL THEN 'decision_withdrawn' END
    WHEN c.value IS NOT NULL THEN 'crowded_identifier'
    WHEN apart(a.who, b.who) THEN 'contradicted'
    WHEN basis IS NOT NULL AND (x.n IS NULL OR y.n IS NULL)
        AND NOT coalesce(alike(a.who, b.who), TRUE) THEN 'withdrawn_identifier'
END AS gone
FROM kept
JOIN known AS a ON a.n = kept.l
JOIN known AS b ON b.n = kept.r
LEFT JOIN crowded AS c ON c.identifier = linked_by || '_hash' AND c.value = basis
LEFT JOIN owned AS x ON x.n = kept.l AND x.value = basis
LEFT JOIN owned AS y ON y.n = kept.r AND y.value = basis
LEFT JOIN forbidden AS f ON f.l = kept.l AND f.r = kept.r
LEFT JOIN decisions AS d ON d.l = kept.l AND d.r = kept.r AND d.is_link AND d.decided_by = basis;

-- A telephone is a family's, and now and then an e-mail is: they link those alone whose names may be one person's; an e-mail
-- those too who were born on the same day, and a telephone not those who by their births are father and son.
CREATE OR REPLACE TABLE links AS
SELECT l, r, linked_by, basis, weight, score, evidence, linked_on, model_version FROM judged WHERE gone IS NULL
UNION ALL
SELECT l, r, 'manual', decided_by, NULL, NULL, NULL, getvariable('day'), NULL FROM decisions WHERE is_link
UNION ALL
SELECT l, r, replace(identifier, '_hash', ''), value, NULL, NULL, NULL, getvariable('day'), NULL FROM shared
WHERE NOT is_apart AND CASE identifier
    WHEN 'phone_hash' THEN is_alike AND NOT is_born_apart
    WHEN 'email_hash' THEN is_alike OR is_born_together
    ELSE TRUE
END;

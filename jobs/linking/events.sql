-- Ids that ended in another's (merged), and people who came off one (split), and why. Given: happened (event, old, new);
-- ids (n, was, now).
WITH joined AS (
    SELECT a.was AS old, a.now AS new, arg_min(linked_by, strength(linked_by)) AS cause
    FROM links JOIN ids AS a ON a.n IN (l, r) JOIN ids AS b ON b.n IN (l, r) AND b.n <> a.n
    WHERE a.now = b.now AND a.was IS DISTINCT FROM b.was AND a.was <> a.now
    GROUP BY ALL
), broken AS (
    SELECT l, r, gone FROM judged WHERE gone IS NOT NULL
    UNION ALL SELECT l, r, 'never_link' FROM forbidden  -- that others had brought together
), parted AS (
    SELECT b.was AS old, b.now AS new, min(gone) AS cause
    FROM broken JOIN ids AS a ON a.n IN (l, r) JOIN ids AS b ON b.n IN (l, r) AND b.n <> a.n
    WHERE a.now <> b.now AND a.was = b.was
    GROUP BY ALL
)
SELECT
    event, old AS old_customer_id, new AS new_customer_id,
    CASE event WHEN 'merged' THEN coalesce(joined.cause, 'probabilistic') ELSE coalesce(parted.cause, 'contradicted') END
        AS cause
FROM happened LEFT JOIN joined USING (old, new) LEFT JOIN parted USING (old, new)
ORDER BY ALL;

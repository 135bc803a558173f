-- Of each record by n the strongest link to another of its person, and that link's score; a person's first record has none.
WITH within AS (
    SELECT k.* FROM links AS k JOIN groups AS a ON a.n = l JOIN groups AS b ON b.n = r WHERE a.grp = b.grp
), ends AS (
    FROM within SELECT l AS n, linked_by, score, weight UNION ALL FROM within SELECT r, linked_by, score, weight
), strongest AS (
    FROM ends QUALIFY row_number() OVER (PARTITION BY n ORDER BY strength(linked_by), weight DESC NULLS LAST) = 1
)
SELECT
    CASE WHEN n = grp THEN 'first_record' ELSE linked_by END AS linked_by,
    CASE WHEN n <> grp THEN score END AS score
FROM groups LEFT JOIN strongest USING (n)
ORDER BY n;

-- Pairs that are never one person's among the records of a group of three or more.
WITH mixed AS (
    SELECT grp FROM groups JOIN known USING (n) GROUP BY grp
    HAVING count(*) > 2 AND count(DISTINCT given) > 1
        AND (count(DISTINCT birth_date) > 1 OR count(DISTINCT loyalty_card_hash) > 1)
), few AS (
    FROM groups SEMI JOIN mixed USING (grp)
)
SELECT a.n, b.n
FROM few AS x JOIN few AS y USING (grp) JOIN known AS a ON a.n = x.n JOIN known AS b ON b.n = y.n
WHERE a.n < b.n AND apart(a.who, b.who);

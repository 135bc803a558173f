-- Pairs whom a model's links must not bring together: in a group that such a link joins, of other given names or births.
WITH guessed AS (
    SELECT DISTINCT grp FROM links JOIN groups ON n = l WHERE linked_by = 'probabilistic'
), mixed AS (
    SELECT grp FROM groups SEMI JOIN guessed USING (grp) JOIN known USING (n) GROUP BY grp
    HAVING count(*) > 2 AND (count(DISTINCT given) > 1 OR count(DISTINCT birth_date) > 1)
), few AS (
    FROM groups SEMI JOIN mixed USING (grp)
)
SELECT a.n, b.n
FROM few AS x JOIN few AS y USING (grp) JOIN known AS a ON a.n = x.n JOIN known AS b ON b.n = y.n
WHERE a.n < b.n AND NOT may_be_guessed(a.who, b.who);

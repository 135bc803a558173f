-- unbalanced: segments whose size is not what flowed in and out
WITH flow AS (
    SELECT scheme, to_segment AS segment, customers AS n FROM now_.segment_migrations
    UNION ALL SELECT scheme, from_segment, -customers FROM now_.segment_migrations
), grown AS (
    SELECT scheme, segment, customers AS n FROM now_.segment_trend WHERE snapshot_date = $now
    UNION ALL SELECT scheme, segment, -customers FROM now_.segment_trend WHERE snapshot_date = $before
), flows AS (SELECT scheme, segment, sum(n) AS n FROM flow WHERE segment <> '_outside' GROUP BY ALL),
growth AS (SELECT scheme, segment, sum(n) AS n FROM grown GROUP BY ALL)
SELECT coalesce(flows.scheme, growth.scheme) || ':' || coalesce(flows.segment, growth.segment)
FROM flows FULL JOIN growth USING (scheme, segment)
WHERE coalesce(flows.n, 0) <> coalesce(growth.n, 0);

-- causes: memberships moved
SELECT cause, sum(customers) FROM now_.segment_migrations GROUP BY cause;

-- People of many records or given names: two who were taken for one show among them.
WITH sizes AS (
    SELECT grp, count(*) AS records, count(DISTINCT left(given, 1)) AS names FROM groups JOIN known USING (n) GROUP BY grp
)
SELECT
    coalesce(max(records), 0) AS largest_person,
    count(*) FILTER (records > 10) AS people_of_many_records,
    count(*) FILTER (names > 2) AS people_of_many_names
FROM sizes;

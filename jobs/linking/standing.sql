-- Links that stand, records by their keyed hashes.
SELECT a.person_hash AS left_hash, b.person_hash AS right_hash, k.* EXCLUDE (l, r)
FROM links AS k JOIN records AS a ON a.n = l JOIN records AS b ON b.n = r
ORDER BY ALL;

-- Of several links between two records on the same ground the one made first; none that is forbidden.
CREATE OR REPLACE TABLE links AS
FROM links ANTI JOIN forbidden USING (l, r)
QUALIFY row_number() OVER (PARTITION BY l, r, linked_by, basis ORDER BY linked_on) = 1;

-- Working tables of a night. Given: records (numbered n), contacts, decisions, reconsidered, busy, crowded_before, kept_in;
-- variables max_sharing, looks_at_all.

CREATE OR REPLACE VIEW known AS
SELECT *, {given: given, roots: roots, family: family, birth_date: birth_date, card: loyalty_card_hash} AS who
FROM records LEFT JOIN comparables USING (n);

-- who has which identifier
CREATE OR REPLACE TABLE owned AS
SELECT n, identifier, value
FROM (UNPIVOT records ON loyalty_card_hash, payment_token_hash, email_hash, phone_hash INTO NAME identifier VALUE value)
WHERE NOT contains(value, getvariable('unusable'));

-- identifiers that link nobody: on too many records, or a shop's by its receipts
CREATE OR REPLACE TABLE crowded AS
SELECT identifier, value, count(o.n) AS records
FROM owned AS o FULL JOIN (SELECT *, TRUE AS is_busy FROM busy) USING (identifier, value)
GROUP BY ALL
HAVING count(o.n) > getvariable('max_sharing') OR bool_or(is_busy);

-- links of earlier nights between records that there still are
CREATE OR REPLACE TABLE kept AS
SELECT a.n AS l, b.n AS r, k.* EXCLUDE (left_hash, right_hash)
FROM kept_in AS k
JOIN records AS a ON a.person_hash = left_hash
JOIN records AS b ON b.person_hash = right_hash;

CREATE OR REPLACE TABLE forbidden AS SELECT DISTINCT l, r FROM decisions WHERE NOT is_link;

-- records to look up among all others: new, changed, decided about anew, or with an identifier that is no crowd's any more
CREATE OR REPLACE TABLE fresh AS
SELECT n FROM records WHERE getvariable('looks_at_all') OR content IS DISTINCT FROM known_content
UNION FROM reconsidered
UNION
SELECT n FROM owned
SEMI JOIN (FROM crowded_before EXCEPT SELECT identifier, value FROM crowded) AS free USING (identifier, value);

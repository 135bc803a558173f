-- Who is who on a night, from its clean tables and the records of the night before: clean_customers, clean_orders, before.
-- Variable: night. Records are one person by e-mail alone: no card and no telephone number of this chain is on two.

CREATE TEMP TABLE record AS
WITH buyer AS (
    SELECT source, source_customer_id, max(_person_hash) AS person_hash, min(business_date) AS first_seen_on
    FROM clean_orders
    WHERE source_customer_id IS NOT NULL
    GROUP BY ALL
), record AS (
    SELECT
        source, source_customer_id, _person_hash AS person_hash, coalesce(registered_at::DATE, _landed) AS first_seen_on,
        loyalty_card_hash, email_hash, phone_hash, payment_token_hash
    FROM clean_customers
    UNION ALL
    SELECT *, NULL, NULL, NULL, NULL FROM buyer ANTI JOIN clean_customers USING (source, source_customer_id)
), linked AS (
    SELECT
        record.*, before.known_customer_id, before.known_since, before.linked_by,
        coalesce(email_hash, source || chr(31) || source_customer_id) AS person
    FROM record LEFT JOIN before USING (source, source_customer_id)
), person AS (
    SELECT
        person,
        min((first_seen_on, source, source_customer_id)) AS earliest,
        coalesce(
            arg_min(known_customer_id, (known_since, known_customer_id)),
            'c' || substr(arg_min(person_hash, (first_seen_on, source, source_customer_id)), 4, 24)
        ) AS customer_id
    FROM linked
    GROUP BY person
)
SELECT
    source, source_customer_id, person_hash, first_seen_on, customer_id AS known_customer_id,
    coalesce(known_since, getvariable('night')) AS known_since,
    coalesce(linked_by, CASE WHEN (first_seen_on, source, source_customer_id) = earliest THEN 'first_record' ELSE 'email' END)
        AS linked_by,
    NULL::VARCHAR AS content, NULL::DOUBLE AS score,
    loyalty_card_hash, email_hash, phone_hash, payment_token_hash
FROM linked JOIN person USING (person);

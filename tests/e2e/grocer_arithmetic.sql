-- customer_features of one night of the example grocer, from the tables of grocer_arithmetic_sources.sql, as contract.md
-- words it. Variables: snapshot_date. Everything is created in the current schema, one schema a night.

SET VARIABLE night_ends = timezone('America/New_York', (getvariable('snapshot_date') + INTERVAL 1 DAY)::TIMESTAMP);

CREATE MACRO days(from_days_ago, to_days_ago, business_date) AS
    business_date BETWEEN getvariable('snapshot_date') - to_days_ago::INTEGER
    AND getvariable('snapshot_date') - from_days_ago::INTEGER;

---------------------------------------------------------------------------------------------------------------- who is who
-- an account belongs to the member with its e-mail or its telephone number
CREATE TABLE account_link AS
SELECT account.account_id, count(DISTINCT member.member_id) AS members, min(member.member_id) AS member_id
FROM main.account
INNER JOIN main.member ON account.email = member.email OR account.phone = member.phone
WHERE account.known_at < getvariable('night_ends') AND member.known_at < getvariable('night_ends')
GROUP BY ALL;

CREATE TABLE record AS
SELECT 'crm' AS source, member_id AS source_customer_id, 'm' || member_id AS person, profiling_consent, registered_at
FROM main.member
WHERE known_at < getvariable('night_ends')
UNION ALL
SELECT 'online', account.account_id, coalesce('m' || account_link.member_id, 'a' || account.account_id),
    profiling_consent, registered_at
FROM main.account
LEFT JOIN account_link USING (account_id)
WHERE known_at < getvariable('night_ends');

CREATE TABLE person AS
SELECT
    person,
    -- yes in some record and no in none
    coalesce(bool_or(profiling_consent), false) AND NOT coalesce(bool_or(NOT profiling_consent), false) AS may_profile,
    new_york(min(registered_at))::DATE AS registered_on
FROM record
GROUP BY person;

------------------------------------------------------------------------------------------------------------------ purchases
CREATE TABLE line AS
SELECT
    coalesce(carried.person, ordered.person) AS person,
    sold_line.source, order_id, line_id, store_id, channel, fulfilment, sold_line.product_id, category, brand,
    local_at,
    local_at::DATE AS business_date,
    gross, discount, coupon_discount,
    gross - discount - coupon_discount AS net
FROM main.sold_line
LEFT JOIN main.product USING (product_id)
LEFT JOIN main.member ON sold_line.card_number = member.card_number
LEFT JOIN record AS carried ON carried.source = 'crm' AND carried.source_customer_id = member.member_id
LEFT JOIN record AS ordered ON ordered.source = 'online' AND ordered.source_customer_id = sold_line.account_id
WHERE
    (file_date <= getvariable('snapshot_date') OR sold_line.known_at < getvariable('night_ends'))
    AND local_at::DATE <= getvariable('snapshot_date');

CREATE TABLE bought AS
SELECT
    *,
    hour(local_at) AS hour,
    CASE
        WHEN business_date IN (SELECT business_date FROM main.holiday_dates) THEN 'holiday'
        WHEN isodow(business_date) IN (6, 7) THEN 'weekend'
        ELSE 'weekday'
    END AS day_type
FROM (
    SELECT
        person, source, order_id, any_value(store_id) AS store_id, any_value(channel) AS channel,
        any_value(fulfilment) AS fulfilment,
        min(local_at) AS local_at, min(business_date) AS business_date,
        sum(gross)::BIGINT AS gross, sum(discount)::BIGINT AS discount, sum(net)::BIGINT AS net,
        sum(coupon_discount)::BIGINT AS coupon_discount, count(*) AS lines
    FROM line
    GROUP BY person, source, order_id
);

CREATE TABLE purchase AS
SELECT
    *,
    CASE
        WHEN hour >= 5 AND hour < 11 THEN 'breakfast'
        WHEN hour >= 11 AND hour < 14 THEN 'lunch'
        WHEN hour >= 14 AND hour < 17 THEN 'afternoon'
        WHEN hour >= 17 AND hour < 21 THEN 'evening'
        ELSE 'late_night'
    END AS daypart
FROM bought;

------------------------------------------------------------------------------------------------------- one part at a time
CREATE VIEW year_line AS
SELECT * FROM line WHERE person IS NOT NULL AND days(0, 364, business_date);

CREATE VIEW year_purchase AS
SELECT * FROM purchase WHERE person IS NOT NULL AND days(0, 364, business_date);

CREATE TABLE of_history AS
SELECT
    person,
    max(business_date) AS last_on,
    min(business_date) AS first_on,
    count(*) FILTER (WHERE days(0, 29, business_date)) AS orders_30d,
    count(*) FILTER (WHERE days(0, 89, business_date)) AS orders_90d,
    count(*) FILTER (WHERE days(90, 179, business_date)) AS orders_prev_90d
FROM purchase
WHERE person IS NOT NULL
GROUP BY person;

CREATE TABLE of_gaps AS
SELECT person, list_sort(list(gap)) AS gaps
FROM (
    SELECT person, business_date - lag(business_date) OVER (PARTITION BY person ORDER BY business_date) AS gap
    FROM (SELECT DISTINCT person, business_date FROM purchase WHERE person IS NOT NULL)
)
WHERE gap IS NOT NULL
GROUP BY person;

CREATE TABLE of_year AS
SELECT
    person,
    count(*) AS orders,
    sum(net)::BIGINT AS net,
    sum(gross)::BIGINT AS gross,
    sum(discount)::BIGINT AS discount,
    sum(coupon_discount)::BIGINT AS coupon_discount,
    count(*) FILTER (WHERE channel IN ('web', 'app', 'marketplace')) AS online,
    count(*) FILTER (WHERE day_type = 'weekday' AND daypart = 'lunch') AS weekday_lunch,
    count(*) FILTER (WHERE day_type = 'weekend') AS weekend,
    count(*) FILTER (WHERE day_type = 'holiday') AS holiday,
    count(*) FILTER (WHERE daypart = 'evening') AS evening,
    count(*) FILTER (WHERE daypart = 'late_night') AS late_night,
    count(*) FILTER (WHERE coupon_discount > 0) AS with_coupon
FROM year_purchase
GROUP BY person;

CREATE TABLE of_daypart AS
SELECT DISTINCT ON (person) person, daypart
FROM (SELECT person, daypart, count(*) AS orders FROM year_purchase GROUP BY ALL)
ORDER BY
    person, orders DESC,
    list_position(['breakfast', 'lunch', 'afternoon', 'evening', 'late_night'], daypart) DESC;

CREATE TABLE of_store AS
SELECT DISTINCT ON (person) person, store_id
FROM (SELECT person, store_id, count(*) AS orders, sum(net) AS net FROM year_purchase GROUP BY ALL)
ORDER BY person, orders DESC, net DESC, store_id;

CREATE TABLE of_category AS
SELECT DISTINCT ON (person) person, category, net, count(*) OVER (PARTITION BY person) AS categories
FROM (SELECT person, category, sum(net)::BIGINT AS net FROM year_line WHERE category IS NOT NULL GROUP BY ALL)
ORDER BY person, net DESC, category;

CREATE TABLE of_product AS
SELECT DISTINCT ON (person) person, product_id
FROM (SELECT person, product_id, sum(net) AS net FROM year_line GROUP BY ALL)
ORDER BY person, net DESC, product_id;

CREATE TABLE of_brand AS
SELECT DISTINCT ON (person) person, net
FROM (SELECT person, brand, sum(net)::BIGINT AS net FROM year_line WHERE brand IS NOT NULL GROUP BY ALL)
ORDER BY person, net DESC, brand;

CREATE TABLE of_opinions AS
SELECT record.person, sum(rating)::BIGINT AS ratings, count(rating) AS rated, count(*) FILTER (WHERE is_complaint) AS complaints
FROM main.opinion
INNER JOIN record ON record.source = 'crm' AND record.source_customer_id = opinion.member_id
WHERE opinion.known_at < getvariable('night_ends') AND days(0, 364, given_on)
GROUP BY record.person;

----------------------------------------------------------------------------------------------------------- the whole row
CREATE TABLE feature AS
SELECT
    person.person,
    getvariable('snapshot_date') - last_on AS recency_days,
    coalesce(of_year.orders, 0) AS orders_365d,
    amount(coalesce(of_year.net, 0)) AS net_revenue_365d,
    NULL::DECIMAL(18, 2) AS gross_margin_365d, -- no line has a cost
    amount(quotient(of_year.net, of_year.orders)) AS average_order_value,
    getvariable('snapshot_date') - coalesce(first_on, registered_on) AS tenure_days,
    coalesce(orders_30d, 0) AS orders_30d,
    coalesce(orders_90d, 0) AS orders_90d,
    coalesce(orders_prev_90d, 0) AS orders_prev_90d,
    ratio(orders_90d - orders_prev_90d, orders_90d + orders_prev_90d) AS frequency_trend,
    (gaps[(len(gaps) + 1) // 2] + gaps[len(gaps) // 2 + 1]) / 2 AS median_gap_days,
    ratio(online, of_year.orders) AS online_share,
    ratio(weekday_lunch, of_year.orders) AS weekday_lunch_share,
    ratio(weekend, of_year.orders) AS weekend_share,
    ratio(evening, of_year.orders) AS evening_share,
    ratio(late_night, of_year.orders) AS late_night_share,
    ratio(holiday, of_year.orders) AS holiday_share,
    of_daypart.daypart AS preferred_daypart,
    NULL::DOUBLE AS average_party_size, -- not said
    ratio(of_year.discount + of_year.coupon_discount, of_year.gross) AS discount_share,
    ratio(with_coupon, of_year.orders) AS coupon_order_share,
    ratio(0, of_year.gross) AS refund_share, -- no source refunds
    coalesce(categories, 0) AS distinct_categories,
    of_category.category AS top_category,
    ratio(of_category.net, of_year.net) AS top_category_share,
    of_product.product_id AS top_product_id,
    ratio(of_brand.net, of_year.net) AS top_brand_share,
    of_store.store_id AS home_store_id,
    ratio(ratings, rated) AS average_rating,
    coalesce(complaints, 0) AS complaint_count,
    NULL::INTEGER AS last_visit_days, -- no feed of sessions
    NULL::BIGINT AS sessions_30d
FROM person
LEFT JOIN of_history USING (person)
LEFT JOIN of_gaps USING (person)
LEFT JOIN of_year USING (person)
LEFT JOIN of_daypart USING (person)
LEFT JOIN of_store USING (person)
LEFT JOIN of_category USING (person)
LEFT JOIN of_product USING (person)
LEFT JOIN of_brand USING (person)
LEFT JOIN of_opinions USING (person)
WHERE may_profile;

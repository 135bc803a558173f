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
    sold_line.source, order_id, line_id, store_id, channel, fulfilment, sold_line.product_id, category, department, brand,
    local_at,
    local_at::DATE AS business_date,
    gross, discount, coupon_discount, quantity,
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
        sum(coupon_discount)::BIGINT AS coupon_discount, count(*) AS lines, sum(quantity) AS items,
        coalesce(sum(gross) FILTER (WHERE discount > 0), 0)::BIGINT AS cut_gross
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
    count(*) FILTER (WHERE days(90, 179, business_date)) AS orders_prev_90d,
    count(*) AS orders_total,
    coalesce(sum(net) FILTER (WHERE days(0, 89, business_date)), 0)::BIGINT AS net_90d,
    coalesce(sum(net) FILTER (WHERE days(90, 179, business_date)), 0)::BIGINT AS net_prev_90d,
    count(DISTINCT business_date) FILTER (WHERE days(0, 364, business_date)) AS order_dates
FROM purchase
WHERE person IS NOT NULL
GROUP BY person;

CREATE TABLE of_gaps AS
SELECT
    person,
    list_sort(list(gap)) AS gaps,
    max(gap) FILTER (WHERE days(0, 89, business_date)) AS comeback,
    count(*) AS n,
    sum(gap)::BIGINT AS total,
    sum(gap * gap)::BIGINT AS squares
FROM (
    SELECT person, business_date, business_date - lag(business_date) OVER (PARTITION BY person ORDER BY business_date) AS gap
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
    count(*) FILTER (WHERE coupon_discount > 0) AS with_coupon,
    count(*) FILTER (WHERE coupon_discount = 0 AND discount = 0) AS at_full_price,
    sum(cut_gross)::BIGINT AS cut_gross,
    sum(lines)::BIGINT AS lines,
    (sum(items) * 10000)::BIGINT AS items_e4,
    count(*) FILTER (WHERE daypart = 'breakfast') AS breakfast,
    count(*) FILTER (WHERE daypart = 'lunch') AS lunch,
    count(*) FILTER (WHERE daypart = 'afternoon') AS afternoon,
    count(*) FILTER (WHERE fulfilment = 'dine_in') AS dine_in,
    count(*) FILTER (WHERE fulfilment = 'delivery') AS delivery,
    count(DISTINCT channel) AS channels,
    count(DISTINCT store_id) AS stores
FROM year_purchase
GROUP BY person;

CREATE TABLE of_daypart AS
SELECT DISTINCT ON (person) person, daypart
FROM (SELECT person, daypart, count(*) AS orders FROM year_purchase GROUP BY ALL)
ORDER BY
    person, orders DESC,
    list_position(['breakfast', 'lunch', 'afternoon', 'evening', 'late_night'], daypart) DESC;

CREATE TABLE of_month AS
SELECT DISTINCT ON (person) person, month, orders
FROM (SELECT person, month(business_date) AS month, count(*) AS orders FROM year_purchase GROUP BY ALL)
ORDER BY person, orders DESC, month;

CREATE TABLE of_channel AS
SELECT DISTINCT ON (person) person, channel
FROM (SELECT person, channel, count(*) AS orders FROM year_purchase GROUP BY ALL)
ORDER BY person, orders DESC, channel;

CREATE TABLE of_fulfilment AS
SELECT DISTINCT ON (person) person, fulfilment
FROM (SELECT person, fulfilment, count(*) AS orders FROM year_purchase GROUP BY ALL)
ORDER BY person, orders DESC, fulfilment;

CREATE TABLE of_store AS
SELECT DISTINCT ON (person) person, store_id, orders
FROM (SELECT person, store_id, count(*) AS orders, sum(net) AS net FROM year_purchase GROUP BY ALL)
ORDER BY person, orders DESC, net DESC, store_id;

CREATE TABLE of_category AS
SELECT DISTINCT ON (person) person, category, net, count(*) OVER (PARTITION BY person) AS categories
FROM (SELECT person, category, sum(net)::BIGINT AS net FROM year_line WHERE category IS NOT NULL GROUP BY ALL)
ORDER BY person, net DESC, category;

CREATE TABLE of_department AS
SELECT DISTINCT ON (person) person, department, net
FROM (SELECT person, department, sum(net)::BIGINT AS net FROM year_line WHERE department IS NOT NULL GROUP BY ALL)
ORDER BY person, net DESC, department;

CREATE TABLE of_product AS
SELECT DISTINCT ON (person) person, product_id, count(*) OVER (PARTITION BY person) AS products
FROM (SELECT person, product_id, sum(net) AS net FROM year_line GROUP BY ALL)
ORDER BY person, net DESC, product_id;

CREATE TABLE of_brand AS
SELECT DISTINCT ON (person) person, brand, net, count(*) OVER (PARTITION BY person) AS brands
FROM (SELECT person, brand, sum(net)::BIGINT AS net FROM year_line WHERE brand IS NOT NULL GROUP BY ALL)
ORDER BY person, net DESC, brand;

-- a line weighs 16 in the 90 days to the snapshot, 8 in the 90 before these, then 4, 2 and 1
CREATE TABLE weighed_line AS
SELECT
    person, category, product_id, brand,
    net * CASE
        WHEN days(0, 89, business_date) THEN 16
        WHEN days(90, 179, business_date) THEN 8
        WHEN days(180, 269, business_date) THEN 4
        WHEN days(270, 359, business_date) THEN 2
        ELSE 1
    END AS weighed
FROM year_line;

CREATE TABLE all_weighed AS
SELECT person, sum(weighed)::BIGINT AS weighed FROM weighed_line GROUP BY person;

CREATE TABLE recent_category AS
SELECT DISTINCT ON (person) person, category, weighed
FROM (
    SELECT person, category, sum(weighed)::BIGINT AS weighed FROM weighed_line WHERE category IS NOT NULL GROUP BY ALL
)
ORDER BY person, weighed DESC, category;

CREATE TABLE recent_product AS
SELECT DISTINCT ON (person) person, product_id, weighed
FROM (SELECT person, product_id, sum(weighed)::BIGINT AS weighed FROM weighed_line GROUP BY ALL)
ORDER BY person, weighed DESC, product_id;

CREATE TABLE recent_brand AS
SELECT DISTINCT ON (person) person, brand, weighed
FROM (SELECT person, brand, sum(weighed)::BIGINT AS weighed FROM weighed_line WHERE brand IS NOT NULL GROUP BY ALL)
ORDER BY person, weighed DESC, brand;

-- what the sources say of people: only members state it, and no two members are one person
CREATE TABLE said AS
SELECT
    record.person, marital_status,
    regexp_extract(household_size, '\d+') AS household_size,
    regexp_extract(kids_count, '\d+') AS kids_count,
    CASE
        WHEN regexp_matches(age_band, '^\d+ *[-+]') THEN regexp_extract(age_band, '\d+')::INTEGER
    END AS age_from
FROM main.member
INNER JOIN record ON record.source = 'crm' AND record.source_customer_id = member.member_id;

CREATE TABLE anniversary AS
SELECT person, min(day) - getvariable('snapshot_date') AS days_to_it
FROM (SELECT person, registered_on, (registered_on + to_years(unnest(range(1, 10)::INTEGER[])))::DATE AS day FROM person)
WHERE day >= getvariable('snapshot_date') AND registered_on <= getvariable('snapshot_date')
GROUP BY person;

CREATE TABLE of_opinions AS
SELECT record.person, sum(rating)::BIGINT AS ratings, count(rating) AS rated, count(*) FILTER (WHERE is_complaint) AS complaints,
    count(*) FILTER (WHERE is_complaint AND days(0, 89, given_on)) AS complaints_90d,
    arg_max(rating, {'at': given_at, 'id': feedback_id::VARCHAR}) FILTER (WHERE rating IS NOT NULL) AS last_rating,
    arg_max(topic, {'at': given_at, 'id': feedback_id::VARCHAR}) FILTER (WHERE topic IS NOT NULL) AS feedback_topic,
    sum(sentiment)::BIGINT AS sentiments, count(sentiment) AS telling,
    sum(epoch_us(responded_at) - epoch_us(given_at))::BIGINT AS until_response, count(responded_at) AS responses
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
    NULL::BIGINT AS sessions_30d,
    coalesce(orders_total, 0) AS orders_total,
    comeback AS comeback_gap_days,
    gaps[-1] AS longest_gap_days,
    coalesce(order_dates, 0) AS order_dates_365d,
    CASE WHEN n > 1 THEN round(sqrt(n * squares - total * total) / total, 6) END AS gap_variation,
    -- over a median that may end in a half
    ratio(
        2 * (getvariable('snapshot_date') - last_on), gaps[(len(gaps) + 1) // 2] + gaps[len(gaps) // 2 + 1]
    ) AS recency_gap_ratio,
    amount(coalesce(net_90d, 0)) AS net_revenue_90d,
    amount(coalesce(net_prev_90d, 0)) AS net_revenue_prev_90d,
    ratio(net_90d - net_prev_90d, net_90d + net_prev_90d) AS revenue_trend,
    ratio(of_year.lines, of_year.orders) AS average_lines,
    ratio(items_e4, 10000 * of_year.orders) AS average_items,
    ratio(of_year.coupon_discount, of_year.gross) AS coupon_discount_share,
    ratio(of_year.cut_gross, of_year.gross) AS price_cut_revenue_share,
    ratio(at_full_price, of_year.orders) AS full_price_share,
    0 AS refunded_orders_365d,
    ratio(breakfast, of_year.orders) AS breakfast_share,
    ratio(lunch, of_year.orders) AS lunch_share,
    ratio(afternoon, of_year.orders) AS afternoon_share,
    of_month.month AS peak_month,
    ratio(of_month.orders, of_year.orders) AS peak_month_share,
    of_channel.channel AS preferred_channel,
    coalesce(channels, 0) AS distinct_channels,
    of_fulfilment.fulfilment AS preferred_fulfilment,
    ratio(dine_in, of_year.orders) AS dine_in_share,
    ratio(delivery, of_year.orders) AS delivery_share,
    NULL::DOUBLE AS solo_share, -- no party size is said
    NULL::DOUBLE AS weekend_group_share,
    recent_category.category AS recent_category,
    ratio(recent_category.weighed, all_weighed.weighed) AS recent_category_share,
    of_department.department AS top_department,
    ratio(of_department.net, of_year.net) AS top_department_share,
    coalesce(products, 0) AS distinct_products,
    recent_product.product_id AS recent_product_id,
    ratio(recent_product.weighed, all_weighed.weighed) AS recent_product_share,
    coalesce(brands, 0) AS distinct_brands,
    of_brand.brand AS top_brand,
    recent_brand.brand AS recent_brand,
    ratio(recent_brand.weighed, all_weighed.weighed) AS recent_brand_share,
    ratio(of_store.orders, of_year.orders) AS home_store_share,
    coalesce(stores, 0) AS distinct_stores,
    store.region AS home_store_region,
    store.city AS home_store_city,
    store.city_tier AS home_store_city_tier,
    store.climate AS home_store_climate,
    last_rating,
    feedback_topic,
    ratio(sentiments, telling) AS feedback_sentiment,
    -- microseconds to hours
    ratio(until_response // 1000000, responses * 3600) AS response_hours,
    NULL::VARCHAR AS stated_need, -- nobody is asked
    coalesce(rated, 0) AS reviews_365d,
    coalesce(complaints_90d, 0) AS complaints_90d,
    CASE
        WHEN age_from < 25 THEN 'under_25'
        WHEN age_from < 35 THEN '25_to_34'
        WHEN age_from < 45 THEN '35_to_44'
        WHEN age_from < 55 THEN '45_to_54'
        WHEN age_from < 65 THEN '55_to_64'
        ELSE CASE WHEN age_from <= 130 THEN '65_and_over' END
    END AS age_group,
    days_to_it AS days_to_anniversary,
    nullif(said.household_size, '')::INTEGER AS household_size,
    nullif(said.kids_count, '')::INTEGER AS kids_count,
    said.marital_status,
    -- of these nothing is said, or there is no feed
    NULL AS own_calendar_share, NULL AS age, NULL AS is_birth_month, NULL AS education, NULL AS occupation, NULL AS declared_lifestyle,
    NULL AS declared_interests, NULL AS minutes_30d, NULL AS pages_30d, NULL AS favourites_90d,
    NULL AS abandoned_carts_90d, NULL AS preferred_device, NULL AS referrals_365d, NULL AS social_events_90d,
    NULL AS survey_satisfaction, NULL AS questions_answered, NULL AS known_attributes, NULL AS attributed_interest,
    NULL AS attributed_lifestyle
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
LEFT JOIN of_month USING (person)
LEFT JOIN of_channel USING (person)
LEFT JOIN of_fulfilment USING (person)
LEFT JOIN of_department USING (person)
LEFT JOIN all_weighed USING (person)
LEFT JOIN recent_category USING (person)
LEFT JOIN recent_product USING (person)
LEFT JOIN recent_brand USING (person)
LEFT JOIN said USING (person)
LEFT JOIN anniversary USING (person)
LEFT JOIN main.store ON of_store.store_id = store.store_id
WHERE may_profile;

-- customer_features of a night in DuckDB, from the night's clean tables and its identities, as contract.md and the
-- features' descriptions word it; nothing of the pipeline's code is in it. The features of optional feeds are left out.
-- Views made by the caller: clean_orders, clean_order_lines, clean_customers, clean_products, clean_stores, record (source,
-- source_customer_id, known_customer_id), identifier (name, hash, customer_id), holiday (business_date), own_day
-- (business_date). Variables: snapshot_date, time_zone. Table of the answer: feature.
-- Amounts are whole cents; dayparts begin at 5, 11, 14, 17 and 21.

CREATE MACRO cents(amount) AS (amount * 100)::BIGINT;
CREATE MACRO amount(cents) AS (cents::DECIMAL(18, 0) * 0.01)::DECIMAL(18, 2);
-- p / q with 6 decimals, halves away from zero, without a float on the way; over nothing it is null
CREATE MACRO ratio(p, q) AS CASE WHEN q <> 0 THEN
    sign(p)::BIGINT * sign(q)::BIGINT * ((2000000 * abs(p::BIGINT) + abs(q::BIGINT)) // (2 * abs(q::BIGINT))) / 1e6
END;
CREATE MACRO first_number(said) AS try_cast(nullif(regexp_extract(said, '[0-9]+'), '') AS INTEGER);
-- the value of the record that was changed last among those that say something
CREATE MACRO latest(said) AS
    arg_max(said, (coalesce(updated_at, TIMESTAMPTZ '1970-01-01 00:00:00+00'), source, source_customer_id))
        FILTER (WHERE said IS NOT NULL);

-------------------------------------------------------------------------------------------------------------------- people
-- a person by a small number; it is null where profiling is not allowed: yes in some record and no in none
CREATE TEMP TABLE person AS
SELECT
    row_number() OVER ()::INTEGER AS number,
    *,
    coalesce(profiling_consent, false) AS may_profile
FROM (
    SELECT
        known_customer_id AS customer_id,
        bool_and(profiling_consent) AS profiling_consent,
        timezone(getvariable('time_zone'), min(registered_at))::DATE AS registered_on,
        latest(birth_year) AS birth_year, latest(birth_month) AS birth_month, latest(age_band) AS age_band,
        latest(household_size) AS household_size, latest(kids_count) AS kids_count,
        latest(marital_status) AS marital_status, latest(education) AS education, latest(occupation) AS occupation,
        latest(declared_lifestyle) AS declared_lifestyle, latest(declared_interests) AS declared_interests
    FROM record LEFT JOIN clean_customers USING (source, source_customer_id)
    GROUP BY known_customer_id
);

CREATE TEMP TABLE named AS
SELECT 'id' AS name, source || chr(31) || source_customer_id AS value, number, may_profile
FROM record JOIN person ON known_customer_id = customer_id
UNION ALL
SELECT name, hash, number, may_profile FROM identifier JOIN person USING (customer_id);

----------------------------------------------------------------------------------------------------------------- purchases
-- the source's own id decides whose an order is, else the first identifier that leads to somebody
CREATE TEMP TABLE sale AS
SELECT
    row_number() OVER ()::INTEGER AS sale,
    o.source, o.order_id,
    CASE WHEN coalesce(i.number, c.number, e.number, p.number, t.number) IS NOT NULL
        AND coalesce(i.may_profile, c.may_profile, e.may_profile, p.may_profile, t.may_profile)
        THEN coalesce(i.number, c.number, e.number, p.number, t.number) END AS person,
    (getvariable('snapshot_date') - o.business_date)::INTEGER AS days_ago,
    month(o.business_date)::TINYINT AS month,
    CASE
        WHEN o.business_date IN (FROM holiday) THEN 'holiday'
        WHEN isodow(o.business_date) > 5 THEN 'weekend'
        ELSE 'weekday'
    END AS day_type,
    CASE WHEN EXISTS (FROM own_day) THEN o.business_date IN (FROM own_day) END AS is_own_day,
    CASE
        WHEN local_minutes >= 1260 OR local_minutes < 300 THEN 'late_night'
        WHEN local_minutes >= 1020 THEN 'evening'
        WHEN local_minutes >= 840 THEN 'afternoon'
        WHEN local_minutes >= 660 THEN 'lunch'
        ELSE 'breakfast'
    END AS daypart,
    store_id, channel, fulfilment, party_size,
    coupon_id IS NOT NULL AS with_coupon
FROM clean_orders AS o
LEFT JOIN named AS i ON i.name = 'id' AND i.value = o.source || chr(31) || o.source_customer_id
LEFT JOIN named AS c ON c.name = 'loyalty_card_hash' AND c.value = o.loyalty_card_hash
LEFT JOIN named AS e ON e.name = 'email_hash' AND e.value = o.email_hash
LEFT JOIN named AS p ON p.name = 'phone_hash' AND p.value = o.phone_hash
LEFT JOIN named AS t ON t.name = 'payment_token_hash' AND t.value = o.payment_token_hash
WHERE o.status = 'completed' AND o.business_date <= getvariable('snapshot_date');

CREATE TEMP TABLE line AS
SELECT
    sale, product_id, quantity,
    cents(gross) AS gross, cents(discount) AS discount, cents(coupon_discount) AS coupon_discount,
    cents(refunded) AS refunded,
    cents(gross - discount - coupon_discount - refunded) AS net,
    -- cents times ten-thousandths of a piece, halves up
    (2 * cents(unit_cost) * (quantity * 10000)::BIGINT + 10000) // 20000 AS cost
FROM clean_order_lines JOIN sale USING (source, order_id)
WHERE person IS NOT NULL;

-- an order that was paid back whole is none
CREATE TEMP TABLE purchase AS
SELECT sale.* EXCLUDE (source, order_id, with_coupon), sums.* EXCLUDE (sale), with_coupon OR coupon_discount > 0 AS with_coupon
FROM (
    SELECT
        sale,
        sum(gross)::BIGINT AS gross, sum(discount)::BIGINT AS discount, sum(coupon_discount)::BIGINT AS coupon_discount,
        sum(refunded)::BIGINT AS refunded, sum(net)::BIGINT AS net,
        CASE WHEN count(*) = count(cost) THEN sum(cost)::BIGINT END AS cost,
        sum(CASE WHEN discount > 0 THEN gross ELSE 0 END)::BIGINT AS cut_gross,
        count(*) AS lines,
        (sum(quantity) * 10000)::BIGINT AS items_e4
    FROM line
    GROUP BY sale
) AS sums
JOIN sale USING (sale)
WHERE NOT (refunded > 0 AND net <= 0);

------------------------------------------------------------------------------------------------------ one part at a time
CREATE TEMP TABLE of_history AS
SELECT
    person,
    min(days_ago) AS last_ago, max(days_ago) AS first_ago,
    count(*) AS orders_total,
    count(*) FILTER (days_ago < 30) AS orders_30d,
    count(*) FILTER (days_ago < 90) AS orders_90d,
    count(*) FILTER (days_ago BETWEEN 90 AND 179) AS orders_prev_90d,
    coalesce(sum(net) FILTER (days_ago < 90), 0)::BIGINT AS net_90d,
    coalesce(sum(net) FILTER (days_ago BETWEEN 90 AND 179), 0)::BIGINT AS net_prev_90d
FROM purchase
GROUP BY person;

CREATE TEMP TABLE of_gaps AS
SELECT
    person,
    count(*) FILTER (days_ago < 365) AS order_dates,
    count(gap) AS gaps, median(gap) AS median_gap, max(gap) AS longest_gap, max(gap) FILTER (days_ago < 90) AS comeback_gap,
    sum(gap)::BIGINT AS total, sum(gap::BIGINT * gap)::BIGINT AS squares
FROM (
    SELECT person, days_ago, lead(days_ago) OVER (PARTITION BY person ORDER BY days_ago) - days_ago AS gap
    FROM (SELECT DISTINCT person, days_ago FROM purchase)
)
GROUP BY person;

CREATE TEMP VIEW year_purchase AS SELECT * FROM purchase WHERE days_ago < 365;

CREATE TEMP TABLE of_year AS
SELECT
    person,
    count(*) AS orders,
    sum(gross)::BIGINT AS gross, sum(discount)::BIGINT AS discount, sum(coupon_discount)::BIGINT AS coupon_discount,
    sum(refunded)::BIGINT AS refunded, sum(net)::BIGINT AS net, sum(cut_gross)::BIGINT AS cut_gross,
    CASE WHEN count(*) = count(cost) THEN sum(net - cost)::BIGINT END AS margin,
    sum(lines)::BIGINT AS lines, sum(items_e4)::BIGINT AS items_e4,
    count(*) FILTER (with_coupon) AS with_coupon,
    count(*) FILTER (NOT with_coupon AND discount = 0) AS at_full_price,
    count(*) FILTER (refunded > 0) AS refunded_orders,
    count(*) FILTER (channel IN ('web', 'app', 'marketplace')) AS online,
    count(*) FILTER (day_type = 'weekday' AND daypart = 'lunch') AS weekday_lunch,
    count(*) FILTER (day_type = 'weekend') AS weekend,
    count(*) FILTER (day_type = 'holiday') AS holiday,
    count(*) FILTER (is_own_day) AS own_day, count(is_own_day) AS own_day_known,
    count(*) FILTER (daypart = 'breakfast') AS breakfast,
    count(*) FILTER (daypart = 'lunch') AS lunch,
    count(*) FILTER (daypart = 'afternoon') AS afternoon,
    count(*) FILTER (daypart = 'evening') AS evening,
    count(*) FILTER (daypart = 'late_night') AS late_night,
    count(*) FILTER (fulfilment = 'dine_in') AS dine_in,
    count(*) FILTER (fulfilment = 'delivery') AS delivery,
    count(party_size) AS party_known, sum(party_size)::BIGINT AS party,
    count(*) FILTER (party_size = 1) AS solo,
    count(*) FILTER (party_size >= 3 AND day_type <> 'weekday') AS weekend_group
FROM year_purchase
GROUP BY person;

CREATE TEMP TABLE of_daypart AS
SELECT
    person, arg_max(daypart, (orders, list_position(['breakfast', 'lunch', 'afternoon', 'evening', 'late_night'], daypart)))
        AS daypart
FROM (SELECT person, daypart, count(*) AS orders FROM year_purchase GROUP BY ALL)
GROUP BY person;

CREATE TEMP TABLE of_month AS
SELECT person, arg_min(month, (-orders, month)) AS month, max(orders) AS orders
FROM (SELECT person, month, count(*) AS orders FROM year_purchase GROUP BY ALL)
GROUP BY person;

CREATE TEMP TABLE of_channel AS
SELECT person, arg_min(channel, (-orders, channel)) AS channel, count(*) AS channels
FROM (SELECT person, channel, count(*) AS orders FROM year_purchase GROUP BY ALL)
GROUP BY person;

CREATE TEMP TABLE of_fulfilment AS
SELECT person, arg_min(fulfilment, (-orders, fulfilment)) AS fulfilment
FROM (SELECT person, fulfilment, count(*) AS orders FROM year_purchase WHERE fulfilment IS NOT NULL GROUP BY ALL)
GROUP BY person;

CREATE TEMP TABLE of_store AS
SELECT person, arg_min(store_id, (-orders, -net, store_id)) AS store_id, max(orders) AS orders, count(*) AS stores
FROM (SELECT person, store_id, count(*) AS orders, sum(net)::BIGINT AS net FROM year_purchase GROUP BY ALL)
GROUP BY person;

-- net revenue counts 16 times in the 90 days to the snapshot, 8 times in the 90 before these, then 4, 2 and 1
CREATE TEMP TABLE bought AS
SELECT person, product_id, category, department, brand, net, weighed
FROM (
    SELECT person, product_id, sum(line.net)::BIGINT AS net, sum(line.net * (16 >> (days_ago // 90)))::BIGINT AS weighed
    FROM line JOIN year_purchase USING (sale)
    GROUP BY ALL
)
LEFT JOIN clean_products USING (product_id);

CREATE TEMP TABLE of_product AS
SELECT
    person,
    arg_min(product_id, (-net, product_id)) AS product_id, count(*) AS products,
    arg_min(product_id, (-weighed, product_id)) AS recent, max(weighed) AS weighed,
    sum(weighed)::BIGINT AS all_weighed
FROM bought
GROUP BY person;

CREATE TEMP TABLE of_category AS
SELECT
    person,
    arg_min(category, (-net, category)) AS category, max(net) AS net, count(*) AS categories,
    arg_min(category, (-weighed, category)) AS recent, max(weighed) AS weighed
FROM (
    SELECT person, category, sum(net)::BIGINT AS net, sum(weighed)::BIGINT AS weighed
    FROM bought WHERE category IS NOT NULL GROUP BY ALL
)
GROUP BY person;

CREATE TEMP TABLE of_department AS
SELECT person, arg_min(department, (-net, department)) AS department, max(net) AS net
FROM (SELECT person, department, sum(net)::BIGINT AS net FROM bought WHERE department IS NOT NULL GROUP BY ALL)
GROUP BY person;

CREATE TEMP TABLE of_brand AS
SELECT
    person,
    arg_min(brand, (-net, brand)) AS brand, max(net) AS net, count(*) AS brands,
    arg_min(brand, (-weighed, brand)) AS recent, max(weighed) AS weighed
FROM (
    SELECT person, brand, sum(net)::BIGINT AS net, sum(weighed)::BIGINT AS weighed
    FROM bought WHERE brand IS NOT NULL GROUP BY ALL
)
GROUP BY person;

CREATE TEMP VIEW profile AS
SELECT
    *,
    CASE WHEN year(getvariable('snapshot_date')) - birth_year BETWEEN 0 AND 130
        THEN year(getvariable('snapshot_date')) - birth_year END AS age,
    CASE WHEN regexp_matches(age_band, '^[0-9]+ *[-+]') THEN first_number(age_band) END AS age_from,
    -- the anniversary of this year, or the first of all
    CASE WHEN registered_on <= getvariable('snapshot_date')
        THEN greatest(year(getvariable('snapshot_date')) - year(registered_on), 1) END AS years
FROM person
WHERE may_profile;

------------------------------------------------------------------------------------------------------------ the whole row
CREATE VIEW feature AS
SELECT
    profile.customer_id,
    getvariable('snapshot_date') AS snapshot_date,
    last_ago AS recency_days,
    coalesce(of_year.orders, 0) AS orders_365d,
    coalesce(first_ago, getvariable('snapshot_date') - registered_on) AS tenure_days,
    coalesce(orders_30d, 0) AS orders_30d,
    coalesce(orders_90d, 0) AS orders_90d,
    coalesce(orders_prev_90d, 0) AS orders_prev_90d,
    coalesce(orders_total, 0) AS orders_total,
    ratio(orders_90d - orders_prev_90d, orders_90d + orders_prev_90d) AS frequency_trend,
    coalesce(order_dates, 0) AS order_dates_365d,
    median_gap AS median_gap_days,
    longest_gap AS longest_gap_days,
    comeback_gap AS comeback_gap_days,
    -- halves up, which rounding a double does not always do: 1 of 2.7 million customers told
    CASE WHEN gaps > 1 THEN round((sqrt(gaps * squares - total * total) / total)::DECIMAL(38, 13), 6)::DOUBLE END
        AS gap_variation,
    ratio(2 * last_ago, (2 * median_gap)::BIGINT) AS recency_gap_ratio,
    amount(coalesce(of_year.net, 0)) AS net_revenue_365d,
    amount(coalesce(net_90d, 0)) AS net_revenue_90d,
    amount(coalesce(net_prev_90d, 0)) AS net_revenue_prev_90d,
    ratio(net_90d - net_prev_90d, net_90d + net_prev_90d) AS revenue_trend,
    amount(margin) AS gross_margin_365d,
    -- halves up
    amount((2 * of_year.net + of_year.orders) // (2 * of_year.orders)) AS average_order_value,
    ratio(lines, of_year.orders) AS average_lines,
    ratio(items_e4, 10000 * of_year.orders) AS average_items,
    ratio(discount + coupon_discount, gross) AS discount_share,
    ratio(coupon_discount, gross) AS coupon_discount_share,
    ratio(cut_gross, gross) AS price_cut_revenue_share,
    ratio(with_coupon, of_year.orders) AS coupon_order_share,
    ratio(at_full_price, of_year.orders) AS full_price_share,
    ratio(refunded, gross) AS refund_share,
    coalesce(refunded_orders, 0) AS refunded_orders_365d,
    ratio(online, of_year.orders) AS online_share,
    ratio(weekday_lunch, of_year.orders) AS weekday_lunch_share,
    ratio(weekend, of_year.orders) AS weekend_share,
    ratio(holiday, of_year.orders) AS holiday_share,
    ratio(own_day, own_day_known) AS own_calendar_share,
    ratio(breakfast, of_year.orders) AS breakfast_share,
    ratio(lunch, of_year.orders) AS lunch_share,
    ratio(afternoon, of_year.orders) AS afternoon_share,
    ratio(evening, of_year.orders) AS evening_share,
    ratio(late_night, of_year.orders) AS late_night_share,
    of_daypart.daypart AS preferred_daypart,
    of_month.month AS peak_month,
    ratio(of_month.orders, of_year.orders) AS peak_month_share,
    of_channel.channel AS preferred_channel,
    coalesce(channels, 0) AS distinct_channels,
    of_fulfilment.fulfilment AS preferred_fulfilment,
    ratio(dine_in, of_year.orders) AS dine_in_share,
    ratio(delivery, of_year.orders) AS delivery_share,
    ratio(party, party_known) AS average_party_size,
    ratio(solo, party_known) AS solo_share,
    ratio(weekend_group, party_known) AS weekend_group_share,
    coalesce(categories, 0) AS distinct_categories,
    of_category.category AS top_category,
    ratio(of_category.net, of_year.net) AS top_category_share,
    of_category.recent AS recent_category,
    ratio(of_category.weighed, all_weighed) AS recent_category_share,
    of_department.department AS top_department,
    ratio(of_department.net, of_year.net) AS top_department_share,
    coalesce(products, 0) AS distinct_products,
    of_product.product_id AS top_product_id,
    of_product.recent AS recent_product_id,
    ratio(of_product.weighed, all_weighed) AS recent_product_share,
    coalesce(brands, 0) AS distinct_brands,
    of_brand.brand AS top_brand,
    ratio(of_brand.net, of_year.net) AS top_brand_share,
    of_brand.recent AS recent_brand,
    ratio(of_brand.weighed, all_weighed) AS recent_brand_share,
    of_store.store_id AS home_store_id,
    ratio(of_store.orders, of_year.orders) AS home_store_share,
    coalesce(stores, 0) AS distinct_stores,
    home.region AS home_store_region,
    home.city AS home_store_city,
    home.city_tier AS home_store_city_tier,
    home.climate AS home_store_climate,
    age,
    CASE
        WHEN coalesce(age, age_from) < 25 THEN 'under_25'
        WHEN coalesce(age, age_from) < 35 THEN '25_to_34'
        WHEN coalesce(age, age_from) < 45 THEN '35_to_44'
        WHEN coalesce(age, age_from) < 55 THEN '45_to_54'
        WHEN coalesce(age, age_from) < 65 THEN '55_to_64'
        WHEN coalesce(age, age_from) <= 130 THEN '65_and_over'
    END AS age_group,
    month(getvariable('snapshot_date')) = birth_month AS is_birth_month,
    (CASE
        WHEN (registered_on + to_years(years::INTEGER))::DATE >= getvariable('snapshot_date')
            THEN (registered_on + to_years(years::INTEGER))::DATE
        ELSE (registered_on + to_years(years::INTEGER + 1))::DATE
    END - getvariable('snapshot_date')) AS days_to_anniversary,
    first_number(household_size) AS household_size,
    first_number(kids_count) AS kids_count,
    marital_status, education, occupation, declared_lifestyle, declared_interests
FROM profile
LEFT JOIN of_history ON of_history.person = profile.number
LEFT JOIN of_gaps ON of_gaps.person = profile.number
LEFT JOIN of_year ON of_year.person = profile.number
LEFT JOIN of_daypart ON of_daypart.person = profile.number
LEFT JOIN of_month ON of_month.person = profile.number
LEFT JOIN of_channel ON of_channel.person = profile.number
LEFT JOIN of_fulfilment ON of_fulfilment.person = profile.number
LEFT JOIN of_store ON of_store.person = profile.number
LEFT JOIN of_product ON of_product.person = profile.number
LEFT JOIN of_category ON of_category.person = profile.number
LEFT JOIN of_department ON of_department.person = profile.number
LEFT JOIN of_brand ON of_brand.person = profile.number
LEFT JOIN clean_stores AS home ON home.store_id = of_store.store_id;

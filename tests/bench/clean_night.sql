-- A chain of any size, drawn from hashes of row numbers: the same numbers, the same rows, in any order and on any machine.
-- Variables: seed, people (known on the first night), first_night (DATE), new_people (who join on each night after it),
-- orders_a_day (on average), landed (DATE: the night that takes the rows in).

-- from 0 to 1, 1 excluded
CREATE MACRO draw(number, what) AS (hash(number, what, getvariable('seed')) >> 11) / 9007199254740992.0;
CREATE MACRO pick(number, what, of_so_many) AS (hash(number, what, getvariable('seed')) % of_so_many)::INTEGER;
CREATE MACRO pseudonym(domain, told) AS 'k1:' || md5(domain || '/' || told || '/' || getvariable('seed'));
CREATE MACRO person_hash(source, id) AS pseudonym('person', source || chr(31) || id);

------------------------------------------------------------------------------------------------------------------- people
CREATE MACRO people_on(day) AS
    (getvariable('people') + greatest(day - getvariable('first_night'), 0) * getvariable('new_people'))::BIGINT;

-- marketplace: no register knows them; online: only the shop does; both: the shop and the till
CREATE MACRO kind_of(person) AS CASE pick(person, 'kind', 50)
    WHEN 0 THEN 'marketplace' WHEN 1 THEN 'online' ELSE CASE WHEN pick(person, 'kind', 20) < 3 THEN 'both' ELSE 'till' END
END;
CREATE MACRO has_email(person) AS kind_of(person) = 'online' OR pick(person, 'email', 10) < 8;

CREATE MACRO registrations(day) AS TABLE
SELECT
    person, source,
    CASE source WHEN 'crm' THEN person::VARCHAR ELSE 'A' || person END AS id,
    hash(person, source, getvariable('seed')) AS number,
    CASE
        WHEN person < getvariable('people') THEN getvariable('first_night')
        ELSE getvariable('first_night') + 1 + ((person - getvariable('people')) // getvariable('new_people'))::INTEGER
    END AS landed
FROM (SELECT range AS person, unnest(['crm', 'online']) AS source FROM range(people_on(day)))
WHERE CASE source WHEN 'crm' THEN kind_of(person) IN ('both', 'till') ELSE kind_of(person) IN ('both', 'online') END;

CREATE MACRO customers_on(day) AS TABLE
SELECT
    source,
    id AS source_customer_id,
    -- for 1,500 days before the first night, and then on each night
    CASE
        WHEN landed > getvariable('first_night') THEN landed::TIMESTAMPTZ + to_minutes(720 + pick(number, 'at', 400))
        WHEN pick(number, 'registered', 50) > 0
            THEN (landed - pick(number, 'on', 1500))::TIMESTAMPTZ + to_minutes(pick(number, 'at', 1020))
    END AS registered_at,
    CASE WHEN pick(number, 'born', 3) > 0 THEN 1935 + pick(number, 'year', 75) END AS birth_year,
    CASE WHEN pick(number, 'born', 3) > 1 THEN 1 + pick(number, 'month', 12) END AS birth_month,
    ['18-24', '25-34', '35-44', '45-54', '55-64', '65+', NULL][1 + pick(number, 'age', 7)] AS age_band,
    ['f', 'm', 'd', NULL][1 + pick(number, 'gender', 4)] AS gender,
    'City ' || pick(number, 'city', 80) AS city,
    'Region ' || pick(number, 'city', 80) % 12 AS region,
    ['1', '2', '3', NULL][1 + pick(number, 'tier', 4)] AS city_tier,
    ['under 15K', '35-49K', '50-74K', '250K+', NULL][1 + pick(number, 'income', 5)] AS income_band,
    ['school', 'college', 'university', NULL][1 + pick(number, 'education', 4)] AS education,
    ['nurse', 'teacher', 'driver', 'clerk', NULL][1 + pick(number, 'occupation', 5)] AS occupation,
    ['married', 'unmarried', 'unknown', NULL][1 + pick(number, 'marital', 4)] AS marital_status,
    ['1', '2', '3', '4', '5+', NULL][1 + pick(number, 'household', 6)] AS household_size,
    ['0', '1', '2', '3+', 'None/Unknown', NULL][1 + pick(number, 'kids', 6)] AS kids_count,
    ['store', 'web', 'friend', NULL][1 + pick(number, 'won', 4)] AS acquisition_channel,
    pick(number, 'marketing', 3) > 0 AS marketing_consent,
    [true, true, true, true, true, true, true, true, false, NULL][1 + pick(number, 'profiling', 10)] AS profiling_consent,
    ['active', 'thrifty', 'family', NULL, NULL][1 + pick(number, 'lifestyle', 5)] AS declared_lifestyle,
    ['cooking', 'sports', 'travel', NULL, NULL][1 + pick(number, 'interests', 5)] AS declared_interests,
    pseudonym('name', id) AS name_hash,
    CASE WHEN has_email(person) THEN pseudonym('email', person::VARCHAR) END AS email_hash,
    CASE WHEN source = 'crm' AND pick(number, 'phone', 10) > 0 THEN pseudonym('phone', person::VARCHAR) END AS phone_hash,
    CASE WHEN source = 'crm' THEN pseudonym('loyalty_card', person::VARCHAR) END AS loyalty_card_hash,
    landed::TIMESTAMPTZ - to_minutes(pick(number, 'changed', 500000)) AS updated_at,
    CASE source WHEN 'crm' THEN 'crm.members' ELSE 'online.accounts' END AS _feed,
    CASE source WHEN 'crm' THEN 'members' ELSE 'accounts' END AS _file,
    person AS _row,
    landed AS _landed,
    person_hash(source, id) AS _person_hash,
    number::BIGINT AS _content,
    false AS is_imputed
FROM (SELECT * REPLACE ((number >> 1) AS number) FROM registrations(day));

------------------------------------------------------------------------------------------------------ products and stores
CREATE MACRO product_id(product) AS 'P' || lpad(product::VARCHAR, 4, '0');
CREATE MACRO price_of(product) AS 79 + pick(product, 'price', 1500);

CREATE MACRO all_products() AS TABLE
SELECT
    product_id(product) AS product_id,
    CASE WHEN pick(product, 'named', 100) > 0 THEN 'category ' || pick(product, 'category', 40) END AS category,
    CASE WHEN pick(product, 'named', 100) > 0 THEN 'department ' || pick(product, 'category', 40) % 8 END AS department,
    CASE WHEN pick(product, 'branded', 10) > 0 THEN 'brand ' || pick(product, 'brand', 150) END AS brand,
    'Product ' || product AS name,
    false AS is_set_meal,
    getvariable('first_night')::TIMESTAMPTZ AS updated_at,
    false AS is_imputed, false AS is_inferred,
    'crm.products' AS _feed, 'products' AS _file, product AS _row, getvariable('first_night') AS _landed,
    hash(product)::UBIGINT >> 1 AS _content
FROM (SELECT range AS product FROM range(2000));

CREATE MACRO all_stores() AS TABLE
SELECT
    'S' || store AS store_id,
    'Store ' || store AS name,
    'Region ' || store % 12 AS region,
    CASE WHEN store % 20 > 0 THEN 'City ' || store END AS city,
    ['1', '2', '3', NULL][1 + store % 4] AS city_tier,
    ['cold', 'mild', 'hot', NULL][1 + store % 4] AS climate,
    getvariable('first_night')::TIMESTAMPTZ AS updated_at,
    false AS is_imputed, false AS is_inferred,
    'crm.stores' AS _feed, 'stores' AS _file, store AS _row, getvariable('first_night') AS _landed,
    hash(store)::UBIGINT >> 1 AS _content
FROM (SELECT range::INTEGER AS store FROM range(60));

-------------------------------------------------------------------------------------------------------------------- orders
-- more on weekends; over a week it is the average
CREATE MACRO orders_on(day) AS
    round(getvariable('orders_a_day') * CASE WHEN isodow(day) > 5 THEN 1.3 ELSE 0.88 END)::BIGINT;

-- an order is its day and its place on it; who has it: few buy often, some never
CREATE MACRO placed(day, first_place, last_place) AS TABLE
SELECT
    *,
    kind_of(person) AS kind,
    CASE
        WHEN draw(number, 'named') < 0.12 THEN 'nobody'
        WHEN draw(number, 'named') < 0.13 THEN 'unknown card'
        WHEN kind_of(person) IN ('marketplace', 'online') THEN kind_of(person)
        WHEN kind_of(person) = 'both' AND draw(number, 'ordered') < 0.4 THEN 'online'
        WHEN draw(number, 'ordered') > 0.98 THEN 'phone'
        ELSE 'card'
    END AS named_by,
    1 + pick(number, 'lines', 9) AS lines
FROM (
    SELECT
        number,
        day AS business_date,
        floor(people_on(day) * pow(draw(number, 'person'), 1.5))::BIGINT AS person
    FROM (SELECT (day - DATE '2000-01-01') * 10000000 + range AS number FROM range(first_place, last_place))
);

CREATE MACRO minute_of(number) AS CASE
    WHEN draw(number, 'hour') < 0.02 THEN pick(number, 'minute', 60)
    WHEN draw(number, 'hour') < 0.30 THEN 660 + pick(number, 'minute', 180)
    WHEN draw(number, 'hour') < 0.65 THEN 1020 + pick(number, 'minute', 240)
    ELSE 360 + pick(number, 'minute', 1080)
END;
CREATE MACRO channel_of(number, named_by) AS CASE named_by
    WHEN 'marketplace' THEN 'marketplace' WHEN 'phone' THEN 'phone'
    WHEN 'online' THEN CASE pick(number, 'channel', 2) WHEN 0 THEN 'web' ELSE 'app' END
    ELSE 'store'
END;
CREATE MACRO source_of(named_by) AS CASE WHEN named_by IN ('online', 'marketplace') THEN 'online' ELSE 'pos' END;
CREATE MACRO order_id(number) AS 'R' || number;

CREATE MACRO orders_of(day, first_place, last_place) AS TABLE
SELECT
    source_of(named_by) AS source,
    order_id(number) AS order_id,
    CASE named_by WHEN 'online' THEN 'A' || person WHEN 'marketplace' THEN 'M' || person END AS source_customer_id,
    CASE named_by
        WHEN 'card' THEN pseudonym('loyalty_card', person::VARCHAR)
        WHEN 'unknown card' THEN pseudonym('loyalty_card', 'unknown ' || pick(number, 'card', 5000))
    END AS loyalty_card_hash,
    CASE WHEN named_by = 'phone' THEN pseudonym('phone', person::VARCHAR) END AS phone_hash,
    CASE WHEN named_by = 'phone' AND pick(number, 'mail', 4) = 0 THEN pseudonym('email', person::VARCHAR) END AS email_hash,
    'S' || CASE WHEN draw(number, 'home') < 0.7 THEN pick(person, 'store', 60) ELSE pick(number, 'store', 60) END AS store_id,
    channel_of(number, named_by) AS channel,
    CASE
        WHEN named_by IN ('online', 'marketplace') THEN ['delivery', 'ship', 'pickup'][1 + pick(number, 'handed', 3)]
        WHEN pick(number, 'said', 20) > 0 THEN ['takeaway', 'takeaway', 'dine_in'][1 + pick(number, 'handed', 3)]
    END AS fulfilment,
    timezone('America/New_York', business_date + to_minutes(minute_of(number))) AS ordered_at,
    CASE WHEN draw(number, 'party') < 0.4 THEN 1 + pick(number, 'size', 6) END AS party_size,
    CASE WHEN draw(number, 'status') < 0.975 THEN 'completed' WHEN draw(number, 'status') < 0.99 THEN 'cancelled' ELSE 'void' END
        AS status,
    'USD' AS currency,
    CASE WHEN draw(number, 'coupon') < 0.06 THEN 'K' || pick(number, 'coupon', 30) END AS coupon_id,
    business_date::TIMESTAMPTZ + INTERVAL 29 HOUR AS updated_at,
    business_date,
    minute_of(number) AS local_minutes,
    CASE source_of(named_by) WHEN 'online' THEN 'online.orders' ELSE 'pos.receipts' END AS _feed,
    CASE source_of(named_by) WHEN 'online' THEN '/orders' ELSE 'receipts_' || business_date || '.csv' END AS _file,
    number AS _row,
    greatest(business_date, getvariable('landed')) AS _landed,
    CASE named_by
        WHEN 'online' THEN person_hash('online', 'A' || person)
        WHEN 'marketplace' THEN person_hash('online', 'M' || person)
    END AS _person_hash,
    hash(number)::UBIGINT >> 1 AS _content,
    false AS is_imputed
FROM placed(day, first_place, last_place);

--------------------------------------------------------------------------------------------------------------------- lines
-- one in a thousand orders is paid back whole; half of all lines are of what the person likes
CREATE MACRO lines_of(day, first_place, last_place) AS TABLE
WITH line AS (
    SELECT
        named_by, number, business_date, line_id, number * 16 + line_id AS line,
        floor(2000 * pow(draw(
            CASE WHEN draw(number * 16 + line_id, 'liked') < 0.5 THEN person * 16 + pick(number * 16 + line_id, 'likes', 8)
            ELSE number * 16 + line_id END, 'product'), 2))::INTEGER AS product
    FROM placed(day, first_place, last_place), (SELECT range AS line_id FROM range(1, 10))
    WHERE line_id <= lines
), weighed AS (
    SELECT *, CASE WHEN product % 9 = 0 THEN 250 + 25 * pick(line, 'weight', 100) ELSE 1000 * (1 + pick(line, 'pieces', 9) // 5) END
        AS grams
    FROM line
), priced AS (
    SELECT *, greatest(price_of(product) * grams // 1000, 1) AS gross FROM weighed
), cut AS (
    SELECT
        *,
        CASE WHEN draw(line, 'cut') < 0.2 THEN gross * (1 + pick(line, 'tenths', 4)) // 10 ELSE 0 END AS discount,
        CASE WHEN draw(line, 'redeemed') < 0.03 THEN least(50, gross // 2) ELSE 0 END AS coupon_discount
    FROM priced
), refunded AS (
    SELECT *, CASE
        WHEN draw(number, 'whole') < 0.001 OR draw(line, 'back') < 0.004 THEN gross - discount - coupon_discount
        WHEN draw(line, 'back') < 0.008 THEN (gross - discount - coupon_discount) // 2
        ELSE 0 END AS refunded
    FROM cut
)
SELECT
    source_of(named_by) AS source,
    order_id(number) AS order_id,
    line_id::VARCHAR AS line_id,
    product_id(product) AS product_id,
    grams::DECIMAL(18, 4) / 1000 AS quantity,
    gross::DECIMAL(18, 2) / 100 AS gross,
    discount::DECIMAL(18, 2) / 100 AS discount,
    coupon_discount::DECIMAL(18, 2) / 100 AS coupon_discount,
    refunded::DECIMAL(18, 2) / 100 AS refunded,
    CASE WHEN product % 200 > 0 AND pick(line, 'cost', 500) > 0 THEN (price_of(product) * 7 // 10)::DECIMAL(18, 2) / 100 END
        AS unit_cost,
    business_date::TIMESTAMPTZ + INTERVAL 29 HOUR AS updated_at,
    business_date,
    CASE source_of(named_by) WHEN 'online' THEN 'online.orders' ELSE 'pos.receipts' END AS _feed,
    CASE source_of(named_by) WHEN 'online' THEN '/orders' ELSE 'receipts_' || business_date || '.csv' END AS _file,
    line AS _row,
    greatest(business_date, getvariable('landed')) AS _landed,
    hash(line)::UBIGINT >> 1 AS _content,
    false AS is_imputed, false AS is_outlier
FROM refunded;

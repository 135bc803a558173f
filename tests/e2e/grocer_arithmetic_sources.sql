-- The example grocer's source files, read as they lie, without any of the pipeline's code.
-- Registered by the test before this runs: members, accounts_json, online_json, products, stores, feedback (the sources'
-- tables), holiday_dates (business_date), variable pos_files (a glob).
-- Amounts are whole cents, so that every sum is exact.

CREATE MACRO new_york(instant) AS timezone('America/New_York', instant::TIMESTAMPTZ);

-- trimmed and in small letters; telephone numbers as + country and digits (ten digits are American)
CREATE MACRO same_email(email) AS nullif(lower(trim(email)), '');
CREATE MACRO same_phone(phone) AS CASE
    WHEN length(regexp_replace(phone, '[^0-9]', '', 'g')) = 10 THEN '+1' || regexp_replace(phone, '[^0-9]', '', 'g')
    ELSE '+' || nullif(regexp_replace(phone, '[^0-9]', '', 'g'), '')
END;

-- integers only: floor of n / d for d > 0, whatever the sign of n
CREATE MACRO floor_div(n, d) AS CASE WHEN n >= 0 THEN n // d ELSE -((-n + d - 1) // d) END;
-- p / q with 6 decimals, halves up; nothing over nothing is null
CREATE MACRO ratio(p, q) AS CASE
    WHEN q > 0 THEN floor_div(2 * p::BIGINT * 1000000 + q, 2 * q::BIGINT) / 1e6
    WHEN q < 0 THEN floor_div(-2 * p::BIGINT * 1000000 - q, -2 * q::BIGINT) / 1e6
END;
-- whole cents as an amount
CREATE MACRO amount(cents) AS (cents::DECIMAL(18, 0) * 0.01)::DECIMAL(18, 2);
-- p / q to the unit (a cent), halves up
CREATE MACRO quotient(p, q) AS CASE WHEN q > 0 THEN floor_div(2 * p::BIGINT + q, 2 * q::BIGINT) END;

CREATE TABLE member AS
SELECT
    member_id::VARCHAR AS member_id,
    card_number,
    same_email(email) AS email,
    same_phone(phone) AS phone,
    CASE profiling_consent WHEN 1 THEN true WHEN 0 THEN false END AS profiling_consent,
    registered_at::TIMESTAMPTZ AS registered_at,
    updated_at::TIMESTAMPTZ AS known_at,
    age_band, household_size, kids_count, marital_status
FROM members;

CREATE TABLE account AS
SELECT
    document ->> '$.account_id' AS account_id,
    same_email(document ->> '$.email') AS email,
    same_phone(document ->> '$.phone') AS phone,
    (document ->> '$.profiling_consent')::BOOLEAN AS profiling_consent,
    (document ->> '$.created_at')::TIMESTAMPTZ AS registered_at,
    (document ->> '$.updated_at')::TIMESTAMPTZ AS known_at
FROM accounts_json;

CREATE TABLE product AS
SELECT
    product_id::VARCHAR AS product_id,
    category,
    department,
    concat_ws(' ', brand, manufacturer_id) AS brand
FROM products;

CREATE TABLE store AS
SELECT store_id::VARCHAR AS store_id, region, city, city_tier, climate FROM stores;

CREATE TABLE opinion AS
SELECT
    feedback_id,
    given_at::TIMESTAMPTZ AS given_at,
    member_id::VARCHAR AS member_id,
    new_york(given_at)::DATE AS given_on,
    rating,
    is_complaint = 1 AS is_complaint,
    updated_at::TIMESTAMPTZ AS known_at,
    responded_at::TIMESTAMPTZ AS responded_at,
    sentiment,
    topic
FROM feedback
INNER JOIN (
    -- the comments of the example, judged by reading them
    VALUES
    ('Charged twice for the same item and nobody could help.', -1, 'price'),
    ('The milk was past its date.', -1, 'food'),
    ('Forty minutes at the checkout, two lanes open.', NULL, 'speed'),
    ('The offer on the shelf was not taken off at the register.', NULL, 'price'),
    ('Produce looked tired today.', -1, 'food'),
    ('Out of stock again on what I came for.', -1, 'selection'),
    ('It was fine.', NULL, NULL),
    ('Good prices, long lines.', 1, 'price'),
    ('Parking lot was full but staff were friendly.', 1, 'service'),
    ('Quick and friendly.', 1, 'service'),
    ('Nice selection of bread.', 1, 'food'),
    ('Happy with the weekly deals.', 1, 'price'),
    ('My favorite store.', 1, NULL),
    ('Great produce and very kind cashier.', 1, 'service'),
    ('Found everything quickly.', 1, 'speed')
) AS judged (comment, sentiment, topic) USING (comment);

-- A line of a receipt is known on the night whose file carries it: receipts_2017-03.csv.gz (a month of the first load),
-- receipts_2017-12-27.csv.gz, receipts_31742_2017-12-30.csv.
CREATE TABLE sold_line AS
SELECT
    'pos' AS source,
    receipt_no AS order_id,
    line_no AS line_id,
    store_id,
    'store' AS channel,
    'takeaway' AS fulfilment,
    nullif(trim(card_number), '') AS card_number,
    NULL::VARCHAR AS account_id,
    product_id,
    sold_at::TIMESTAMPTZ AS ordered_at,
    new_york(sold_at) AS local_at,
    CASE
        WHEN regexp_matches(filename, '_\d{4}-\d\d-\d\d[.]csv')
            THEN regexp_extract(filename, '_(\d{4}-\d\d-\d\d)[.]csv', 1)::DATE
        ELSE last_day((regexp_extract(filename, '_(\d{4}-\d\d)[.]csv', 1) || '-01')::DATE)
    END AS file_date,
    NULL::TIMESTAMPTZ AS known_at,
    (gross::DECIMAL(14, 2) * 100)::BIGINT AS gross,
    (discount::DECIMAL(14, 2) * 100)::BIGINT AS discount,
    (coupon_discount::DECIMAL(14, 2) * 100)::BIGINT AS coupon_discount,
    quantity::DECIMAL(18, 4) AS quantity
FROM read_csv(getvariable('pos_files'), header = true, all_varchar = true, filename = true);

INSERT INTO sold_line
SELECT
    'online',
    document ->> '$.order_id',
    line ->> '$.line_no',
    document ->> '$.store_id',
    document ->> '$.channel',
    document ->> '$.fulfilment',
    NULL,
    document ->> '$.account_id',
    line ->> '$.product_id',
    (document ->> '$.ordered_at')::TIMESTAMPTZ,
    new_york(document ->> '$.ordered_at'),
    NULL,
    (document ->> '$.updated_at')::TIMESTAMPTZ,
    ((line ->> '$.gross')::DECIMAL(14, 2) * 100)::BIGINT,
    ((line ->> '$.discount')::DECIMAL(14, 2) * 100)::BIGINT,
    ((line ->> '$.coupon_discount')::DECIMAL(14, 2) * 100)::BIGINT,
    (line ->> '$.quantity')::DECIMAL(18, 4)
FROM (
    SELECT document, unnest((document -> '$.lines')::JSON[]) AS line
    FROM online_json
    WHERE document ->> '$.status' = 'completed'
);

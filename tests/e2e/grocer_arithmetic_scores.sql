-- Scores and segments of the night in schema `tonight`, by cuts fitted on the night in schema `fitted` and frozen
-- (definitions.md, RFM).

-- inverted CDF: the value at position ceil(n * k / 5), in whole numbers
CREATE MACRO position_of(n, k) AS (n * k + 4) // 5;

CREATE TABLE buyer AS
SELECT recency_days, orders_365d, net_revenue_365d FROM fitted.feature WHERE orders_365d > 0;

CREATE TABLE cut AS
WITH sorted AS (
    SELECT
        list(recency_days ORDER BY recency_days) AS r,
        list(orders_365d ORDER BY orders_365d) AS f,
        list(net_revenue_365d ORDER BY net_revenue_365d) AS m,
        count(*) AS n
    FROM buyer
)
SELECT
    [r[position_of(n, k)] FOR k IN [1, 2, 3, 4]] AS r,
    [f[position_of(n, k)] FOR k IN [1, 2, 3, 4]] AS f,
    [m[position_of(n, k)] FOR k IN [1, 2, 3, 4]] AS m,
    -- twice the median, so that the mean of the middle two stays exact
    r[(n + 1) // 2] + r[n // 2 + 1] AS r_medians,
    f[(n + 1) // 2] + f[n // 2 + 1] AS f_medians,
    m[(n + 1) // 2] + m[n // 2 + 1] AS m_medians
FROM sorted;

CREATE TABLE cell (rfm_segment VARCHAR, cells VARCHAR);
INSERT INTO cell VALUES
('champions', '555 554 544 545 454 455 445'),
('loyal', '543 444 435 355 354 345 344 335'),
(
    'potential_loyalist',
    '553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 353 352 351 342 341 333 323'
),
('new_customers', '512 511 422 421 412 411 311'),
('promising', '525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313'),
('need_attention', '535 534 443 434 343 334 325 324'),
('about_to_sleep', '331 321 312 221 213 231 241 251'),
('at_risk', '255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125 124'),
('cannot_lose_them', '155 154 144 214 215 115 114 113'),
('hibernating', '332 322 233 232 223 222 132 123 122 212 211'),
('lost', '111 112 121 131 141 151');

CREATE TABLE segment_of AS
SELECT rfm_segment, unnest(string_split(cells, ' ')) AS rfm FROM cell;

CREATE TABLE score AS
WITH scored AS (
    SELECT
        feature.person,
        5 - len([c FOR c IN cut.r IF c < feature.recency_days]) AS recency_score,
        1 + len([c FOR c IN cut.f IF c < feature.orders_365d]) AS frequency_score,
        1 + len([c FOR c IN cut.m IF c < feature.net_revenue_365d]) AS monetary_score,
        2 * feature.recency_days <= cut.r_medians AS high_r,
        2 * feature.orders_365d > cut.f_medians AS high_f,
        2 * feature.net_revenue_365d > cut.m_medians AS high_m
    FROM tonight.feature
    CROSS JOIN cut
    WHERE feature.orders_365d > 0
)
SELECT
    person.person,
    recency_score, frequency_score, monetary_score,
    CASE
        WHEN NOT may_profile THEN 'no_profiling_consent'
        WHEN scored.person IS NULL THEN 'not_scored'
        ELSE segment_of.rfm_segment
    END AS rfm_segment,
    CASE
        WHEN NOT may_profile THEN 'no_profiling_consent'
        WHEN scored.person IS NULL THEN 'not_scored'
        WHEN high_r AND high_f AND high_m THEN 'important_value'
        WHEN high_r AND high_m THEN 'important_develop'
        WHEN high_f AND high_m THEN 'important_keep'
        WHEN high_m THEN 'important_win_back'
        WHEN high_r AND high_f THEN 'general_value'
        WHEN high_r THEN 'general_develop'
        WHEN high_f THEN 'general_keep'
        ELSE 'general_win_back'
    END AS rfm8_segment
FROM tonight.person
LEFT JOIN scored USING (person)
LEFT JOIN segment_of ON segment_of.rfm = concat(recency_score, frequency_score, monetary_score);

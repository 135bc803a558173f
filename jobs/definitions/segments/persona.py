"""The named groups of a chain, by its preset: combinations of features and of other schemes."""

from __future__ import annotations

from jobs.definitions.segments.person import UNDER_45
from jobs.definitions.segments.scheme import Scheme, Segment, without_orders

_FRESH = "produce|fresh|fruit|vegetable|meat|seafood|dairy"

PERSONA = Scheme(
    "persona", "Persona", "人群画像", "The named groups of the chain's preset (`preset` of regulars.toml).",
    "按预设业态划分的典型人群。",
    "concat(orders_365d, ' orders in 365 days, the last ', recency_days, ' days ago, value ', value_tier, "
    "', age group ', coalesce(age_group, 'unknown'), ', weekday lunch ', "
    "coalesce(CAST(weekday_lunch_share AS STRING), 'none'), ', weekend ', "
    "coalesce(CAST(weekend_share AS STRING), 'none'), "
    "', late night ', coalesce(CAST(late_night_share AS STRING), 'none'), ', people at the table ', "
    "coalesce(CAST(average_party_size AS STRING), 'unknown'), ', most bought ', "
    "coalesce(top_department, top_category, 'unknown'))",
    (
        Segment("long_unseen_members", "Long-unseen members", "久未光顾会员", "No order for more than 180 days.",
                "超过180天无订单。", "recency_days > 180", "Win back once."),
        without_orders(),
        Segment("young_office_quick_lunchers", "Young office quick-lunchers", "年轻上班族快午餐",
                "Half of six or more orders at weekday lunch, for one or two, not known to be 45 or older.",
                "至少6单，半数以上为工作日午餐，一至两人，未知年满45岁。",
                "orders_365d >= 6 AND weekday_lunch_share >= 0.5 AND coalesce(average_party_size, 1) < 2.5 AND "
                f"coalesce({UNDER_45}, true)", "Quick set meals, pre-order.", presets=("restaurant",)),
        Segment("family_diners", "Family diners", "家庭聚餐客",
                "Three or more orders, two in five of all, with three or more people on weekends or holidays.",
                "周末或节假日三人及以上的订单至少3单，且占四成以上。",
                "weekend_group_share >= 0.4 AND weekend_group_share * orders_365d > 2.9", "Family menus, weekends.",
                presets=("restaurant",)),
        Segment("overtime_workers", "Overtime workers", "加班族",
                "Half of six or more orders late at night, mostly on weekdays.",
                "至少6单，半数以上为深夜且多在工作日。",
                "orders_365d >= 6 AND late_night_share >= 0.5 AND weekend_share < 0.4", "Late delivery.",
                presets=("restaurant", "supermarket")),
        Segment("young_mothers", "Young mothers", "年轻妈妈", "Mostly things for babies, younger than 45.",
                "主要购买母婴用品且不满45岁。",
                f"(regexp_like(lower(top_category), 'baby|infant|diaper') AND {UNDER_45}) OR "
                "lifestyle_segment = 'young_mother'", "Things for babies, by age of the child.",
                presets=("supermarket", "online_retail")),
        Segment("fashion_followers", "Fashion followers", "时尚追随者", "Mostly clothes, or known to follow fashion.",
                "主要购买服饰或已知关注时尚。",
                "regexp_like(lower(top_category), 'fashion|apparel|cloth|shoe') OR lifestyle_segment = "
                "'fashion_follower'", "What is new this week.", presets=("online_retail",)),
        Segment("digital_hobbyists", "Digital hobbyists", "数码爱好者", "Mostly electronics, or known for it.",
                "主要购买数码产品或已知有此爱好。",
                "regexp_like(lower(top_category), 'electronic|digital|computer|phone|game') OR lifestyle_segment = "
                "'digital_hobbyist'", "Early access.", presets=("online_retail",)),
        Segment("frequent_high_value_loyals", "Frequent high-value loyals", "高频高值忠诚客",
                "Twelve or more orders and a money score of 4 or 5.", "至少12单且额度评分为4或5。",
                "orders_365d >= 12 AND monetary_score >= 4", "Serve personally; early access.",
                presets=("restaurant", "supermarket")),
        Segment("occasional_triers", "Occasional triers", "偶尔尝鲜客",
                "Twelve orders or fewer: once a month at the most.", "不超过12单，即每月至多一次。",
                "orders_365d <= 12", "A reason for the next visit.", presets=("restaurant", "supermarket")),
        Segment("price_sensitive", "The price-sensitive", "价格敏感者", "Buys mostly what is reduced.",
                "多购买折扣商品。", "price_sensitivity = 'high'", "Coupons; they work here."),
        Segment("urban_young_parents", "Urban young parents", "都市年轻父母", "Children, younger than 45.",
                "有子女且不满45岁。", f"kids_count >= 1 AND {UNDER_45}", "Quick meals, children's offers.",
                presets=("restaurant", "supermarket")),
        Segment("fresh_food_lovers", "Fresh-food lovers", "生鲜爱好者", "Most net revenue is of fresh food.",
                "净收入以生鲜为主。",
                f"regexp_like(lower(top_department), '{_FRESH}') OR regexp_like(lower(top_category), '{_FRESH}')",
                "What came in today.", presets=("supermarket",)),
        Segment("homemakers", "Homemakers", "持家者", "A household of three or more, or homemaker by occupation, "
                "mostly on weekdays.", "三口以上之家或职业为家务，多在工作日。",
                "(household_size >= 3 OR lower(occupation) = 'homemaker') AND weekend_share < 0.4", "Large sizes.",
                presets=("supermarket",)),
        Segment("seniors", "Seniors", "长者", "65 or older.", "65岁及以上。", "age_group = '65_and_over'",
                "Quiet hours, delivery.", presets=("restaurant", "supermarket")),
        Segment("professionals", "Professionals", "职场人士", "Three in five orders or more in the evening, mostly "
                "on weekdays.", "六成以上订单在晚间且多在工作日。",
                "evening_share >= 0.6 AND weekend_share < 0.4", "Ready at six.",
                presets=("restaurant", "supermarket")),
        Segment("singles", "Singles", "单身人士", "Lives alone, or four in five orders are for one.",
                "独居，或八成以上订单为一人。", "household_size = 1 OR solo_share >= 0.8",
                "Small sizes.", presets=("restaurant", "supermarket")),
        Segment("frequent_buyers", "Frequent buyers", "高频购买者", "Twenty-four or more orders: twice a month.",
                "至少24单，即每月两次。",
                "orders_365d >= 24", "Membership benefits.", presets=("supermarket", "online_retail")),
        Segment("occasional_browsers", "Occasional browsers", "偶尔浏览者", "Three orders or fewer.", "不超过3单。",
                "orders_365d <= 3", "What they looked at.", presets=("online_retail",)),
        Segment("others", "Others", "其他", "None of the named groups.", "不属于以上各类。", "true", "None."),
    ),
)  # fmt: skip

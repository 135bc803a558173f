"""Schemes over how a customer buys: channel, occasion, price, taste, brand."""

from __future__ import annotations

from jobs.definitions.segments.scheme import UNKNOWN, Scheme, Segment, untold, without_orders

CHANNEL = Scheme(
    "channel_preference", "Channel preference", "渠道偏好", "Where the customer orders.", "客户在哪里下单。",
    "concat(online_share, ' of ', orders_365d, ' orders in 365 days are online')",
    (
        without_orders(),
        Segment("online", "Online", "线上", "Four in five orders or more online.", "八成以上线上下单。",
                "online_share >= 0.8", "Reach by app or e-mail."),
        Segment("store", "Store", "门店", "One in five orders or fewer online.", "线上订单不超过两成。",
                "online_share <= 0.2", "Reach at the till."),
        Segment("omnichannel", "Omnichannel", "全渠道", "Both.", "线上线下兼有。", "true", "Reach by either."),
    ),
)  # fmt: skip

OCCASION = Scheme(
    "consumption_occasion", "Occasion", "消费场景", "When and with whom the customer usually comes.",
    "客户通常在何时、与谁一起消费。",
    "concat('of ', orders_365d, ' orders in 365 days: weekday lunch ', weekday_lunch_share, ', weekend ', "
    "weekend_share, ', evening ', evening_share, ', late night ', late_night_share, ', people at the table ', "
    "coalesce(CAST(average_party_size AS STRING), 'unknown'))",
    (
        without_orders(),
        Segment("late_night", "Late night", "深夜", "Two in five orders or more late at night.", "深夜订单占四成以上。",
                "late_night_share >= 0.4", "Late offers."),
        Segment("workday_lunch", "Workday lunch", "工作日午餐", "Half of the orders or more at weekday lunch.",
                "工作日午餐订单占一半以上。", "weekday_lunch_share >= 0.5", "Quick-lunch offers."),
        Segment("weekend_family", "Weekend family", "周末家庭", "Two in five orders or more on weekends, for three or "
                "more people.", "周末订单四成以上且三人及以上。",
                "weekend_share >= 0.4 AND average_party_size >= 3", "Family menus."),
        Segment("weekend", "Weekend", "周末", "Half of the orders or more on weekends.", "周末订单占一半以上。",
                "weekend_share >= 0.5", "Weekend offers."),
        Segment("evening", "Evening", "晚间", "Half of the orders or more in the evening.", "晚间订单占一半以上。",
                "evening_share >= 0.5", "Evening offers."),
        Segment("mixed", "Mixed", "混合", "No occasion stands out.", "无突出场景。", "true", "None."),
    ),
)  # fmt: skip

PRICE = Scheme(
    "price_sensitivity", "Price sensitivity", "价格敏感度", "How much of what somebody buys is bought reduced.",
    "客户在多大程度上购买折扣商品。",
    "concat('discounts are ', discount_share, ' of gross, ', coupon_order_share, ' of ', orders_365d, ' orders had a "
    "coupon, ', full_price_share, ' no reduction at all')",
    (
        without_orders(),
        Segment("high", "High", "高", "Discounts of a fifth of gross or more, or coupons with two in five orders.",
                "折扣占毛额两成以上，或四成以上订单使用优惠券。",
                "discount_share >= 0.2 OR coupon_order_share >= 0.4", "Coupons; they work here."),
        Segment("middle", "Middle", "中", "Discounts of 8% of gross or more, or coupons with 15% of orders or more.",
                "折扣占毛额8%以上，或15%以上订单使用优惠券。",
                "discount_share >= 0.08 OR coupon_order_share >= 0.15", "Coupons for what is new to them."),
        Segment("low", "Low", "低", "Buys mostly at full price.", "大多按原价购买。", "true",
                "No coupon; service and quality."),
    ),
)  # fmt: skip

CATEGORY = Scheme(
    "category_affinity", "Category affinity", "品类偏好", "How much one category is what somebody comes for; which "
    "one is top_category of customer_features, and a tag.", "客户对单一品类的偏好程度；具体品类见标签。",
    "concat(coalesce(top_category, 'no category'), ' has ', coalesce(CAST(top_category_share AS STRING), 'nothing'), "
    "' of net revenue in 365 days, ', distinct_categories, ' categories bought')",
    (
        Segment(UNKNOWN, "Unknown", "未知", "No order, or of no known category.", "无订单，或品类未知。",
                "top_category IS NULL OR top_category_share IS NULL", "None."),
        Segment("devoted", "Devoted", "专一", "Half of the net revenue or more is of one category.",
                "单一品类占净收入一半以上。", "top_category_share >= 0.5", "News of that category first."),
        Segment("leaning", "Leaning", "偏好", "A quarter of the net revenue or more is of one category.",
                "单一品类占净收入四分之一以上。", "top_category_share >= 0.25",
                "That category, and what goes with it."),
        Segment("varied", "Varied", "多样", "No category stands out.", "无突出品类。", "true", "What is new."),
    ),
)  # fmt: skip

_NEEDED = "grocer|staple|dairy|meat|produce|vegetable|fruit|household|clean|drug|baby|set_meal|noodle|rice|basic|office"
_WANTED = (
    "dessert|cake|pastry|sweet|candy|snack|soft drink|beer|wine|liquor|floral|flower|gift|toy|cosmetic|beauty|fashion"
)
_BOUGHT = "lower(coalesce(top_category, top_department))"

NEED = Scheme(
    "need", "Need", "需求", "What somebody comes for: what is needed, or what is enjoyed; as the customer says in a "
    "survey (question need), else by what most is spent on. The categories of either are words of the rules.",
    "客户的消费需求：功能型或情感型；以问卷为准，否则按主要购买品类判断。",
    "concat('says ', coalesce(stated_need, 'nothing'), ', of most net revenue is ', coalesce(top_category, "
    "top_department, 'nothing known'))",
    (
        Segment("emotional", "Emotional", "情感型", "Says so, or spends most on what is enjoyed.",
                "自述，或主要购买享受型品类。",
                f"stated_need = 'emotional' OR (stated_need IS NULL AND regexp_like({_BOUGHT}, '{_WANTED}'))",
                "What is new, and for whom it is a present."),
        Segment("functional", "Functional", "功能型", "Says so, or spends most on what is needed.",
                "自述，或主要购买必需型品类。",
                f"stated_need = 'functional' OR (stated_need IS NULL AND regexp_like({_BOUGHT}, '{_NEEDED}'))",
                "Price, stock, speed."),
        untold("Says nothing, and buys nothing that tells.", "未表达且购买品类无法判断。"),
    ),
)  # fmt: skip

BRAND = Scheme(
    "brand_loyalty", "Brand loyalty", "品牌忠诚度", "Whether somebody stays with a brand; which one is top_brand of "
    "customer_features.", "客户是否忠于某一品牌。",
    "concat(coalesce(top_brand, 'no brand'), ' has ', coalesce(CAST(top_brand_share AS STRING), 'nothing'), "
    "' of net revenue in 365 days, ', distinct_brands, ' brands bought')",
    (
        Segment(UNKNOWN, "Unknown", "未知", "No order, or of no known brand.", "无订单，或品牌未知。",
                "top_brand IS NULL OR top_brand_share IS NULL", "None."),
        Segment("loyal", "Loyal", "忠诚", "Three quarters of the net revenue or more is of one brand.",
                "单一品牌占净收入四分之三以上。", "top_brand_share >= 0.75", "Keep that brand in stock."),
        Segment("leaning", "Leaning", "偏好", "Half of the net revenue or more is of one brand.",
                "单一品牌占净收入一半以上。", "top_brand_share >= 0.5", "Offers of that brand."),
        Segment("switching", "Switching", "游移", "No brand has half.", "无品牌过半。", "true", "Offers of any brand."),
    ),
)  # fmt: skip

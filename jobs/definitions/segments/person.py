"""Schemes over who somebody is: demography, place, way of life."""

from __future__ import annotations

from jobs.definitions.segments.scheme import Scheme, Segment, untold

_YOUNG = "age_group IN ('under_25', '25_to_34')"
UNDER_45 = "age_group IN ('under_25', '25_to_34', '35_to_44')"

DEMOGRAPHIC = Scheme(
    "demographic", "Demography", "人口特征", "Age and household.", "年龄与家庭。",
    "concat('age group ', coalesce(age_group, 'unknown'), ', household of ', coalesce(CAST(household_size AS STRING), "
    "'unknown size'), ', children ', coalesce(CAST(kids_count AS STRING), 'unknown'))",
    (
        Segment("senior", "Senior", "长者", "65 or older.", "65岁及以上。", "age_group = '65_and_over'",
                "Quiet hours, delivery."),
        Segment("young_family", "Young family", "年轻家庭", "Children, and younger than 45.", "有子女且不满45岁。",
                f"kids_count >= 1 AND {UNDER_45}", "Children's menus, weekends."),
        Segment("family", "Family", "家庭", "Children, and 45 or older or of unknown age.",
                "有子女，年满45岁或年龄未知。", "kids_count >= 1", "Family sizes."),
        Segment("young_single", "Young single", "年轻单身", "Lives alone, younger than 35.", "独居且不满35岁。",
                f"household_size = 1 AND {_YOUNG}", "Small sizes, by app."),
        Segment("single", "Single", "单身", "Lives alone.", "独居。", "household_size = 1", "Small sizes."),
        Segment("couple", "Couple", "双人家庭", "A household of two without children.", "无子女的两人家庭。",
                "household_size = 2", "Menus for two."),
        Segment("shared_household", "Shared household", "多人同住", "Three or more, no children known.",
                "三人及以上，未知有子女。", "household_size >= 3", "Sizes to share."),
        Segment("young_adult", "Young adult", "年轻人", "Younger than 35, household unknown.",
                "不满35岁，家庭情况未知。", _YOUNG, "By app."),
        Segment("adult", "Adult", "成年人", "35 or older, household unknown.", "35岁及以上，家庭情况未知。",
                "age_group IS NOT NULL", "None."),
        untold("Neither age nor household is known.", "年龄与家庭均未知。"),
    ),
)  # fmt: skip

_TIER = "lower(home_store_city_tier)"

GEOGRAPHIC = Scheme(
    "geographic", "Geography", "地理", "Tier of the city of the home store; region and climate are features and tags.",
    "常去门店所在城市的等级。",
    "concat('home store in ', coalesce(home_store_city, 'an unknown city'), ', ', coalesce(home_store_region, "
    "'unknown region'), ', city tier ', coalesce(home_store_city_tier, 'unknown'), ', climate ', "
    "coalesce(home_store_climate, 'unknown'))",
    (
        Segment("first_tier_city", "First-tier city", "一线城市", "Shops in a city of tier 1.", "常在一线城市消费。",
                f"{_TIER} IN ('1', 'tier_1', 'first')", "New formats first."),
        Segment("new_first_tier_city", "New first-tier city", "新一线城市", "Shops in a city of tier new 1.",
                "常在新一线城市消费。", f"{_TIER} IN ('new_1', 'new_tier_1', '1.5')", "New formats next."),
        Segment("second_tier_city", "Second-tier city", "二线城市", "Shops in a city of tier 2.", "常在二线城市消费。",
                f"{_TIER} IN ('2', 'tier_2', 'second')", "What works in the first tier."),
        Segment("lower_tier_city", "Lower-tier city", "下沉市场", "Shops in a city of another tier.",
                "常在其他等级城市消费。", "home_store_city_tier IS NOT NULL", "Price and trust."),
        Segment("city_of_unknown_tier", "City of unknown tier", "等级未知城市",
                "Shops in a known city or region without a tier.", "城市或地区已知，等级未知。",
                "home_store_city IS NOT NULL OR home_store_region IS NOT NULL", "Set city_tiers in regulars.toml."),
        untold("No home store, or of unknown place.", "无常去门店，或其位置未知。"),
    ),
)  # fmt: skip

#: what somebody says of the own way of life, as a code: ``Young mother`` is ``young_mother``
DECLARED_LIFESTYLE = "replace(lower(trim(declared_lifestyle)), ' ', '_')"
#: the same as third parties say
_ATTRIBUTED_LIFESTYLE = "replace(lower(trim(attributed_lifestyle)), ' ', '_')"


def _lifestyle(code: str, label_en: str, label_zh: str, inferred: tuple[str, str, str], action: str) -> Segment:
    """A way of life: declared, or said by third parties or seen in behaviour where nothing is declared."""
    words_en, words_zh, condition = inferred
    said = f"{DECLARED_LIFESTYLE} = '{code}' OR (declared_lifestyle IS NULL AND {_ATTRIBUTED_LIFESTYLE} = '{code}')"
    seen = f" OR (declared_lifestyle IS NULL AND attributed_lifestyle IS NULL AND {condition})"
    return Segment(code, label_en, label_zh, f"Says so, or third parties do, or: {words_en}",
                   f"本人或第三方如此表示，或：{words_zh}", said + seen, action)  # fmt: skip


LIFESTYLE = Scheme(
    "lifestyle", "Way of life", "生活方式", "As declared; else as third parties say or behaviour shows "
    "(lifestyle_basis says which).", "以本人声明为准，否则按第三方或行为推断（见lifestyle_basis）。",
    "concat('declared ', coalesce(declared_lifestyle, 'nothing'), ', third parties ', coalesce(attributed_lifestyle, "
    "'nothing'), ', late night ', coalesce(CAST(late_night_share AS STRING), 'none'), ', delivery ', "
    "coalesce(CAST(delivery_share AS STRING), 'none'), ', groups on weekends ', "
    "coalesce(CAST(weekend_group_share AS STRING), 'none'))",
    (
        _lifestyle("urban_young_parent", "Urban young parent", "都市年轻父母",
                   ("children and younger than 45.", "有子女且不满45岁。", f"kids_count >= 1 AND {UNDER_45}"),
                   "Quick meals, children's offers."),
        _lifestyle("young_mother", "Young mother", "年轻妈妈",
                   ("mostly things for babies, younger than 45.", "主要购买母婴用品且不满45岁。",
                    f"lower(top_category) LIKE '%baby%' AND {UNDER_45}"), "Things for babies."),
        _lifestyle("overtime_worker", "Overtime worker", "加班族",
                   ("two in five orders late at night, mostly on weekdays.", "四成以上订单在工作日深夜。",
                    "late_night_share >= 0.4 AND weekend_share < 0.4"), "Late delivery."),
        _lifestyle("fresh_food_lover", "Fresh-food lover", "生鲜爱好者",
                   ("most net revenue is of fresh food.", "净收入以生鲜为主。",
                    "regexp_like(lower(top_department), 'produce|fresh|fruit|vegetable|meat|seafood')"),
                   "What came in today."),
        _lifestyle("homemaker", "Homemaker", "持家者",
                   ("a household of three or more, large baskets on weekdays.", "三口以上之家，工作日大篮购物。",
                    "household_size >= 3 AND average_items >= 10 AND weekend_share < 0.4"), "Large sizes."),
        _lifestyle("professional", "Professional", "职场人士",
                   ("half of the orders at weekday lunch.", "半数以上订单为工作日午餐。",
                    "weekday_lunch_share >= 0.5"), "Pre-order, no queue."),
        _lifestyle("senior", "Senior", "长者", ("65 or older.", "65岁及以上。", "age_group = '65_and_over'"),
                   "Quiet hours, delivery."),
        _lifestyle("single", "Single", "单身",
                   ("lives alone, or four in five orders are for one.", "独居，或八成以上订单为一人。",
                    "(household_size = 1 OR solo_share >= 0.8)"), "Small sizes."),
        _lifestyle("fashion_follower", "Fashion follower", "时尚追随者",
                   ("most net revenue is of clothes.", "净收入以服饰为主。",
                    "regexp_like(lower(top_category), 'fashion|apparel|cloth|shoe')"), "What is new this week."),
        _lifestyle("digital_hobbyist", "Digital hobbyist", "数码爱好者",
                   ("most net revenue is of electronics.", "净收入以数码为主。",
                    "regexp_like(lower(top_category), 'electronic|digital|computer|phone|game')"),
                   "Specifications, early access."),
        Segment("another", "Another", "其他", "Declared or said by third parties, and none of the above.",
                "有声明或第三方说法，但不属于以上各类。",
                "coalesce(declared_lifestyle, attributed_lifestyle) IS NOT NULL", "Read what they say."),
        untold("Nothing is declared or said, and behaviour shows none.", "无声明，行为亦无体现。"),
    ),
    basis="CASE WHEN declared_lifestyle IS NOT NULL THEN 'declared' WHEN lifestyle_segment = 'unknown' THEN 'unknown' "
    "ELSE 'inferred' END",
)  # fmt: skip

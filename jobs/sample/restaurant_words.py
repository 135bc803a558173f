"""Words, dishes and habits that the generated restaurant chain is made of."""

from __future__ import annotations

import numpy as np

ARCHETYPES = ("loyal_high_value", "occasional_trier", "family_diner", "office_quick_lunch")
ARCHETYPE_SHARES = (0.15, 0.45, 0.20, 0.20)
#: visits a day of an average person of each archetype
RATES = np.array([0.24, 0.015, 0.06, 0.28])
#: share of those who stop coming for good
CHURN_SHARES = np.array([0.12, 0.35, 0.20, 0.25])
#: archetype x weekday, Monday first: how much more or less often than on average
WEEKDAYS = np.array(
    [
        [1.0, 1.0, 1.0, 1.0, 1.1, 1.0, 0.9],
        [0.8, 0.8, 0.8, 0.9, 1.2, 1.4, 1.1],
        [0.2, 0.2, 0.2, 0.2, 0.8, 2.8, 2.6],
        [1.4, 1.4, 1.4, 1.4, 1.3, 0.05, 0.05],
    ]
)
#: minute of the day at which breakfast, lunch, afternoon, evening and late night begin and end
DAYPART_STARTS = np.array([420, 660, 840, 1020, 1260])
DAYPART_ENDS = np.array([660, 840, 1020, 1260, 1555])
#: archetype x (weekday, weekend) x daypart
DAYPARTS = np.array(
    [
        [[0.05, 0.30, 0.10, 0.40, 0.15], [0.05, 0.30, 0.15, 0.40, 0.10]],
        [[0.05, 0.30, 0.15, 0.35, 0.15], [0.05, 0.30, 0.20, 0.30, 0.15]],
        [[0.02, 0.18, 0.10, 0.68, 0.02], [0.03, 0.45, 0.12, 0.39, 0.01]],
        [[0.06, 0.86, 0.02, 0.04, 0.02], [0.05, 0.45, 0.20, 0.25, 0.05]],
    ]
)
#: archetype x people at the table from 1 to 6
PARTIES = np.array(
    [
        [0.35, 0.40, 0.15, 0.10, 0.00, 0.00],
        [0.30, 0.40, 0.20, 0.10, 0.00, 0.00],
        [0.00, 0.05, 0.35, 0.35, 0.15, 0.10],
        [0.80, 0.17, 0.03, 0.00, 0.00, 0.00],
    ]
)
DINE_IN = np.array([0.70, 0.60, 0.92, 0.45])
PROMOTED = np.array([0.08, 0.40, 0.25, 0.18])
#: archetype x ratings 1 to 5
RATINGS = np.array(
    [
        [0.02, 0.04, 0.12, 0.34, 0.48],
        [0.08, 0.12, 0.30, 0.30, 0.20],
        [0.04, 0.08, 0.20, 0.36, 0.32],
        [0.05, 0.10, 0.30, 0.35, 0.20],
    ]
)

CATEGORIES = ("noodles", "rice", "grill", "hotpot", "dim_sum", "set_meal", "dessert", "drinks")
DEPARTMENTS = ("mains", "mains", "mains", "mains", "sides", "sets", "sides", "drinks")
#: archetype x category
TASTES = np.array(
    [
        [0.18, 0.10, 0.20, 0.16, 0.12, 0.04, 0.06, 0.14],
        [0.20, 0.18, 0.12, 0.06, 0.10, 0.16, 0.06, 0.12],
        [0.08, 0.12, 0.22, 0.20, 0.12, 0.06, 0.10, 0.10],
        [0.30, 0.24, 0.03, 0.00, 0.04, 0.27, 0.01, 0.11],
    ]
)
#: category -> dishes and the price in yuan of the first of them
DISHES: dict[str, tuple[int, tuple[str, ...]]] = {
    "noodles": (26, ("牛肉面", "担担面", "炸酱面", "阳春面", "油泼面", "热干面", "刀削面", "酸辣粉")),
    "rice": (24, ("扬州炒饭", "煲仔饭", "咖喱鸡饭", "卤肉饭", "叉烧饭", "鳗鱼饭")),
    "grill": (48, ("烤羊排", "烤鱼", "羊肉串", "烤茄子", "烤鸡翅", "烤生蚝")),
    "hotpot": (88, ("鸳鸯锅", "牛油锅", "番茄锅", "菌菇锅")),
    "dim_sum": (18, ("小笼包", "虾饺", "烧卖", "春卷", "锅贴", "肠粉")),
    "set_meal": (32, ("工作日套餐A", "工作日套餐B", "双人套餐", "家庭套餐", "儿童套餐")),
    "dessert": (14, ("杏仁豆腐", "芒果布丁", "红豆汤", "双皮奶")),
    "drinks": (9, ("酸梅汤", "豆浆", "乌龙茶", "柠檬茶", "青岛啤酒", "可乐")),
}
BRANDS = ("和味", "和味", "和味", "山城", "江南", "快餐线", "甜铺", "饮品")

#: city, province, tier, climate
CITIES = (
    ("上海", "上海", "tier_1", "humid_subtropical"),
    ("北京", "北京", "tier_1", "humid_continental"),
    ("深圳", "广东", "tier_1", "humid_subtropical"),
    ("成都", "四川", "new_tier_1", "humid_subtropical"),
    ("杭州", "浙江", "new_tier_1", "humid_subtropical"),
    ("西安", "陕西", "new_tier_1", "semi_arid"),
    ("哈尔滨", "黑龙江", "tier_2", "humid_continental"),
    ("昆明", "云南", "tier_2", "subtropical_highland"),
    ("洛阳", "河南", "tier_3", "humid_continental"),
)
STREETS = ("南京路", "中山路", "人民路", "解放路", "建设路", "和平路", "文化路", "新华路")

SURNAMES = tuple(
    pair.split(":")
    for pair in [
        "王:wang",
        "李:li",
        "张:zhang",
        "刘:liu",
        "陈:chen",
        "杨:yang",
        "黄:huang",
        "赵:zhao",
        "吴:wu",
        "周:zhou",
        "徐:xu",
        "孙:sun",
        "马:ma",
        "朱:zhu",
        "胡:hu",
        "郭:guo",
        "何:he",
        "林:lin",
        "高:gao",
        "罗:luo",
        "郑:zheng",
        "梁:liang",
        "谢:xie",
        "宋:song",
        "唐:tang",
        "许:xu",
        "邓:deng",
        "韩:han",
        "冯:feng",
        "曹:cao",
        "彭:peng",
        "曾:zeng",
        "肖:xiao",
        "田:tian",
        "董:dong",
        "潘:pan",
        "袁:yuan",
        "蔡:cai",
        "蒋:jiang",
        "余:yu",
    ]
)
GIVEN = tuple(
    pair.split(":")
    for pair in [
        "伟:wei",
        "芳:fang",
        "娜:na",
        "敏:min",
        "静:jing",
        "丽:li",
        "强:qiang",
        "磊:lei",
        "洋:yang",
        "艳:yan",
        "勇:yong",
        "军:jun",
        "杰:jie",
        "娟:juan",
        "涛:tao",
        "明:ming",
        "超:chao",
        "霞:xia",
        "平:ping",
        "刚:gang",
        "桂:gui",
        "文:wen",
        "辉:hui",
        "玲:ling",
        "浩:hao",
        "宇:yu",
        "欣:xin",
        "怡:yi",
        "子:zi",
        "涵:han",
        "梓:zi",
        "萱:xuan",
        "晨:chen",
        "雨:yu",
        "佳:jia",
        "思:si",
        "俊:jun",
        "博:bo",
        "诗:shi",
        "琪:qi",
    ]
)
EDUCATIONS = ("high_school", "college", "bachelor", "master")
OCCUPATIONS = ("office_worker", "teacher", "engineer", "nurse", "driver", "student", "homemaker", "retired")
INCOMES = ("under_5k", "5k_10k", "10k_20k", "over_20k")
MARITAL = ("single", "married")
ACQUISITIONS = ("store", "friend", "social", "delivery_platform")
LIFESTYLES = (
    "urban_young_parent",
    "overtime_worker",
    "fresh_food_lover",
    "homemaker",
    "single",
    "senior",
    "professional",
    "fashion_follower",
    "digital_hobbyist",
    "young_mother",
)
INTERESTS = ("noodles", "grill", "hotpot", "desserts", "tea", "health", "travel", "games")
CAMPAIGN_KINDS = ("win_back", "trial", "upgrade", "family_weekend")

#: rating -> what people wrote
COMMENTS = {
    1: ("等了四十分钟，菜还是凉的。", "Found a hair in my noodles.", "服务员态度很差。"),
    2: ("味道偏咸，上菜慢。", "The set meal has become smaller.", "桌子没有擦干净。"),
    3: ("味道一般，价格还可以。", "It was all right.", "和上次差不多。"),
    4: ("牛肉面不错，会再来。", "Quick lunch and good value.", "环境干净，孩子喜欢。"),
    5: ("非常好吃，服务也周到！", "Best noodles in the neighbourhood.", "全家都很满意。"),
}

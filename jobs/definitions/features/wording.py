"""What a note sounds like and is about, by small lexicons in English and Chinese, as SQL over ``text``.

After the counting of opinion words (Hu and Liu 2004): those for, those against, and what a negation before them turns
round; one of -1, 0, 1 per note, null where no opinion word is found. Nothing is downloaded, and nothing but the number
and the name of a topic leaves the clean table.
"""

from __future__ import annotations

_FOR = (
    "good", "great", "excellent", "nice", "lovely", "delicious", "tasty", "fresh", "friendly", "helpful", "polite",
    "kind", "quick", "fast", "clean", "cozy", "cheap", "love", "loved", "like", "liked", "perfect", "wonderful",
    "amazing", "best", "thank", "thanks", "recommend", "happy", "pleased", "satisfied", "favorite", "favourite",
    "quickly",
)  # fmt: skip
_AGAINST = (
    "bad", "awful", "terrible", "horrible", "worst", "poor", "cold", "stale", "rude", "unfriendly", "slow", "late",
    "dirty", "expensive", "overpriced", "wrong", "missing", "broken", "burnt", "bland", "disgusting", "disappointed",
    "disappointing", "never again", "refund", "complain", "complaint", "unhappy", "hate", "hated", "sick", "tired",
    "expired", "past its date", "out of stock", "charged twice",
)  # fmt: skip
_NOT = (
    "(?:not|never|no|isn't|wasn't|aren't|weren't|don't|didn't|cannot|can't) (?:very |really |so |that |too |at all )?"
)
_FOR_ZH = (
    "满意",
    "喜欢",
    "推荐",
    "好吃",
    "美味",
    "新鲜",
    "干净",
    "热情",
    "周到",
    "便宜",
    "很快",
    "很棒",
    "不错",
    "赞",
    "好评",
    "很好",
)
_AGAINST_ZH = (
    "差评", "难吃", "太慢", "很慢", "太贵", "很贵", "脏", "冷漠", "凉了", "变质", "失望",
    "投诉", "退款", "恶心", "很差", "太差", "漏送",
    "糟糕",
)  # fmt: skip
_NOT_ZH = "(?:不太|不够|不是很|不怎么|不|没有|没)"
_TURNED_ZH = ("满意", "喜欢", "推荐", "好吃", "新鲜", "干净", "热情", "周到", "便宜", "好")

#: topic -> what a note about it says
TOPICS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "service": (("service", "staff", "waiter", "waitress", "manager", "cashier", "rude", "friendly", "polite"),
                ("服务", "店员", "态度", "热情", "冷漠")),
    "food": (("food", "dish", "dishes", "taste", "tasty", "flavour", "flavor", "noodles", "soup", "meal", "fresh",
              "stale", "delicious", "milk", "bread", "produce"),
             ("味道", "口味", "菜", "好吃", "难吃", "新鲜", "变质")),
    "price": (("price", "prices", "expensive", "overpriced", "cheap", "value", "offer", "offers", "deals", "charged"),
              ("价格", "贵", "便宜", "性价比", "优惠")),
    "speed": (("slow", "wait", "waited", "waiting", "queue", "lines", "checkout", "quick", "quickly", "fast"),
              ("太慢", "很慢", "排队", "等了", "很快")),
    "selection": (("selection", "assortment", "stock", "range"), ("品种", "缺货", "断货", "选择")),
    "cleanliness": (("clean", "dirty", "hygiene", "toilet"), ("干净", "脏", "卫生")),
    "delivery": (("delivery", "delivered", "courier", "rider", "packaging", "late", "missing"),
                 ("外卖", "配送", "骑手", "包装", "漏送")),
}  # fmt: skip


def _any(english: tuple[str, ...], chinese: tuple[str, ...], before: str = "", before_zh: str = "") -> str:
    """A pattern, as an SQL literal; a negation stands before each word if given."""
    pattern = rf"(?i)\b{before}(?:{'|'.join(english)})\b|{before_zh}(?:{'|'.join(chinese)})"
    return "'" + pattern.replace("\\", "\\\\").replace("'", "\\'") + "'"


_TURNED_GOOD = _any(_FOR, _TURNED_ZH, _NOT, _NOT_ZH)
_TURNED_BAD = _any(_AGAINST, _AGAINST_ZH, _NOT, _NOT_ZH)
#: 不错 is praise, though it looks like a negation
_PLAIN = f"regexp_replace(regexp_replace(text, {_TURNED_GOOD}, ' '), {_TURNED_BAD}, ' ')"
_GOOD = f"(regexp_count({_PLAIN}, {_any(_FOR, _FOR_ZH)}) + regexp_count(text, {_TURNED_BAD}))"
_BAD = f"(regexp_count({_PLAIN}, {_any(_AGAINST, _AGAINST_ZH)}) + regexp_count(text, {_TURNED_GOOD}))"

#: -1 against, 0 as much for as against, 1 for; null where nothing tells
SENTIMENT = f"CASE WHEN {_GOOD} + {_BAD} > 0 THEN CAST(sign({_GOOD} - {_BAD}) AS INT) END"


def _topic() -> str:
    counts = {name: f"regexp_count(text, {_any(*words)})" for name, words in TOPICS.items()}
    most = f"greatest({', '.join(counts.values())})"
    cases = " ".join(f"WHEN {count} = {most} THEN '{name}'" for name, count in counts.items())
    return f"CASE WHEN {most} > 0 THEN CASE {cases} END END"


#: what a note says most of; of equals the first of :data:`TOPICS`
TOPIC = _topic()

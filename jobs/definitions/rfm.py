"""RFM: scores, the full map of all 125 cells, and the eight classes of high and low.

The map is the one of ``definitions.md``, every cell exactly once (a test counts them).
"""

from __future__ import annotations

CELLS: dict[str, str] = {
    "champions": "555 554 544 545 454 455 445",
    "loyal": "543 444 435 355 354 345 344 335",
    "potential_loyalist": "553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 "
    "353 352 351 342 341 333 323",
    "new_customers": "512 511 422 421 412 411 311",
    "promising": "525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313",
    "need_attention": "535 534 443 434 343 334 325 324",
    "about_to_sleep": "331 321 312 221 213 231 241 251",
    "at_risk": "255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125 124",
    "cannot_lose_them": "155 154 144 214 215 115 114 113",
    "hibernating": "332 322 233 232 223 222 132 123 122 212 211",
    "lost": "111 112 121 131 141 151",
}

#: (recency is high, frequency is high, money is high) -> class, as Chinese analysts name them
EIGHT: dict[tuple[bool, bool, bool], str] = {
    (True, True, True): "important_value",
    (True, False, True): "important_develop",
    (False, True, True): "important_keep",
    (False, False, True): "important_win_back",
    (True, True, False): "general_value",
    (True, False, False): "general_develop",
    (False, True, False): "general_keep",
    (False, False, False): "general_win_back",
}

#: what rules may ask for beside the features: column -> SQL type
SCORES = {
    "recency_score": "INT", "frequency_score": "INT", "monetary_score": "INT", "rfm_cell": "STRING",
    "is_recent": "BOOLEAN", "is_frequent": "BOOLEAN", "is_big": "BOOLEAN", "recency_median": "INT",
    "frequency_median": "INT", "monetary_median": "STRING",
}  # fmt: skip

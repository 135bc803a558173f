"""Words that the grocer's invented values are made of."""

from __future__ import annotations

FIRST_NAMES = {
    "female": (
        "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty Sandra "
        "Margaret Ashley Kimberly Emily Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca "
        "Sharon Laura Cynthia Dorothy Amy Kathleen Angela Shirley Emma Brenda Pamela Nicole Anna Samantha"
    ).split(),
    "male": (
        "James Robert John Michael David William Richard Joseph Thomas Christopher Charles Daniel Matthew "
        "Anthony Mark Donald Steven Andrew Paul Joshua Kenneth Kevin Brian Timothy Ronald George Jason "
        "Edward Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon"
    ).split(),
}
LAST_NAMES = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez "
    "Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark "
    "Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams "
    "Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker "
    "Cruz Edwards Collins Reyes"
).split()
STREETS = (
    "Main Oak Pine Maple Cedar Elm Washington Lake Hill Walnut Spring North Ridge Church Willow Mill "
    "Sunset Railroad Jefferson River Center Park Meadow Forest Highland Dogwood Jackson Chestnut Locust "
    "Franklin"
).split()
STREET_KINDS = ("St", "Ave", "Rd", "Dr", "Ln", "Ct")
MAIL_HOSTS = ("example.com", "example.org", "example.net")

#: city, region, tier, climate: cities that keep New York's time, so that the chain has one time zone
CITIES = (
    ("Columbus", "Ohio", "tier_1", "humid_continental"),
    ("Cleveland", "Ohio", "tier_1", "humid_continental"),
    ("Cincinnati", "Ohio", "tier_1", "humid_subtropical"),
    ("Toledo", "Ohio", "tier_2", "humid_continental"),
    ("Akron", "Ohio", "tier_2", "humid_continental"),
    ("Dayton", "Ohio", "tier_2", "humid_continental"),
    ("Athens", "Ohio", "tier_3", "humid_continental"),
    ("Louisville", "Kentucky", "tier_1", "humid_subtropical"),
    ("Lexington", "Kentucky", "tier_2", "humid_subtropical"),
    ("Covington", "Kentucky", "tier_3", "humid_subtropical"),
    ("Detroit", "Michigan", "tier_1", "humid_continental"),
    ("Grand Rapids", "Michigan", "tier_2", "humid_continental"),
    ("Saginaw", "Michigan", "tier_3", "humid_continental"),
    ("Charleston", "West Virginia", "tier_3", "humid_subtropical"),
    ("Huntington", "West Virginia", "tier_3", "humid_subtropical"),
    ("Richmond", "Virginia", "tier_2", "humid_subtropical"),
)

#: area codes around these states; with 555-01xx behind them nobody has the number
AREA_CODES = (
    "216 220 234 330 380 419 440 513 567 614 740 937 270 364 502 606 859 219 260 317 463 574 765 812 "
    "930 231 248 269 313 517 586 616 734 810 906 947 989 304 681 215 267 272 412 484 570 610 717 724 "
    "814 878 276 434 540 571 703 757 804 252 336 704"
).split()

PHONE_SPELLINGS = ("({0}) {1}-{2}", "{0}.{1}.{2}", "1-{0}-{1}-{2}", "{0} {1} {2}", "+1 ({0}) {1}-{2}")

#: rating -> what people wrote
COMMENTS = {
    1: (
        "Charged twice for the same item and nobody could help.",
        "The milk was past its date.",
        "Forty minutes at the checkout, two lanes open.",
    ),
    2: (
        "The offer on the shelf was not taken off at the register.",
        "Produce looked tired today.",
        "Out of stock again on what I came for.",
    ),
    3: ("It was fine.", "Good prices, long lines.", "Parking lot was full but staff were friendly."),
    4: ("Quick and friendly.", "Nice selection of bread.", "Happy with the weekly deals."),
    5: (
        "My favorite store.",
        "Great produce and very kind cashier.",
        "Found everything quickly.",
    ),
}

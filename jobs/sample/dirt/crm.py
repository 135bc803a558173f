"""Kinds of defect in the CRM's tables."""

from __future__ import annotations

from collections.abc import Callable

from jobs.sample.dirt.kind import (
    DUPLICATE,
    FULL_WIDTH,
    REPORTED,
    Change,
    Copy,
    Expected,
    Gap,
    Kind,
    Row,
    harmless,
    nothing,
    put,
    quarantined,
)

#: added to an id so that nobody else has it
_APART = 50_000_000
FORMULA = '=HYPERLINK("http://example.com","win")'
MARKUP = "<script>alert(1)</script>"


def _member(name: str, says: str, damage: Change | Copy, expected: Expected, *, structural: bool = True) -> Kind:
    return Kind(name, "crm.members", says, damage, expected, is_structural=structural)


def _fails(*rules: str) -> Expected:
    return quarantined(*(f"customers.{rule}" for rule in rules))


def _second_record(row: Row) -> None:
    """Another id and card of the same person."""
    row["member_id"] += _APART
    row["card_number"] = f"77{row['member_id']:010d}"


def _apart(column: str, damage: Change, times: int = 1) -> Callable[[Row], None]:
    """A row of its own, that nothing refers to, with a damage: its rejection has no consequences.

    Where an id stands on several rows, ``times`` keeps two kinds that strike two of them apart.
    """

    def change(row: Row) -> None:
        row[column] += times * _APART
        damage.apply(row)

    return change


def _mojibake(said: str) -> str:
    return said.encode().decode("latin-1")


MEMBERS = (
    _member("email_as_city", "An e-mail address where the city belongs.", put("city", "a@b.example"),
            _fails("city.no_contact"), structural=False),
    Kind("email_spelled_out_as_city", "crm.members", "An address spelled out, where the city belongs.",
         put("city", "anna (at) b dot example"), _fails("city.no_contact"), is_structural=False,
         gap=Gap("an address is known by its @; words for it pass as free text")),
    _member("email_as_occupation", "An e-mail address where the occupation belongs.",
            put("occupation", "a@b.example"), _fails("occupation.no_contact"), structural=False),
    _member("phone_as_gender", "A phone number where the gender belongs.", put("gender", "138 0000 1234"),
            _fails("gender.no_contact"), structural=False),
    Kind("phone_within_occupation", "crm.members", "A phone number among words.",
         put("occupation", "cook, 138 0000 1234"), _fails("occupation.no_contact"), is_structural=False,
         gap=Gap("digits count as a phone number where they stand alone; among words they may be anything")),
    _member("birth_year_in_words", "Words for a year of birth.", put("birth_year", "old"),
            _fails("birth_year.readable")),
    _member("birth_year_1850", "Born in 1850.", put("birth_year", 1850), _fails("birth_year.in_range")),
    _member("birth_year_2090", "Born in 2090.", put("birth_year", 2090), _fails("birth_year.in_range")),
    _member("birth_month_13", "Born in the 13th month.", put("birth_month", 13), _fails("birth_month.in_range")),
    _member("consent_unclear", "A consent that is neither yes nor no.", put("profiling_consent", "perhaps"),
            _fails("profiling_consent.readable")),
    _member("registered_on_no_day", "A day that never was.", put("registered_at", "2026-02-30"),
            _fails("registered_at.readable")),
    _member("change_in_words", "Words for the date of change.", put("updated_at", "lately"),
            _fails("updated_at.readable")),
    _member("change_date_missing", "No date of change: read every night, known once.", put("updated_at", None),
            harmless()),
    Kind("member_without_id", "crm.members", "A member without an id.", put("member_id", None),
         _fails("source_customer_id.present"), key=("registered_at",)),
    _member("member_email_without_at", "An e-mail address without its @: kept, and no link.",
            put("email", "nobody.example.com"), harmless()),
    _member("member_phone_with_letters", "Letters in a phone number: kept, and no link.", put("phone", "138-CALL-NOW"),
            harmless()),
    _member("member_phone_full_width", "Full-width digits in a phone number: the same phone.",
            put("phone", lambda said: said.translate(FULL_WIDTH)), harmless()),
    _member("formula_as_member_name", "A spreadsheet formula as a person's name.", put("full_name", FORMULA),
            harmless()),
    _member("city_in_blanks", "Blanks around the city.", put("city", lambda said: f"  {said} "),
            harmless("customers.city")),
    Kind("city_mojibake", "crm.members", "A city whose bytes were read in the wrong encoding.", put("city", _mojibake),
         REPORTED, is_structural=False, gap=Gap("nothing tells it from a foreign name; it is kept as it came")),
    _member("member_repeated", "The same record twice.", Copy("", nothing), DUPLICATE),
    _member("member_twice", "A second record of a person, with another id and card.", Copy("member_id", _second_record),
            Expected("linked"), structural=False),
)  # fmt: skip

FEEDBACK = tuple(
    Kind(name, "crm.feedback", says, damage, expected, is_structural=structural, key=key)
    for name, says, damage, expected, structural, key in (
        ("rating_6", "Six stars of five.", put("rating", 6), quarantined("feedback.rating.in_range"), True, None),
        ("rating_9", "Nine stars of five.", put("rating", 9), quarantined("feedback.rating.in_range"), True, None),
        ("rating_in_words", "Words for a rating.", put("rating", "good"), quarantined("feedback.rating.readable"),
         True, None),
        ("feedback_of_1999", "A note older than the chain.", put("given_at", "1999-12-31"),
         quarantined("feedback.given_at.plausible"), True, None),
        ("feedback_without_id", "A note without an id.", put("feedback_id", None),
         quarantined("feedback.feedback_id.present"), True, ("order_id",)),
        ("email_as_feedback_order", "An e-mail address where the order belongs.", put("order_id", "a@b.example"),
         quarantined("feedback.order_id.no_contact"), False, None),
        ("phone_in_comment", "A phone number in a comment: comments stay below clean/.",
         put("comment", "call me: 138 0000 1234"), harmless("feedback.text", "call me: 138 0000 1234"), False, None),
    )
)  # fmt: skip

REDEMPTIONS = (
    Kind("redeemed_some_time", "crm.redemptions", "Words for the time of a redemption.",
         put("redeemed_at", "some time"), quarantined("coupon_redemptions.redeemed_at.readable")),
    Kind("redeemed_by_nobody", "crm.redemptions", "A redemption without a member.", put("member_id", None),
         quarantined("coupon_redemptions.source_customer_id.present")),
    Kind("redeemed_unknown_coupon", "crm.redemptions", "A redemption of a coupon that nobody declared.",
         put("coupon_id", 999_999), quarantined("coupon_redemptions.coupon_id.resolves")),
    Kind("coupon_of_unknown_campaign", "crm.coupons", "A coupon of a campaign that nobody declared.",
         Copy("campaign_id", _apart("coupon_id", put("campaign_id", 999_999))),
         quarantined("coupons.campaign_id.resolves")),
)  # fmt: skip

MASTER_DATA = (
    Kind("campaign_cost_negative", "crm.campaigns", "A campaign that costs less than nothing.",
         Copy("cost", _apart("campaign_id", put("cost", "-1.00"))), quarantined("campaigns.cost.in_range")),
    Kind("campaign_starts_on_no_day", "crm.campaigns", "A campaign that starts on a day that never was.",
         Copy("starts_on", _apart("campaign_id", put("starts_on", "2026-06-31"))),
         quarantined("campaigns.starts_on.readable")),
    Kind("holdout_unclear", "crm.campaign_members", "Held out or not, who knows.", put("is_holdout", "maybe"),
         quarantined("campaign_members.is_holdout.readable")),
    Kind("coupon_worth_words", "crm.coupons", "Words for the worth of a coupon.",
         Copy("face_value", _apart("coupon_id", put("face_value", "a lot"), 2)),
         quarantined("coupons.face_value.readable")),
    Kind("product_set_meal_unclear", "crm.products", "A set meal or not, who knows.",
         Copy("is_set_meal", _apart("product_id", put("is_set_meal", "maybe"))),
         quarantined("products.is_set_meal.readable")),
    Kind("markup_as_product_name", "crm.products", "Markup as the name of a product: inert text.",
         put("name", MARKUP), harmless("products.name", MARKUP)),
    Kind("formula_as_store_name", "crm.stores", "A spreadsheet formula as the name of a store: inert text.",
         put("name", FORMULA), harmless("stores.name", FORMULA)),
    Kind("store_in_no_zone", "crm.stores", "A store in a time zone that there is not.",
         Copy("time_zone", _apart("store_id", put("time_zone", "Mars/Olympus"))),
         quarantined("stores.time_zone.known")),
)  # fmt: skip

KINDS = (*MEMBERS, *FEEDBACK, *REDEMPTIONS, *MASTER_DATA)

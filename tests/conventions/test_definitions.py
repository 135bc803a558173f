"""What is declared: described, named by one grammar, and everything that contract.md promises."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from expectations import structural
from jobs import dictionary
from jobs.definitions import canonical, clean, rfm, segments
from jobs.definitions.features import FEATURES, VIEWS, Feature
from jobs.definitions.features.windows import bounds
from jobs.definitions.model import Column
from jobs.definitions.published import BY_NAME, TABLES
from tests.spark.history import EXPECTED

ROOT = Path(__file__).parents[2]

#: table -> key and columns promised by contract.md, written out so that no change of code can change the promise
PROMISED: dict[str, str] = {
    "customer_segments": "customer_id rfm_segment rfm8_segment recency_score frequency_score monetary_score "
    "lifecycle_stage value_tier churn_risk_band consumption_occasion price_sensitivity channel_preference "
    "category_affinity brand_loyalty behaviour_cluster purchase_topic som_cluster need_segment demographic_segment "
    "geographic_segment lifestyle_segment lifestyle_basis persona predicted_lifecycle_30d is_marketing_allowed "
    "model_version rules_version",
    "customer_features": "customer_id recency_days orders_365d net_revenue_365d gross_margin_365d average_order_value "
    "tenure_days orders_30d orders_90d orders_prev_90d frequency_trend median_gap_days online_share "
    "weekday_lunch_share weekend_share evening_share late_night_share holiday_share preferred_daypart "
    "average_party_size discount_share coupon_order_share refund_share distinct_categories top_category "
    "top_category_share top_product_id top_brand_share home_store_id average_rating complaint_count last_visit_days "
    "sessions_30d",
    "customer_tags": "customer_id tag strength basis reason",
    "customer_value": "customer_id expected_orders_90d expected_orders_365d probability_alive churn_probability_90d "
    "expected_order_value predicted_clv_365d next_order_expected_on",
    "churn_watchlist": "customer_id churn_risk_band reason personal_gap_days days_since_last_order frequency_drop "
    "value_at_risk is_marketing_allowed",
    "segment_memberships": "customer_id scheme valid_from segment segment_key reason rule_version valid_to is_current",
    "segment_migrations": "scheme from_segment to_segment cause previous_snapshot_date customers net_revenue_365d",
    "segment_trend": "scheme segment snapshot_date segment_key customers net_revenue_365d",
    "segment_profiles": "scheme segment segment_key customers customer_share net_revenue_365d revenue_share "
    "average_order_value median_recency_days mean_orders_365d at_risk_customers at_risk_share value_at_risk "
    "top_category top_product_id peak_daypart portrait is_suppressed",
    "segment_profile_features": "scheme segment feature segment_key mean median index_to_all",
    "segment_kpis": "scheme segment segment_key retention_rate_90d repeat_rate_90d new_to_repeat_rate_90d "
    "win_back_rate_90d revenue_growth_90d satisfaction complaint_rate service_response_hours revenue_share "
    "revenue_share_prev",
    "store_demand": "store_id day_type daypart orders_90d net_revenue_90d peak_hour",
    "store_best_sellers": "store_id day_type daypart rank product_id orders_90d net_revenue_90d",
    "store_segment_mix": "store_id day_type daypart scheme segment segment_key orders_90d net_revenue_90d",
    "customer_days": "customer_id business_date store_id channel fulfilment daypart orders net_revenue discount lines",
    "campaign_audiences": "campaign_id customer_id segment_key offer channel valid_days valid_hours test_group reason",
    "campaign_effects": "campaign_id segment_key design treatment_customers holdout_customers treatment_conversion "
    "holdout_conversion treatment_revenue holdout_revenue redemptions absolute_lift relative_lift lift_low lift_high "
    "incremental_revenue cost roi enough_data",
    "campaign_channel_effects": "campaign_id channel contacted opened clicked converted cost",
    "data_quality": "table_name rule_id rule severity rows_checked rows_failed is_passed action",
    "publish_log": "run_id published_at schema_version rules_version model_version currency tax_included status",
    "customer_aliases": "old_customer_id customer_id event effective_on",
    "dim_scheme": "scheme label_en label_zh description_en description_zh kind version",
    "dim_segment": "segment_key scheme segment label_en label_zh description_en description_zh rule_text "
    "suggested_action sort_order is_active",
    "dim_customer": "customer_id age_band gender city region city_tier income_band home_store_id registered_on "
    "acquisition_channel is_marketing_allowed",
    "dim_store": "store_id name region city city_tier climate time_zone is_inferred",
    "dim_product": "product_id name category department brand is_inferred",
    "dim_date": "business_date day_type holiday_name week month quarter year",
    "dim_daypart": "daypart starts_at ends_at sort_order",
    "dim_campaign": "campaign_id name kind starts_on ends_on",
    "customer_crosswalk": "source source_customer_id customer_id valid_from valid_to",
    "customer_identities": "customer_id source source_id_hash linked_by score first_linked_on",
    "identity_ledger": "event_id event old_customer_id new_customer_id occurred_on cause",
}
#: table -> its key, where it is not the first promised name alone
KEYS: dict[str, str] = {
    "segment_memberships": "customer_id scheme valid_from",
    "segment_migrations": "scheme from_segment to_segment cause",
    "segment_trend": "scheme segment snapshot_date",
    "customer_tags": "customer_id tag",
    "segment_profiles": "scheme segment",
    "segment_profile_features": "scheme segment feature",
    "segment_kpis": "scheme segment",
    "store_demand": "store_id day_type daypart",
    "store_best_sellers": "store_id day_type daypart rank",
    "store_segment_mix": "store_id day_type daypart scheme segment",
    "customer_days": "customer_id business_date store_id channel fulfilment daypart",
    "data_quality": "table_name rule_id",
    "customer_identities": "customer_id source source_id_hash",
}
RESTRICTED = {"customer_crosswalk", "customer_identities", "identity_ledger"}

#: promised and not there yet -> the issue that brings it; an entry that has come must be struck out
LATER_TABLES = {
    "campaign_audiences": "campaigns", "campaign_effects": "campaigns", "campaign_channel_effects": "campaigns",
}  # fmt: skip
LATER_COLUMNS: dict[str, dict[str, str]] = {}

#: a feature's name: a quantity, and a window or unit that agrees with its type
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ENDING = {"_share": ("share", "DOUBLE"), "_days": ("days", None), "_trend": ("ratio", "DOUBLE")}


def columns() -> list[tuple[str, Column]]:
    found = [(f"{table.name}.{c.name}", c) for table in TABLES for c in table.columns]
    found += [(f"{entity.name}.{c.name}", c) for entity in canonical.ENTITIES for c in entity.columns]
    return found + [(f"clean {e.name}.{c.name}", c) for e in canonical.ENTITIES for c in clean.columns_of(e)]


def test_every_table_and_column_is_described() -> None:
    assert not [thing.name for thing in (*TABLES, *canonical.ENTITIES) if not thing.description.endswith(".")]
    short = [name for name, column in columns() if len(column.description) < 4]
    assert not short + [name for name, column in columns() if not column.description.endswith(".")]


def test_columns_are_named_once_and_keys_exist() -> None:
    for thing in (*TABLES, *canonical.ENTITIES):
        names = [column.name for column in thing.columns]
        assert len(names) == len(set(names)), thing.name
        assert set(thing.key) <= set(names), thing.name
        assert all(_NAME.fullmatch(name) for name in names), thing.name


def test_every_table_carries_the_snapshot_and_required_keys() -> None:
    for table in TABLES:
        assert table.column("snapshot_date").type == "DATE", table.name
        assert all(table.column(name).required for name in table.key), table.name
    assert len(BY_NAME) == len(TABLES)


def test_references_lead_to_tables_of_the_same_snapshot() -> None:
    for table in TABLES:
        for reference in table.references:
            target = BY_NAME[reference.table]
            assert table.column(reference.column).type == target.column(reference.target).type
            assert target.key == (reference.target,), f"{table.name}.{reference.column}"


def test_feature_names_follow_the_grammar() -> None:
    names = [feature.name for feature in FEATURES]
    assert len(names) == len(set(names))
    for feature in FEATURES:
        assert _NAME.fullmatch(feature.name), feature.name
        assert feature.over in {*VIEWS, "features"}, feature.name
        for ending, (unit, kind) in _ENDING.items():
            if feature.name.endswith(ending):
                assert feature.unit == unit, feature.name
                assert kind in (None, feature.type), feature.name
        window = re.search(r"_(\d+)d$", feature.name)
        if window:
            assert window.group(1) in feature.description, feature.name


def test_every_feature_was_computed_by_hand() -> None:
    assert set(EXPECTED) == {feature.name for feature in FEATURES}
    assert not [name for name, values in EXPECTED.items() if set(values) == {None}]


@pytest.mark.parametrize(
    ("reference", "has_feeds"), [("tests/bench/features.sql", False), ("tests/e2e/grocer_arithmetic.sql", True)]
)
def test_every_feature_is_in_the_references_that_it_is_held_against(reference: str, has_feeds: bool) -> None:
    known = set(re.findall(r"\w+", (ROOT / reference).read_text("utf-8")))
    missing = [one.name for one in FEATURES if (has_feeds or not one.feed) and one.name not in known]
    assert missing == [], f"write {', '.join(missing)} into {reference}"


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_what_is_promised_is_there_or_listed(name: str) -> None:
    if name in LATER_TABLES:
        assert name not in BY_NAME, f"{name} has come: strike it out of LATER_TABLES"
        return
    table = BY_NAME[name]
    promised = set(PROMISED[name].split())
    later = set(LATER_COLUMNS.get(name, {}))
    assert promised - set(table.column_names) == later
    assert set(table.key) >= set(KEYS.get(name, PROMISED[name].split()[0]).split())
    assert table.restricted == (name in RESTRICTED)


def test_no_table_is_published_unpromised() -> None:
    assert set(BY_NAME) <= set(PROMISED)


def test_columns_beyond_the_promise_may_be_null_or_are_explained() -> None:
    added = {f"{t.name}.{c}" for t in TABLES for c in t.column_names} - {
        f"{name}.{column}" for name, text in PROMISED.items() for column in (*text.split(), "snapshot_date")
    }
    assert not [name for name in added if BY_NAME[name.split(".")[0]].column(name.split(".")[1]).required]


def test_no_open_table_holds_contact_data_or_source_ids() -> None:
    forbidden = {*canonical.CONTACT_COLUMNS, "source_customer_id"} - {"name"}
    for table in TABLES:
        if not table.restricted:
            assert not forbidden & set(table.column_names), table.name
            assert not [name for name in table.column_names if name.endswith("_hash")], table.name


def test_the_rfm_map_has_every_cell_once() -> None:
    listed = [cell for cells in rfm.CELLS.values() for cell in cells.split()]
    assert sorted(listed) == sorted("".join(cell) for cell in product("12345", repeat=3))
    assert set(rfm.EIGHT) == set(product((True, False), repeat=3))
    assert len(set(rfm.EIGHT.values())) == 8


def test_every_scheme_decides_and_speaks_both_languages() -> None:
    for scheme in segments.SCHEMES:
        codes = scheme.codes
        assert len(codes) == len(set(codes)), scheme.name
        assert scheme.segments[-1].when == "true", scheme.name
        assert not [s.code for s in scheme.segments[:-1] if s.when == "true"], scheme.name
        assert scheme.column == scheme.name or scheme.column == f"{scheme.name}_segment"
        for one in scheme.segments:
            assert _NAME.fullmatch(one.code)
            assert all((one.label_en, one.description_en, one.action))
            assert re.search(r"[\u4e00-\u9fff]", one.label_zh), one.code
            assert re.search(r"[\u4e00-\u9fff]", one.description_zh), one.code


def test_generated_files_are_fresh() -> None:
    stale = [path.name for path, text in structural.suites().items() if path.read_text("utf-8") != text]
    assert not stale, "next: make generate"
    assert dictionary.PATH.read_text("utf-8") == dictionary.dictionary(), "next: make generate"


def test_adding_a_feature_is_one_entry() -> None:
    program = """
from jobs.definitions import features
new = features.Feature("snow_share", "DOUBLE", "share", "Orders in snow.", "orders", "avg(1)", minimum=0, maximum=1)
features.FEATURES = (*features.FEATURES, new)
from expectations import structural
from jobs import dictionary
from jobs.definitions.published import CUSTOMER_FEATURES
from jobs.storage.schemas import arrow_schema
suite = structural.published_suite(CUSTOMER_FEATURES)
rules = [rule["meta"]["rule_id"] for rule in suite["expectations"]]
print(CUSTOMER_FEATURES.column_names[-1], arrow_schema(CUSTOMER_FEATURES.columns).field(-1))
print("customer_features.snow_share.in_range" in rules, suite["expectations"][0]["kwargs"]["column_set"][-1])
print("| `snow_share` | DOUBLE | share | null | 0 to 1 | Orders in snow. |" in dictionary.dictionary())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "snow_share pyarrow.Field<snow_share: double>", "True snow_share", "True",
    ]  # fmt: skip


def test_a_window_is_read_off_a_feature_and_none_is_overlooked() -> None:
    def over_orders(sql: str, *, ages: bool = False) -> Feature:
        return Feature("x", "BIGINT", None, "", "orders", sql, ages=ages)

    compared = ("days_ago < 7", "days_ago <= 9", "days_ago BETWEEN 20 AND 28")
    found = bounds([over_orders(f"count_if({one})") for one in compared])
    assert set(found) - set(bounds([])) == {7, 10, 20, 29}
    assert bounds([over_orders("min(days_ago)", ages=True)]) == bounds([])
    for sql in ("min(days_ago)", "sum(net_cents / days_ago)", "count_if(days_ago < 7) + days_ago"):
        with pytest.raises(ValueError, match="days_ago"):
            bounds([over_orders(sql)])


def test_the_windows_of_every_feature_are_known() -> None:
    assert {30, 90, 180, 365} <= set(bounds(FEATURES))

"""Groups and topics that models find: planted ones, named by what sets them apart, the same ones every time."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from jobs.definitions.segments import SCHEMES, UNKNOWN
from jobs.definitions.segments.fitted import CLUSTER, DIMENSIONS, MAP, OF_TOPIC, TOPIC, with_found
from jobs.models import following, prototypes, topics
from jobs.models.naming import names
from jobs.models.prototypes import Prototypes
from jobs.models.space import Axis
from jobs.models.stability import adjusted_rand_index
from jobs.models.topics import Topics
from jobs.steps.segments import at_once

KINDS = 3
EACH = 80


def planted(seed: int = 1, shift: float = 0.0) -> tuple[pa.Table, np.ndarray]:
    """Lunchers, night owls and families, with noise; the truth beside."""
    draw = np.random.default_rng(seed)
    truth = np.repeat(np.arange(KINDS), EACH)
    rows = {one.feature: draw.uniform(0.0, 0.05, len(truth)) for one in DIMENSIONS}
    rows["orders_365d"] = np.choose(truth, [60.0, 12.0, 6.0]) + draw.integers(0, 3, len(truth))
    rows["weekday_lunch_share"] += np.where(truth == 0, 0.85, 0.0) - shift * (truth == 0)
    rows["late_night_share"] += np.where(truth == 1, 0.85, 0.0)
    rows["average_party_size"] = np.where(truth == 2, 5.0, 1.2) + draw.uniform(0, 0.2, len(truth))
    rows["recency_days"] = draw.integers(0, 30, len(truth)).astype(float)
    columns = {name: pa.array(values, mask=np.isnan(values)) for name, values in rows.items()}
    return pa.table({"customer_id": [f"c{n:04d}" for n in range(len(truth))], **columns}), truth


@cache
def fitted() -> Prototypes:
    """Groups of the planted ones."""
    return prototypes.fit(planted()[0], "v", prototypes.k_means)


@pytest.mark.parametrize("method", [prototypes.k_means, prototypes.self_organising_map])
def test_planted_groups_are_found(method: prototypes.Method) -> None:
    sample, truth = planted()
    found = prototypes.fit(sample, "v", method).places(sample)
    assert all(np.bincount(truth[found == group]).max() > 0.97 * np.sum(found == group) for group in np.unique(found))
    assert 3 <= len(np.unique(found)) <= 6


def test_groups_are_named_by_what_sets_them_apart() -> None:
    sample, truth = planted()
    model = fitted()
    found = model.places(sample)
    assert adjusted_rand_index(truth, found) > 0.9
    called = {int(kind): {model.found[place].code for place in found[truth == kind]} for kind in range(KINDS)}
    assert all("weekday_lunch" in code or "frequent" in code for code in called[0])
    assert all("late_night" in code for code in called[1])
    assert all("groups" in code for code in called[2])


def test_a_fit_comes_out_the_same_and_its_file_is_the_fit() -> None:
    sample, _ = planted()
    model = fitted()
    assert prototypes.fit(sample, "v", prototypes.k_means) == model
    assert Prototypes.from_json(model.to_json()) == model


def test_nothing_is_found_where_all_buy_alike() -> None:
    alike = pa.table({"customer_id": ["a", "b", "c", "d"], **{one.feature: [1.0] * 4 for one in DIMENSIONS}})
    with pytest.raises(ValueError, match="fewer ways of buying than groups"):
        prototypes.fit(alike, "v", prototypes.k_means)


def test_what_is_unknown_of_somebody_is_the_middle_and_what_nobody_has_is_no_axis() -> None:
    sample, truth = planted()
    sizes = sample["average_party_size"].to_pylist()
    nobodys = pa.nulls(len(sample), pa.float64())
    sample = sample.set_column(sample.column_names.index("discount_share"), "discount_share", nobodys)
    some = pa.array([None if n % 7 == 0 else size for n, size in enumerate(sizes)])
    sample = sample.set_column(sample.column_names.index("average_party_size"), "average_party_size", some)
    model = prototypes.fit(sample, "v", prototypes.k_means)
    assert "discount_share" not in {axis.feature for axis in model.axes}
    assert adjusted_rand_index(truth, model.places(sample)) > 0.8


def test_names_tell_groups_apart_and_what_nothing_sets_apart_is_typical() -> None:
    axes = [Axis(name, 0.0, 1.0, 0.0) for name in ("orders_365d", "evening_share", "online_share")]
    middles = np.array([[2.0, -0.5, 0.4], [2.0, -0.5, -0.4], [0.3, 0.0, -0.3], [0.0, 0.1, 0.0], [2.0, -0.5, 0.4]])
    found = names(middles, axes, [50, 40, 30, 20, 10])
    assert [one.code for one in found] == [
        "frequent_and_not_evening", "frequent_and_not_evening_and_in_store", "typical", "typical_2",
        "frequent_and_not_evening_and_online",
    ]  # fmt: skip
    assert (found[0].label_en, found[0].label_zh) == ("Frequent, not in the evening", "高频、少晚间")
    assert (found[3].label_en, found[3].label_zh) == ("Typical 2", "一般2")


def test_a_refit_keeps_the_names_of_groups_that_go_on() -> None:
    later, _ = planted(seed=2, shift=0.1)
    old = fitted()
    new, report = following.groups(old, prototypes.fit(later, "new", prototypes.k_means), later, prototypes.k_means)
    assert {one.code for one in new.found} == {one.code for one in old.found}
    assert new.gone == ()
    assert report["adjusted_rand_index"] > 0.95
    assert min(report["jaccard_under_bootstrap"]) > 0.75
    assert report["drift"]["recency_days"] < 0.25 < report["drift"]["weekday_lunch_share"]


def test_a_group_that_does_not_go_on_has_a_name_of_its_own_and_the_old_one_is_kept_as_gone() -> None:
    sample, truth = planted()
    old = fitted()
    others = sample.filter(pa.array(truth != 2))  # nobody comes in groups any more
    new, _ = following.groups(old, prototypes.fit(others, "new", prototypes.k_means), others, prototypes.k_means)
    gone = {one.code for one in new.gone}
    assert gone == {one.code for one in old.found} - {one.code for one in new.found} != set()
    scheme = with_found(CLUSTER, new.found, new.gone, "'so'", new.version)
    codes = [one.code for one in scheme.segments]
    assert len(codes) == len(set(codes))
    assert {one.code for one in scheme.segments if one.when == "false"} == gone


def test_a_reason_gives_the_groups_mean_beside_everybodys_unless_the_group_is_too_small() -> None:
    sample, _ = planted()
    model = fitted()
    said = model.because("place", least=EACH)
    assert said.count("in this group") == 3 * len(model.found)
    assert all(f"WHEN {group} THEN concat(" in said for group in range(len(model.found)))
    assert "in this group" not in model.because("place", least=len(sample) + 1)
    assert "share of orders" in said
    assert not re.search(r"share of [a-z ]+', [^(]+\(0\.", said)  # a share is per cent, here as in the customer's own


BASKETS = {"noodles": (9, 0), "rice": (7, 1), "beer": (0, 8), "wine": (1, 9), "fish": (4, 4)}


def _baskets(customers: int = 120) -> dict[str, list[int]]:
    draw = np.random.default_rng(3)
    kinds = np.arange(customers) % 2
    return {name: draw.poisson([means[kind] + 0.05 for kind in kinds]).tolist() for name, means in BASKETS.items()}


def test_planted_topics_are_found_and_named_by_their_own_words() -> None:
    bought = _baskets()
    model = topics.fit(bought, "v", among=(2,))
    counts = np.column_stack(list(bought.values()))
    found = model.places(counts, list(bought))
    assert adjusted_rand_index(np.arange(len(counts)) % 2, found) > 0.9
    assert {frozenset(one.code.split("_and_")) for one in model.found} == {
        frozenset({"noodles", "rice"}), frozenset({"beer", "wine"}),
    }  # fmt: skip
    assert Topics.from_json(model.to_json()) == model


def test_names_of_topics_are_codes_and_never_mean_something_else() -> None:
    assert topics.as_code("Baby & infant food") == "baby_infant_food"
    assert topics.as_code("面条") == "面条"
    bought = _baskets()
    renamed = dict(zip(["unknown", "other", "guest", "not scored", "Fish's"], bought.values(), strict=True))
    model = topics.fit(renamed, "v", among=(2,))
    scheme = with_found(TOPIC, model.found, (), OF_TOPIC, model.version)
    codes = [one.code for one in scheme.segments]
    assert len(codes) == len(set(codes))
    assert codes[-1] == UNKNOWN


def test_few_categories_have_no_topics() -> None:
    with pytest.raises(ValueError, match="2 categories are bought, more than 3 are needed"):
        topics.fit({"a": [1, 2], "b": [2, 1]}, "v")


def test_the_map_and_the_clusters_are_schemes_of_their_own() -> None:
    assert (CLUSTER.column, MAP.column, TOPIC.column) == ("behaviour_cluster", "som_cluster", "purchase_topic")


@pytest.mark.parametrize(("people", "sizes"), [(0, [7]), (500_000, [7]), (1_000_000, [4, 3]), (9_000_000, [1] * 7)])
def test_what_holds_every_value_takes_fewer_schemes_at_a_time_of_more_people(people: int, sizes: list[int]) -> None:
    chosen = SCHEMES[:7]
    parts = at_once(chosen, people)
    assert [len(part) for part in parts] == sizes
    assert [scheme for part in parts for scheme in part] == list(chosen)

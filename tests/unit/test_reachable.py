"""Rules that can never hold are found, whatever the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs import reachable
from jobs.definitions.segments import Preset, Scheme, Segment, schemes


def segment(code: str, when: str) -> Segment:
    return Segment(code, code, code, f"{code}.", f"{code}。", when, "None.")


def scheme(*segments: Segment, name: str = "lifecycle_stage") -> Scheme:
    return Scheme(name, name, name, f"{name}.", f"{name}。", "'why'", segments)


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        ({"a": "orders_365d >= 12", "b": "orders_365d = 11", "c": "true"}, []),
        ({"a": "orders_365d >= 12 AND orders_365d < 12", "c": "true"}, ["a"]),
        # an earlier rule takes everybody
        ({"a": "orders_365d >= 3", "b": "orders_365d >= 5", "c": "true"}, ["b"]),
        ({"a": "top_category LIKE '%tea%'", "b": "top_category = 'tea'", "c": "true"}, ["b"]),
        ({"a": "online_share >= 0.8", "b": "online_share < 0.8", "d": "online_share IS NULL", "c": "true"}, ["c"]),
        ({"a": "recency_days > 3 * coalesce(median_gap_days, 30)", "c": "true"}, []),
        ({"a": "regexp_like(lower(top_department), 'fruit|meat')", "b": "is_birth_month", "c": "true"}, []),
    ],
)
def test_unreached(rules: dict[str, str], missing: list[str]) -> None:
    one = scheme(*(segment(code, when) for code, when in rules.items()))
    assert reachable.unreached([one]) == [f"lifecycle_stage:{code}" for code in missing]


def test_a_scheme_over_another_one() -> None:
    first = scheme(segment("many", "orders_365d >= 12"), segment("few", "true"))
    ruled = {"x": "lifecycle_stage = 'many' AND orders_365d < 12", "y": "lifecycle_stage = 'few'", "z": "true"}
    second = scheme(*(segment(code, when) for code, when in ruled.items()), name="persona")
    assert reachable.unreached([first, second]) == ["persona:x"]


def test_what_is_drawn_of_one_feature_does_not_follow_from_another() -> None:
    # of both features eight values are drawn: six, another, none
    pairs = [(one, other) for one in "abcdef" for other in "abcdef"]
    rules = [segment(f"s{n}", f"top_category = '{a}' AND top_brand = '{b}'") for n, (a, b) in enumerate(pairs)]
    assert reachable.unreached([scheme(*rules, segment("c", "true"))]) == []


def test_the_check_names_what_cannot_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(preset: Preset) -> tuple[Scheme, ...]:
        first, *others = schemes(preset)
        return (
            first,
            replace(others[0], segments=(segment("never", "orders_365d < 0 AND false"), *others[0].segments)),
        )

    monkeypatch.setattr(reachable, "schemes", broken)
    with pytest.raises(SystemExit, match="rfm8:never"):
        reachable.main()

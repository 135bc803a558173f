"""A chain's own rules: read, refused where they name what there is not, held to the checks of the declared ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import reachable
from jobs.definitions.segments import Segment, schemes
from jobs.errors import UsageError
from jobs.settings import Settings, load_settings

LATE = "[segments.consumption_occasion.late_night]\nwhen = 'late_night_share >= 0.3'\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "regulars.toml"
    monkeypatch.setenv("REGULARS_CONFIG", str(path))
    return path


def loaded(config: Path, text: str) -> Settings:
    config.write_text(text, "utf-8")
    return load_settings()


def segment(settings: Settings, scheme: str, code: str) -> Segment:
    (found,) = (one for each in settings.schemes if each.name == scheme for one in each.segments if one.code == code)
    return found


def test_without_own_rules_the_preset_decides(config: Path) -> None:
    settings = loaded(config, "preset = 'supermarket'")
    assert settings.schemes == schemes("supermarket")
    personas = {one.code for scheme in settings.schemes if scheme.name == "persona" for one in scheme.segments}
    assert "fresh_food_lovers" in personas and "family_diners" not in personas


def test_an_own_rule_describes_itself_and_changes_one_version(config: Path) -> None:
    settings = loaded(config, LATE)
    late = segment(settings, "consumption_occasion", "late_night")
    assert late.when == "late_night_share >= 0.3"
    assert late.description_en == "This chain's own rule: late_night_share >= 0.3."
    before = {scheme.name: scheme.version for scheme in schemes("restaurant")}
    changed = {scheme.name for scheme in settings.schemes if before[scheme.name] != scheme.version}
    assert changed == {"consumption_occasion"}
    assert reachable.check(settings) == "1 rules of this chain's own"


def test_a_scheme_over_another_has_another_version_with_it(config: Path) -> None:
    settings = loaded(config, "[segments.value_tier.high]\nwhen = 'monetary_score >= 4'\n")
    before = {scheme.name: scheme.version for scheme in schemes("restaurant")}
    changed = {scheme.name for scheme in settings.schemes if before[scheme.name] != scheme.version}
    assert changed == {"value_tier"}
    settings = loaded(config, "[segments.price_sensitivity.high]\nwhen = 'discount_share >= 0.3'\n")
    changed = {scheme.name for scheme in settings.schemes if before[scheme.name] != scheme.version}
    assert changed == {"price_sensitivity", "persona"}


def test_words_alone_may_be_the_chains(config: Path) -> None:
    settings = loaded(config, "[segments.rfm.champions]\naction = 'Call them.'\n")
    champions = segment(settings, "rfm", "champions")
    declared = next(one for one in schemes("restaurant")[0].segments if one.code == "champions")
    assert (champions.action, champions.when) == ("Call them.", declared.when)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[segments.moods.sad]\nwhen = 'true'\n", "moods.sad, which is no segment"),
        ("[segments.rfm.champion]\nwhen = 'true'\n", "rfm.champion, which is no segment"),
        ("[segments.rfm]\n", "rfm, which is no segment"),
        ("[segments.rfm.champions]\nrule = 'true'\n", "segments.rfm.champions.rule: Extra inputs"),
    ],
)
def test_what_there_is_not_is_refused(config: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        loaded(config, text)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("late_night_share > 2 AND late_night_share < 1", "no customer can get consumption_occasion:late_night"),
        ("orders_365d >= 0 OR orders_365d IS NULL", "no customer can get consumption_occasion:workday_lunch"),
        ("late_nite_share >= 0.3", "cannot be computed: .*late_nite_share"),
        ("late_night_share >=", "cannot be computed"),
    ],
)
def test_a_rule_that_cannot_hold_or_be_computed_is_refused(config: Path, when: str, said: str) -> None:
    settings = loaded(config, f'[segments.consumption_occasion.late_night]\nwhen = "{when}"\n')
    with pytest.raises(UsageError, match=said) as caught:
        reachable.check(settings)
    assert "regulars doctor" in caught.value.next_command

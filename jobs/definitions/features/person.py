"""Who a customer is, as the sources say, at the snapshot."""

from __future__ import annotations

from jobs.definitions.features.feature import Feature

_YEARS = "year(snapshot_date) - birth_year"
_AGE = f"CASE WHEN {_YEARS} BETWEEN 0 AND 130 THEN {_YEARS} END"
_MONTHS = "12 * greatest(year(snapshot_date) - year(registered_on), 1)"
_THIS, _NEXT = (f"add_months(registered_on, CAST({months} AS INT))" for months in (_MONTHS, f"{_MONTHS} + 12"))


def _first_number(column: str, pattern: str = "([0-9]+)") -> str:
    return f"try_cast(nullif(regexp_extract({column}, '{pattern}', 1), '') AS INT)"


def _stated(name: str, description: str) -> Feature:
    return Feature(name, "STRING", None, description, "profile", name)


def _groups(age: str) -> str:
    cases = " ".join(f"WHEN {age} < {below} THEN '{code}'" for below, code in AGE_GROUPS[:-1])
    return f"CASE {cases} WHEN {age} <= {AGE_GROUPS[-1][0]} THEN '{AGE_GROUPS[-1][1]}' END"


#: ages below which a group ends, and its code; the last one's bound is the oldest that is believed
AGE_GROUPS = (
    (25, "under_25"), (35, "25_to_34"), (45, "35_to_44"), (55, "45_to_54"), (65, "55_to_64"), (130, "65_and_over"),
)  # fmt: skip

PERSON: tuple[Feature, ...] = (
    Feature("age", "INT", "years", "Age reached in the snapshot's year; null if that is not from 0 to 130.", "profile",
            _AGE, minimum=0, maximum=130),
    Feature("age_group", "STRING", None,
            "under_25, 25_to_34, 35_to_44, 45_to_54, 55_to_64 or 65_and_over: by age, else by where the stated "
            "age_band (25-34, 65+) begins.", "profile",
            _groups(f"coalesce({_AGE}, {_first_number('age_band', '^([0-9]+) *[-+]')})")),
    Feature("is_birth_month", "BOOLEAN", None, "The snapshot is in the month of birth.", "profile",
            "month(snapshot_date) = birth_month"),
    Feature("days_to_anniversary", "INT", "days", "Days to the next anniversary of the registration, 0 on the day.",
            "profile",
            f"CASE WHEN registered_on <= snapshot_date THEN datediff(CASE WHEN {_THIS} >= snapshot_date "
            f"THEN {_THIS} ELSE {_NEXT} END, snapshot_date) END", minimum=0, maximum=366),
    Feature("household_size", "INT", "people", "People in the household; of 5+ it is 5.", "profile",
            _first_number("household_size"), minimum=0),
    Feature("kids_count", "INT", "children", "Children in the household; of 3+ it is 3.", "profile",
            _first_number("kids_count"), minimum=0),
    _stated("marital_status", "Marital status as declared."),
    _stated("education", "Education as declared."),
    _stated("occupation", "Occupation as declared."),
    _stated("declared_lifestyle", "Lifestyle as declared."),
    _stated("declared_interests", "Interests as declared."),
)  # fmt: skip

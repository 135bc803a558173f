"""All models fitted anew to the customers of a night, named as the ones they follow, and held against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs.definitions.published import CUSTOMER_DAYS, CUSTOMER_FEATURES, folder
from jobs.errors import ContractError
from jobs.models import following, prototypes
from jobs.settings import Settings
from jobs.steps import refits, themes
from jobs.steps.fitting import FITS, Ground, fit_all
from jobs.steps.models import Models
from jobs.steps.refits import Refit
from jobs.storage.night import Night
from jobs.storage.parquet import read
from jobs.storage.warehouse import Warehouse, new_run_id

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def refit(spark: SparkSession, settings: Settings, warehouse: Warehouse, night: Night) -> Refit:
    """Fit every model anew; the next night takes them in if groups agree as well as the settings ask.

    Raises:
        ContractError: there is too little to fit to.
    """
    features = read(spark, night, "published", folder(CUSTOMER_FEATURES), CUSTOMER_FEATURES.columns)
    days = read(spark, night, "published", folder(CUSTOMER_DAYS), CUSTOMER_DAYS.columns)
    ground = Ground(settings.thresholds, features, days, themes.bought_on(spark, night), night.date)
    if ground.too_little:
        raise ContractError(ground.too_little, next_command="edit thresholds of regulars.toml, or wait")
    name = new_run_id()
    old = Models.of(night)
    found, reasons = fit_all(ground, FITS, f"{night.date}-{name}")
    reports: dict[str, Any] = {}
    if old.rfm is not None and "rfm" in found:
        reports["rfm"] = {"moved": following.cuts(old.rfm, found["rfm"])}
    methods = {"clusters": prototypes.k_means, "map": prototypes.self_organising_map}
    for one, method in methods.items():
        before = getattr(old, one)
        if before is not None and one in found:
            found[one], reports[one] = following.groups(before, found[one], ground.few, method)
    if old.topics is not None and "topics" in found:
        found["topics"], reports["topics"] = following.themes(old.topics, found["topics"], *ground.baskets)
    for one in ("clusters", "map", "topics"):
        if one in reports:
            reports[one]["names"] = [each.code for each in found[one].found]
            reports[one]["kept"] = [each.code for each in found[one].found if each in getattr(old, one).found]
    indices = [one["adjusted_rand_index"] for one in reports.values() if "adjusted_rand_index" in one]
    asked = settings.thresholds.refit_min_agreement
    report = {
        "refit": name, "as_of": str(night.date), "models": reports, "not_fitted": reasons, "asked": asked,
        "is_stable": all(index >= asked for index in indices),
    }  # fmt: skip
    return refits.keep(warehouse, Models(**found).texts(), report)

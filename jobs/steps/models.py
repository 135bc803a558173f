"""The models of a night: fitted on the first night that has enough to go by, frozen, kept until a refit is taken in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from jobs.definitions.published import CUSTOMER_DAYS, CUSTOMER_FEATURES
from jobs.definitions.published.customers import FORETOLD
from jobs.definitions.segments import Scheme
from jobs.definitions.segments.fitted import CLUSTER, MAP, OF_TOPIC, TOPIC, place_column, with_found
from jobs.models import rfm
from jobs.models.card import Fit, card
from jobs.models.churn import Churn
from jobs.models.lifetime import LifetimeFit
from jobs.models.prototypes import Prototypes, with_places
from jobs.models.rfm import RfmCuts
from jobs.models.topics import Topics
from jobs.steps import refits, themes
from jobs.steps.context import Context
from jobs.steps.fitting import FITS, Ground, fit_all, sample_of
from jobs.steps.publishing import published
from jobs.storage import files
from jobs.storage.night import Night

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

#: where a night keeps its models
FITTED = "fitted"

_READ: dict[str, Callable[[str], Any]] = {
    "rfm": RfmCuts.from_json, "value": LifetimeFit.from_json, "churn": Churn.from_json,
    "clusters": Prototypes.from_json, "map": Prototypes.from_json, "topics": Topics.from_json,
}  # fmt: skip


@dataclass(frozen=True)
class Models:
    """Every model there is; None where there never was enough to fit one."""

    rfm: RfmCuts | None = None
    value: LifetimeFit | None = None
    churn: Churn | None = None
    clusters: Prototypes | None = None
    map: Prototypes | None = None
    topics: Topics | None = None

    @classmethod
    def of(cls, night: Night) -> Models:
        """Those of a night."""
        return cls.below(night.table("models", FITTED))

    @classmethod
    def below(cls, folder: Path) -> Models:
        """Those of a folder."""
        found = {name: folder / f"{name}.json" for name in _READ}
        return cls(**{n: _READ[n](path.read_text("utf-8")) for n, path in found.items() if path.is_file()})

    def texts(self) -> dict[str, str]:
        """File name -> what it says: each model that is kept, and its card."""
        models = {f"{name}.json": model.to_json() for name, model in self._kept().items()}
        return models | {f"{name}.md": card(name, model) for name, model in self._kept().items()}

    @property
    def named(self) -> dict[str, Fit]:
        """Those that there are."""
        every = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: model for name, model in every.items() if model is not None}

    @property
    def versions(self) -> dict[str, str]:
        """Name -> which fit it is, of those that are kept."""
        return {name: model.version for name, model in self._kept().items()}

    @property
    def version(self) -> str:
        """One name for all of them: ``m-`` and eight hex digits; ``none`` without any."""
        if not self.versions:
            return rfm.NONE_VERSION
        return "m-" + hashlib.sha256(repr(sorted(self.versions.items())).encode()).hexdigest()[:8]

    def schemes(self, chosen: tuple[Scheme, ...], least: int) -> tuple[Scheme, ...]:
        """The chain's schemes, those that models find with the segments that they found.

        Args:
            chosen: the schemes by the chain's rules.
            least: of groups smaller than this nothing is said.
        """
        found = {}
        for scheme, grouped in ((CLUSTER, self.clusters), (MAP, self.map)):
            if grouped is not None:
                because = grouped.because(place_column(scheme), least)
                found[scheme.name] = with_found(scheme, grouped.found, grouped.gone, because, grouped.version)
        if self.topics is not None:
            found[TOPIC.name] = with_found(TOPIC, self.topics.found, self.topics.gone, OF_TOPIC, self.topics.version)
        return tuple(found.get(scheme.name, scheme) for scheme in chosen)

    def scored(self, features: DataFrame, topics: DataFrame, worth: DataFrame) -> DataFrame:
        """Features with all that rules ask for beside them: scores, and the groups and topics of models.

        Args:
            features: customer_features.
            topics: customer_id, purchase_topic_place, purchase_topic_share of the same night.
            worth: customer_value of the same night.
        """
        rows = rfm.with_scores(features, self.rfm)
        rows = with_places(rows, self.clusters, place_column(CLUSTER))
        rows = with_places(rows, self.map, place_column(MAP))
        rows = rows.join(topics, "customer_id", "left")
        return rows.join(worth.select("customer_id", *FORETOLD), "customer_id", "left")

    def having(self, more: Mapping[str, Any]) -> Models:
        """These, and others in the place of theirs."""
        return replace(self, **more)

    def _kept(self) -> dict[str, Fit]:
        """Those to keep: a fit of orders that was not believed serves tonight, and the next night tries again."""
        makeshift = self.value is not None and self.value.orders is None
        return {name: model for name, model in self.named.items() if not (makeshift and name == "value")}


def tonights(context: Context) -> tuple[Models, dict[str, Any]]:
    """The frozen models, those of a refit that waits to be taken in, and of those that are missing what can be fitted.

    Returns:
        the models, which are in the night from now on; what to record of them.
    """
    night = context.night
    night.restore(context.base, "models", FITTED)
    models, refit = Models.of(night), None if context.base is None else context.base.records()["segments"].get("refit")
    waiting = refits.to_take_in(context.warehouse, context.base, refit)
    if waiting is not None:
        models, refit = models.having(Models.below(waiting.folder).named), waiting.name
    missing = [name for name in FITS if name not in models.named]
    warnings: list[str] = []
    reasons: dict[str, str] = {}
    if missing:
        features = published(context, CUSTOMER_FEATURES)
        ground = Ground(
            context.settings.thresholds, features, published(context, CUSTOMER_DAYS),
            themes.bought_on(context.spark, night), context.day,
        )  # fmt: skip
        if ground.too_little:
            warnings.append(ground.too_little)
        else:
            found, reasons = fit_all(ground, missing, str(context.day))
            models = models.having(found)
    for name, text in models.texts().items():
        files.write_text(night.table("models", FITTED) / name, text)
    if models.value is not None and models.value.reasons:
        reasons["value"] = "; ".join(models.value.reasons)
    versions = {"model_version": models.version, "models": models.versions}
    drift = _drift(context, models)
    if drift.get("groups", 0.0) > context.settings.thresholds.drift_major:
        warnings.append("the groups of customers have other sizes than when they were fitted: regulars refit")
    return models, {**versions, "refit": refit, "not_fitted": reasons, "drift": drift, "warnings": warnings}


def _drift(context: Context, models: Models) -> dict[str, float]:
    """How far tonight's customers are from those that groups were fitted to, by feature."""
    if models.clusters is None:
        return {}
    few = sample_of(published(context, CUSTOMER_FEATURES), models.clusters.drawn.every)
    return models.clusters.drift(few) if len(few) else {}

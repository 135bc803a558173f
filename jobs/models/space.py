"""How customers buy, as points: the dimensions in which groups are looked for, scaled once and kept with the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jobs.definitions.segments.fitted import DIMENSIONS, Dimension

Floats = NDArray[np.float64]

#: an axis along which all are alike tells nobody apart
_FLAT = 1e-6
#: nothing lies further from the mean than so many standard deviations, or one odd number would be all that counts
_FAR = 4.0


@dataclass(frozen=True)
class Axis:
    """A dimension as it was scaled: its place is (value - mean) / deviation, of the logarithm where it is skewed."""

    feature: str
    mean: float
    deviation: float
    plain_mean: float  #: of the feature itself, for sentences

    @property
    def dimension(self) -> Dimension:
        """What it is a scale of."""
        return next(one for one in DIMENSIONS if one.feature == self.feature)

    @property
    def sql(self) -> str:
        """The place of a customer along it; the middle where the feature is null."""
        value = f"CAST({self.feature} AS DOUBLE)"
        if self.dimension.is_skewed:
            value = f"ln(1D + greatest({value}, 0D))"
        place = f"({value} - {self.mean:.9f}D) / {self.deviation:.9f}D"
        # greatest and least pass over what is null
        clipped = f"greatest({-_FAR:.1f}D, least({_FAR:.1f}D, {place}))"
        return f"CASE WHEN {self.feature} IS NOT NULL THEN {clipped} ELSE 0D END"

    def places(self, values: Floats) -> Floats:
        """The same of many values; NaN is null."""
        return _clipped((_straightened(self.dimension, values) - self.mean) / self.deviation)


def scaled(sample: pa.Table) -> tuple[tuple[Axis, ...], Floats]:
    """Axes fitted to a sample of customers, and the sample's points: one row per customer, one column per axis.

    A feature that nobody has, or all have alike, gives no axis.
    """
    axes = []
    for dimension in DIMENSIONS:
        values = column(sample, dimension.feature)
        known = _straightened(dimension, values)[~np.isnan(values)]
        if len(known) and known.std() > _FLAT:
            mean, deviation = round(float(known.mean()), 9), round(float(known.std()), 9)
            axes.append(Axis(dimension.feature, mean, deviation, round(float(np.nanmean(values)), 6)))
    return tuple(axes), points(sample, axes)


def points(sample: pa.Table, axes: Sequence[Axis]) -> Floats:
    """Where customers lie along axes: one row per customer."""
    if not axes:
        return np.zeros((len(sample), 0))
    return np.column_stack([axis.places(column(sample, axis.feature)) for axis in axes])


def column(sample: pa.Table, name: str) -> Floats:
    """A numeric column as doubles; NaN where it is null."""
    return np.asarray(sample[name].cast(pa.float64()).to_numpy(), dtype=np.float64)


def _straightened(dimension: Dimension, values: Floats) -> Floats:
    straight: Floats = np.log1p(np.maximum(values, 0.0)) if dimension.is_skewed else values
    return straight


def _clipped(places: Floats) -> Floats:
    clipped: Floats = np.clip(np.nan_to_num(places, nan=0.0, posinf=_FAR, neginf=-_FAR), -_FAR, _FAR)
    return clipped

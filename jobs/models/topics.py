"""What is bought together: topics over categories by latent Dirichlet allocation (Blei, Ng, Jordan 2003).

scikit-learn's, variational, over how often a customer bought of each category; the number of topics is the one of
least perplexity on a fifth of the sample that the fit has not seen. A customer's topics are found by one step of
expectation maximisation from the topics' own shares, which is a sum over the purchases; how often the largest agrees
with the full inference is measured at the fit. Weights are whole parts of a million, so that sums are exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.model import rounded
from jobs.definitions.segments.fitted import Found
from jobs.models.naming import TAKEN, free
from jobs.models.space import Floats
from jobs.models.stability import Labels

#: how many topics are tried
TOPICS = range(3, 9)
#: categories that a fit looks at, those bought most
CATEGORIES = 300
#: customers that numbers of topics are tried on, and that the chosen number is fitted to
_TRIED_ON, _FITTED_ON = 1_000, 5_000
_SEED, _PARTS = 7, 1_000_000
#: of the words that a topic is called by: how much they are the topic's own, against how much of it they are
#: (relevance, Sievert and Shirley 2014)
_OWN = 0.6
_WORDS = 2


@dataclass(frozen=True)
class Topics:
    """A fit, as it is kept."""

    version: str
    categories: tuple[str, ...]
    weights: tuple[tuple[int, ...], ...]  #: per category, of each topic, in parts of a million
    found: tuple[Found, ...]  #: one per topic
    sizes: tuple[int, ...]  #: customers of the sample by topic
    metrics: dict[str, float] = field(default_factory=dict)
    gone: tuple[Found, ...] = ()

    def to_json(self) -> str:
        """The model file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Topics:
        """Read a model file."""
        content: dict[str, Any] = json.loads(text)
        for name in ("found", "gone"):
            content[name] = tuple(Found(**one) for one in content[name])
        content["weights"] = tuple(map(tuple, content["weights"]))
        for name in ("categories", "sizes"):
            content[name] = tuple(content[name])
        return cls(**content)

    @property
    def table(self) -> pa.Table:
        """One row per category: its weight for every topic."""
        columns = {
            f"topic_{n}": pa.array(weights, pa.int64()) for n, weights in enumerate(zip(*self.weights, strict=True))
        }
        return pa.table({"category": pa.array(self.categories, pa.string()), **columns})

    def distributions(self, categories: Sequence[str]) -> Floats:
        """How a topic's weights are spread over some categories: one row per topic; what it does not know is 0."""
        known = dict(zip(self.categories, self.weights, strict=True))
        rows = np.array([known.get(name, (0,) * len(self.found)) for name in categories], dtype=np.float64).T
        spread: Floats = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1.0)
        return spread

    def places(self, counts: Floats | Labels, categories: Sequence[str]) -> Labels:
        """The topic of customers; of what they bought the columns are by category."""
        known = dict(zip(self.categories, self.weights, strict=True))
        weights = np.array([known.get(name, (0,) * len(self.found)) for name in categories], dtype=np.float64)
        return np.asarray((counts @ weights).argmax(axis=1), dtype=np.int64)


def fit(bought: Mapping[str, Sequence[int]], version: str, among: Sequence[int] = TOPICS) -> Topics:
    """Topics of what a sample of customers bought.

    Args:
        bought: category -> how often each customer bought of it, customers in the order of their ids.
        version: of the fit.
        among: how many topics are tried.

    Raises:
        ValueError: saying why there are none.
    """
    from threadpoolctl import threadpool_limits

    held = sorted(bought, key=lambda name: (-sum(bought[name]), name))[:CATEGORIES]
    if len(held) <= TOPICS.start:
        raise ValueError(f"{len(held)} categories are bought, more than {TOPICS.start} are needed")
    counts = np.column_stack([np.asarray(bought[name], dtype=np.float64) for name in held])
    counts = counts[counts.sum(axis=1) > 0]
    with threadpool_limits(1):
        return _fitted(counts, held, version, among)


def _fitted(counts: Floats, held: Sequence[str], version: str, among: Sequence[int]) -> Topics:
    few, counts = (counts[_evenly(len(counts), most)] for most in (_TRIED_ON, _FITTED_ON))
    unseen = np.arange(len(few)) % 5 == 0
    tried = {topics: _allocation(few[~unseen], topics) for topics in among if topics < len(held)}
    perplexities = {topics: float(model.perplexity(few[unseen])) for topics, model in tried.items()}
    topics = min(perplexities, key=lambda n: (perplexities[n], n))
    model = _allocation(counts, topics)
    inferred = np.asarray(model.transform(counts))
    sizes = np.bincount(inferred.argmax(axis=1), minlength=topics)
    order = np.lexsort((np.arange(topics), -sizes))
    of_topic = np.asarray(model.components_)[order]
    of_topic = of_topic / of_topic.sum(axis=1, keepdims=True)
    shares = inferred.mean(axis=0)[order]
    joint = shares[:, None] * of_topic
    weights = np.round(_PARTS * joint / joint.sum(axis=0)).astype(np.int64).T
    mine = (counts @ weights).argmax(axis=1)
    agreement = float(np.mean(mine == inferred[:, order].argmax(axis=1)))
    return Topics(
        version=version,
        categories=tuple(held),
        weights=tuple(tuple(int(part) for part in row) for row in weights),
        found=_names(of_topic, held, counts.sum(axis=0) / counts.sum()),
        sizes=tuple(int(size) for size in np.bincount(mine, minlength=topics)),
        metrics={
            "customers": len(counts), "topics": topics, "perplexity_unseen": round(perplexities[topics], 2),
            "agreement_with_full_inference": round(agreement, 4),
        },
    )  # fmt: skip


def _allocation(counts: Floats, topics: int) -> Any:
    from sklearn.decomposition import LatentDirichletAllocation

    made = LatentDirichletAllocation(
        topics, random_state=_SEED, max_iter=10, max_doc_update_iter=20, mean_change_tol=0.01, evaluate_every=-1
    )
    return made.fit(counts)


def _evenly(customers: int, most: int) -> Labels:
    return np.unique(np.linspace(0, customers - 1, min(customers, most)).astype(np.int64))


def _names(of_topic: Floats, held: Sequence[str], overall: Floats) -> tuple[Found, ...]:
    relevance = _OWN * np.log(of_topic) + (1 - _OWN) * np.log(of_topic / overall)
    used = set(TAKEN)
    found = []
    for row in relevance:
        words = [held[int(place)] for place in np.argsort(-row, kind="stable")[: _WORDS + 2]]
        found.append(free([_found(words[:n]) for n in range(_WORDS, len(words) + 1)], used, _found(words[:_WORDS])))
    return tuple(found)


def as_code(word: str) -> str:
    """A category as a part of a code: ``Baby food`` is ``baby_food``, letters of any script stay."""
    return re.sub(r"\W+", "_", word.lower()).strip("_") or "category"


def _found(words: Sequence[str]) -> Found:
    return Found(
        "_and_".join(as_code(word) for word in words), " and ".join(words), "、".join(words),
        f"Buys above all what goes with {' and '.join(words)}.", f"主要购买{'、'.join(words)}等。",
    )  # fmt: skip


def bought_by(lines: DataFrame, products: DataFrame) -> DataFrame:
    """One row per customer and known category: ``times``, how often it was bought.

    Args:
        lines: customer_id, product_id; one row per line of a receipt.
        products: product_id, category.
    """
    known = products.where("category IS NOT NULL").select("product_id", "category")
    bought = lines.join(F.broadcast(known), "product_id").groupBy("customer_id", "category")
    return bought.agg(F.count("*").alias("times"))


def scored(lines: DataFrame, products: DataFrame, weights: DataFrame, topics: int) -> DataFrame:
    """One row per customer who bought of a category that the fit knows: purchase_topic_place and _share.

    Args:
        lines: customer_id, product_id; one row per line of a receipt.
        products: product_id, category.
        weights: :attr:`Topics.table`.
        topics: how many there are.
    """
    names = [f"topic_{n}" for n in range(topics)]
    by_product = products.join(weights, "category").select("product_id", *names)
    sums = [F.sum(name).alias(name) for name in names]
    summed = lines.join(F.broadcast(by_product), "product_id").groupBy("customer_id").agg(*sums)
    most = f"greatest({', '.join(names)})"
    cases = " ".join(f"WHEN {name} = {most} THEN {n}" for n, name in enumerate(names))
    return summed.select(
        "customer_id",
        F.expr(f"CASE {cases} END").alias("purchase_topic_place"),
        F.expr(rounded(f"{most} / ({' + '.join(names)})")).alias("purchase_topic_share"),
    )

"""Model cards: what a fit was made from, what it is, how good it is (Mitchell et al. 2019), for people."""

from __future__ import annotations

from jobs.models.churn import INPUTS, Churn
from jobs.models.lifetime import LifetimeFit
from jobs.models.prototypes import Prototypes
from jobs.models.rfm import RfmCuts
from jobs.models.topics import Topics

Fit = RfmCuts | LifetimeFit | Churn | Prototypes | Topics

_PURPOSE = {
    "rfm": "Quintiles and medians of recency, orders and net revenue, which scores and eight classes are cut at.",
    "value": "BG/NBD for orders and Gamma-Gamma for their value, which customer_value is computed from.",
    "churn": "Probability that no order comes in 90 days, by logistic regression.",
    "clusters": "Groups of customers who buy alike, by K-means.",
    "map": "Groups of customers who buy alike, by a self-organising map.",
    "topics": "Themes of categories that are bought together, by latent Dirichlet allocation.",
}


def card(name: str, model: Fit) -> str:
    """One model in Markdown; no row of any customer is in it."""
    lines = [f"# {model.version}", "", _PURPOSE[name], ""]
    lines += [f"- {text}" for text in _facts(model)]
    if isinstance(model, Prototypes | Topics):
        sizes = model.sizes if isinstance(model, Topics) else model.drawn.sizes
        lines += ["", "| segment | | customers of the sample |", "|---|---|---|"]
        lines += [f"| {one.code} | {one.label_en} | {size} |" for one, size in zip(model.found, sizes, strict=True)]
        lines += ["", f"No more given: {', '.join(one.code for one in model.gone)}."] if model.gone else []
    return "\n".join(lines) + "\n"


def _facts(model: Fit) -> list[str]:
    if isinstance(model, RfmCuts):
        named = {"recency": model.recency, "orders": model.frequency, "net revenue in cents": model.monetary}
        cuts = [f"cuts of {name}: {', '.join(map(str, values))}" for name, values in named.items()]
        return [f"data: {model.buyers} customers with an order in 365 days", *cuts]
    if isinstance(model, LifetimeFit):
        return [f"parameters: {model.orders or 'no model of orders'}", f"{model.value or 'no model of value'}",
                *(f"not believed: {reason}" for reason in model.reasons)]  # fmt: skip
    facts = [f"{name.replace('_', ' ')}: {value:g}" for name, value in sorted(model.metrics.items())]
    if isinstance(model, Churn):
        weights = [f"{name}: {weight:+.3f}" for name, weight in zip(INPUTS, model.weights, strict=True)]
        return [*facts, f"weights of the scaled inputs: {', '.join(weights)}"]
    if isinstance(model, Prototypes):
        return [*facts, f"over: {', '.join(axis.feature for axis in model.axes)}; drift since is in every manifest"]
    return [*facts, f"over: {len(model.categories)} categories"]

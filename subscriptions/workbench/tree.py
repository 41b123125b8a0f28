"""The tree of one publisher as of today: products, their software models, and the figures of each license metric."""

from __future__ import annotations

from dataclasses import dataclass, field

from subscriptions.models import MetricResult, ModelResult, ProductResult


@dataclass
class ModelNode:
    """A software model with its license metrics."""

    result: ModelResult
    metrics: list[MetricResult] = field(default_factory=list)

    @property
    def is_out(self) -> bool:
        return any(one.is_out_of_compliance for one in self.metrics)


@dataclass
class ProductNode:
    """A product with its software models, of which it is the sum."""

    result: ProductResult
    models: list[ModelNode] = field(default_factory=list)

    @property
    def is_out(self) -> bool:
        return any(one.is_out for one in self.models)


def read_tree(publisher: str, *, only_out: bool = False) -> list[ProductNode]:
    """The products of a publisher by name; `only_out` leaves out what is compliant. Three queries."""
    products = {one.product: ProductNode(one) for one in ProductResult.objects.current().filter(publisher=publisher)}
    models = {one.pk: ModelNode(one) for one in ModelResult.objects.current().filter(publisher=publisher)}
    for metric in MetricResult.objects.filter(model_result__in=models).order_by("metric"):
        models[metric.model_result_id].metrics.append(metric)
    for node in models.values():
        if node.result.product in products and (node.is_out or not only_out):
            products[node.result.product].models.append(node)
    found = sorted(products.values(), key=lambda one: one.result.product.casefold())
    return [one for one in found if one.models]

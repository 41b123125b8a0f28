"""Sign what a reconciliation found, with the key of the installation (Ed25519), and verify it.

Signed are the question, the inputs, the totals and the figures of every product and license metric. They stand there by
their names, so what is deleted elsewhere later changes nothing of it. The text that was signed is kept: exports are
made of it, and beside it a change of the stored results can be named.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from samsaas.lib import signatures
from subscriptions.models import MetricResult, PositionDocument, ProductResult, ReconciliationRun

QUESTION = ("question_date", "publishers", "group", "subgroup", "scope_key", "started_at", "finished_at", "problem")
LEFT_OUT = {"id", "run", "current", "model_result", "has_seats", "product_result"}


def sign(run: ReconciliationRun) -> tuple[str, str]:
    """Keep what is signed, and give the signature and the id of its key; both empty without a key.

    The results are stored; the state of the run itself may not be.
    """
    document = as_document(run)
    PositionDocument.objects.update_or_create(run=run, defaults={"text": document.decode()})
    try:
        key = signatures.signing_key()
    except signatures.NoKey:
        return "", ""
    return b64encode(key.sign(document)).decode(), key.public.id


def verify(run: ReconciliationRun) -> bool:
    """Whether a key that this installation believes signed exactly what is stored."""
    key = signatures.known_keys().get(run.key_id)
    return key is not None and is_signed(as_document(run), run.signature, key)


def is_signed(document: bytes, signature: str, key: signatures.PublicKey) -> bool:
    """Whether the owner of the key signed exactly this text."""
    try:
        return key.verifies(b64decode(signature, validate=True), document)
    except ValueError:
        return False


def as_document(run: ReconciliationRun) -> bytes:
    """What is signed: one text for one content, whatever the database."""
    products = [_fields_of(one) for one in run.products.order_by("pk")]
    metrics = MetricResult.objects.filter(model_result__product_result__run=run).order_by("pk")
    results = [
        {"model": [one.model_result.publisher, one.model_result.product, one.model_result.edition], **_fields_of(one)}
        for one in metrics.select_related("model_result")
    ]
    content = {
        "number": run.number,
        "question": {name: _as_text(getattr(run, name)) for name in QUESTION},
        "inputs": run.inputs,
        "figures": run.figures,
        "products": products,
        "results": results,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _fields_of(row: ProductResult | MetricResult) -> dict[str, Any]:
    names = [field.name for field in row._meta.concrete_fields if field.name not in LEFT_OUT]
    return {name: _as_text(getattr(row, name)) for name in names}


def _as_text(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, str, list, dict)) else str(value)

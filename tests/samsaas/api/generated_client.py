"""A client made from the OpenAPI document alone: it knows nothing of the product but what the document says."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from tests.samsaas.api import world


class Operation:
    """One operation of the document, which can be called and whose answers are held against its schemas."""

    def __init__(self, method: str, path: str, about: dict[str, Any]) -> None:
        self.method, self.path, self.about = method.upper(), path, about
        self.key: str = about["operationId"]
        self.parameters = {one["name"]: one for one in about.get("parameters", ())}

    @property
    def has_body(self) -> bool:
        return "requestBody" in self.about

    def body_properties(self) -> dict[str, Any]:
        """The schemas of the fields of the body."""
        if not self.has_body:
            return {}
        found: dict[str, Any] = self.about["requestBody"]["content"]["application/json"]["schema"]["properties"]
        return found

    def body_problems(self, body: Any) -> list[str]:
        """What the schema of the body finds wrong."""
        return problems_of(self.about["requestBody"]["content"]["application/json"]["schema"], body)

    def call(self, caller: world.Caller, *, pk: int = 0, query: str = "", body: Any = None) -> Any:
        """Call it, and check that the answer is one of those that the document describes."""
        path = self.path.replace("{id}", str(pk)) + (f"?{query}" if query else "")
        answer = caller.call(self.method, path, body)
        described = self.about["responses"].get(str(answer.status_code))
        assert described, (self.key, answer.status_code, answer.content)
        ((kind, content),) = described["content"].items()
        assert answer["Content-Type"] == kind, self.key
        assert problems_of(content["schema"], answer.json()) == [], (self.key, answer.json())
        return answer


def problems_of(schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": world.document()["components"]}
    found = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(value)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


def operations() -> list[Operation]:
    paths = world.document()["paths"].items()
    return [Operation(method, path, about) for path, methods in paths for method, about in methods.items()]

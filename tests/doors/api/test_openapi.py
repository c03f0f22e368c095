"""The API's description is a promise: it changes only when somebody means it to."""

import json
from pathlib import Path

from guardia.doors.api.urls import api

GOLDEN = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
RENEW = ".venv/bin/python -m tests.doors.api.renew_openapi"


def described() -> str:
    """Return the OpenAPI document as the golden file keeps it."""
    return json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), indent=2, sort_keys=True) + "\n"


def test_the_api_is_what_its_document_says() -> None:
    kept = GOLDEN.read_text(encoding="utf-8") if GOLDEN.exists() else ""
    assert described() == kept, f"docs/openapi.json differs from the API. If you meant it to, renew it: {RENEW}"


def test_every_operation_says_in_one_line_what_it_does_and_who_may_call_it() -> None:
    paths = json.loads(described())["paths"]
    operations = [(path, method, said) for path, methods in paths.items() for method, said in methods.items()]
    assert len(operations) >= 13
    for path, method, said in operations:
        assert said.get("summary"), f"{method} {path} has no summary"
        assert said.get("security") or path.endswith("/enrol"), f"{method} {path} takes no token"

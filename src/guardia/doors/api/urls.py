"""The JSON API, version 1; its OpenAPI document is compared with the golden file `docs/openapi.json`."""

from typing import Any

from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI
from ninja.parser import Parser

from guardia.doors.api import agents, cases, contract, desk, problems, promise
from guardia.kernel.plain_text import plain_json


class PlainParser(Parser):
    """JSON bodies as a database can keep them."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        body: dict[str, Any] = plain_json(super().parse_body(request))
        return body


api = NinjaAPI(
    title="Guardia",
    version="1",
    description="Support cases, files and machines of a company. Errors are problem details (RFC 9457).",
    urls_namespace="api",
    docs_url=None,
    parser=PlainParser(),
)
api.add_router("", cases.router)
api.add_router("", promise.router)
api.add_router("", contract.router)
api.add_router("/agents", agents.router)
api.add_router("/desk", desk.router)
problems.install(api)

urlpatterns = [path("", api.urls)]

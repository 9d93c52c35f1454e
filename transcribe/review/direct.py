"""Routes of the busy paths: the same functions and the same description, without solving for their parameters anew."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from transcribe.review.access import allowed, caller_of
from transcribe.review.service import Refused, Service

_CHECK = allowed("work")


class Direct(APIRoute):
    """
    A route of workers whose function takes ``given`` (the body), ``caller`` and ``service``, and gives a response.

    What FastAPI does to find these for every request costs more than the rest of it; benchmarks/desk_requests.py.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        endpoint = self.endpoint
        if set(inspect.signature(endpoint).parameters) != {"given", "caller", "service"}:
            raise TypeError(f"{self.path} takes more than a body, a caller and the service")
        shape: TypeAdapter[Any] = TypeAdapter(get_type_hints(endpoint, include_extras=True)["given"])

        async def handle(request: Request) -> Response:
            service: Service = request.app.state.service
            caller = await _CHECK(await caller_of(request, service))
            given = _parsed(shape, await request.body(), request.headers.get("content-type", ""))
            response: Response = await endpoint(given, caller, service)
            return response

        return handle


def _parsed(shape: TypeAdapter[Any], body: bytes, kind: str) -> Any:
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise Refused(422, "E_SHAPE", "the body is to be JSON", hint="say content-type: application/json")
    try:
        return shape.validate_json(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        raise RequestValidationError([each | {"loc": ("body", *each["loc"])} for each in found]) from None

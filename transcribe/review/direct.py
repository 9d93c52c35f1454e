"""The busy routes, answered at once: the same functions and the same description, past what the others need."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias, get_type_hints

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from transcribe.review.access import allowed, caller_of
from transcribe.review.service import Refused, Service

_CHECK = allowed("work")
#: What an error is answered with, by its class.
Told: TypeAlias = Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]


class Direct:
    """
    Wraps *app*, and answers requests of workers for *routes* itself. The function of each takes ``given`` (the body),
    ``caller`` and ``service``, and gives a response.

    What FastAPI does to find the route and these three for every request costs more than the rest of it;
    benchmarks/desk_requests.py.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute], service: Service, told: Told) -> None:
        self._app, self._service, self._told = app, service, told
        mine = [route for route in routes if isinstance(route, APIRoute)]
        self._routes = {
            (method, route.path): (route, _shape(route)) for route in mine for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"], shape = found
        request = Request(scope, receive)
        try:
            response = await self._answer(request, scope["route"].endpoint, shape)
        except Exception as error:
            tell = next((self._told[kind] for kind in type(error).__mro__ if kind in self._told), None)
            if tell is None:
                raise
            response = await tell(request, error)
        await response(scope, receive, send)

    async def _answer(self, request: Request, endpoint: Any, shape: TypeAdapter[Any]) -> Response:
        caller = await _CHECK(await caller_of(request, self._service))
        given = _parsed(shape, await request.body(), request.headers.get("content-type", ""))
        response: Response = await endpoint(given, caller, self._service)
        return response


def _shape(route: APIRoute) -> TypeAdapter[Any]:
    if set(inspect.signature(route.endpoint).parameters) != {"given", "caller", "service"}:
        raise TypeError(f"{route.path} takes more than a body, a caller and the service")
    return TypeAdapter(get_type_hints(route.endpoint, include_extras=True)["given"])


def _parsed(shape: TypeAdapter[Any], body: bytes, kind: str) -> Any:
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise Refused(422, "E_SHAPE", "the body is to be JSON", hint="say content-type: application/json")
    try:
        return shape.validate_json(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        raise RequestValidationError([each | {"loc": ("body", *each["loc"])} for each in found]) from None

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

from transcribe.desk.access import authenticate, require
from transcribe.desk.service import Refused, Service

_REQUIRE_WORK = require("work")
#: The handler of an error, by its class.
Handlers: TypeAlias = Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]


class Direct:
    """
    Wraps *app*, and answers requests of workers for *routes* itself. The function of each takes ``body``,
    ``caller`` and ``service``, and gives a response.

    FastAPI's work to find the route and these three costs more than the rest of a request; benchmarks/desk_requests.py.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute], service: Service, handlers: Handlers) -> None:
        self._app, self._service, self._handlers = app, service, handlers
        api_routes = [route for route in routes if isinstance(route, APIRoute)]
        self._routes = {
            (method, route.path): (route, _body_type(route)) for route in api_routes for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if match is None:
            await self._app(scope, receive, send)
            return
        scope["route"], body_type = match
        request = Request(scope, receive)
        try:
            response = await self._answer(request, scope["route"].endpoint, body_type)
        except Exception as error:
            handler = next(
                (self._handlers[error_type] for error_type in type(error).__mro__ if error_type in self._handlers), None
            )
            if handler is None:
                raise
            response = await handler(request, error)
        await response(scope, receive, send)

    async def _answer(self, request: Request, endpoint: Any, body_type: TypeAdapter[Any]) -> Response:
        caller = await _REQUIRE_WORK(await authenticate(request, self._service))
        body = _parse(body_type, await request.body(), request.headers.get("content-type", ""))
        response: Response = await endpoint(body, caller, self._service)
        return response


def _body_type(route: APIRoute) -> TypeAdapter[Any]:
    if set(inspect.signature(route.endpoint).parameters) != {"body", "caller", "service"}:
        raise TypeError(f"{route.path} takes more than a body, a caller and the service")
    return TypeAdapter(get_type_hints(route.endpoint, include_extras=True)["body"])


def _parse(body_type: TypeAdapter[Any], body: bytes, content_type: str) -> Any:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(422, "E_SHAPE", "the body is to be JSON", hint="say content-type: application/json")
    try:
        return body_type.validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_context=False, include_url=False)
        raise RequestValidationError([problem | {"loc": ("body", *problem["loc"])} for problem in problems]) from None

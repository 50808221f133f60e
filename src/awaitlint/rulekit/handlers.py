"""Which functions of a module are web handlers: what they return goes to a framework."""

from __future__ import annotations

import re
from functools import cache, cached_property
from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.index.reached import reached
from awaitlint.infer.known import FRAMEWORK_NAMES, handler_framework
from awaitlint.infer.values import ClassValue, External, FunctionValue, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index.project import Module
    from awaitlint.infer.values import Value
    from awaitlint.rulekit.context import ModuleContext

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "view", "route")
#: calls that register a handler: how the function that is called was reached
_REGISTRARS = r"""
      fastapi\.(?:FastAPI|APIRouter|applications\.FastAPI|routing\.APIRouter)\.(?:add_api_route|add_route)
    | starlette\.routing\.Route | starlette\.applications\.Starlette\.add_route
    | aiohttp\.web\.(?:get|post|put|patch|delete|head|options|view|route)
    | aiohttp\.web\.Application\.router\.add_(?:get|post|put|patch|delete|head|options|view|route)
    | (?:quart|flask)\.(?:Quart|Flask|Blueprint)\.add_url_rule
    | sanic\.(?:Sanic|Blueprint)\.add_route
    | django\.(?:urls|conf\.urls)\.(?:path|re_path|url)
    """
#: the last names of those
_REGISTERING = frozenset(
    {"add_api_route", "add_route", "add_url_rule", "Route", "path", "re_path", "url", "route"}
    | {f"{prefix}{verb}" for prefix in ("", "add_") for verb in _VERBS}
)
_RESPONSE = (
    r"(?:fastapi|starlette|aiohttp|litestar|quart|sanic|flask|django)\b[\w.]*"
    r"\.(?:\w*Response|json_response|jsonify|json|text|html|make_response|render|TemplateResponse)"
)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.VERBOSE)


class Handlers:
    """The web handlers of one module."""

    def __init__(self, module: ModuleContext) -> None:
        self._module = module
        self._by_scope: dict[int, str | None] = {}
        self._registered: dict[int, str] | None = None

    def framework(self, scope: int) -> str | None:
        """The framework that a function is a handler of (its display name), or None."""
        if scope not in self._by_scope:
            self._by_scope[scope] = self._framework(scope)
        return self._by_scope[scope]

    def _framework(self, scope: int) -> str | None:
        fact = self._module.facts.scopes[scope]
        if fact.kind is not f.ScopeKind.FUNCTION:
            return None
        for decorator in fact.decorators:
            for path in self._paths(decorator):
                found = handler_framework(path)
                if found is not None:
                    return found
        if self._registered is None:
            self._registered = dict(self._registrations()) if self._may_register else {}
        return self._registered.get(scope)

    @cached_property
    def _may_register(self) -> bool:
        """Whether a framework is in reach: imported here, or there is a `urls` beside."""
        return self._urls is not None or any(name in FRAMEWORK_NAMES for name in self._module.facts.packages)

    @cached_property
    def _urls(self) -> Module | None:
        """The `urls` module in which Django's views are registered, beside them."""
        own = self._module.module
        urls = self._module.infer.project.resolve(own, "urls", 1)
        return None if urls is own else urls

    def _registrations(self) -> list[tuple[int, str]]:
        found = self._registrations_in(self._module.module)
        return found if self._urls is None else found + self._registrations_in(self._urls)

    def _registrations_in(self, module: Module) -> list[tuple[int, str]]:
        nodes = module.facts.nodes
        found: list[tuple[int, str]] = []
        for node in nodes:
            if not isinstance(node, f.Call) or not node.args:
                continue
            called = nodes[node.func]
            if isinstance(called, f.Attr):
                if called.name not in _REGISTERING:
                    continue
            elif not isinstance(called, (f.Name, f.Import)):
                continue
            paths = self._paths(node.func, module)
            path = next((each for each in paths if _pattern(_REGISTRARS).fullmatch(each)), "")
            if not path:
                continue
            framework = FRAMEWORK_NAMES[path.partition(".")[0]]
            for argument in (*node.args, *(value for _, value in node.keywords)):
                value = self._module.infer.value(module, argument)
                if isinstance(value, FunctionValue) and value.module is self._module.module:
                    found.append((value.scope, framework))
        return found

    def is_response(self, func: int) -> bool:
        """Whether a called function makes a response out of its arguments."""
        return any(_pattern(_RESPONSE).fullmatch(path) for path in self._paths(func))

    def _paths(self, node: int, module: Module | None = None) -> Iterator[str]:
        """The names by which an expression may be known, less the parentheses of calls."""
        module = module or self._module.module
        infer = self._module.infer
        yield _path(infer.value(module, node))
        call = module.facts.nodes[node]
        if isinstance(call, f.Call):
            yield _path(infer.value(module, call.func))
        yield reached(infer.project, module, node)


def _path(value: Value) -> str:
    """How a function or class of a package was reached, or its qualified name; "" for anything else."""
    if isinstance(value, External):
        return value.path.replace("()", "")
    if isinstance(value, (FunctionValue, ClassValue)):
        return value.qualname
    return value.cls.qualname if isinstance(value, Instance) else ""

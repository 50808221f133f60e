"""Which functions of a module are web handlers: what they return goes to a framework."""

from __future__ import annotations

import os
import re
from functools import cache, cached_property
from typing import TYPE_CHECKING

from awaitlint.files.inputs import note_names
from awaitlint.index import facts as f
from awaitlint.index.reached import reached
from awaitlint.infer.known import FRAMEWORK_NAMES, handler_framework
from awaitlint.infer.values import FunctionValue, Instance
from awaitlint.rulekit.views import VIEW_METHODS, ViewClasses
from awaitlint.rulekit.views import reached as named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaitlint.index.modules import Module
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
#: modules beside a handler's, or in the folder above, that may register it
_REGISTRIES = (
    *("urls", "routes", "routing", "router", "routers"),
    *("app", "application", "main", "server", "asgi", "api"),
)
#: folders above a view's in which other Django apps are looked for, with their `urls`
_APPS_ABOVE = 2


#: the last names of those; cheaper than to ask what is called
_RESPONSE_NAME = r"\w*Response|json_response|jsonify|json|text|html|make_response|render"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.VERBOSE)


class Handlers:
    """The web handlers of one module.

    What registers a handler may stand in another module.  Only modules with the customary names are looked
    at, so that the answer does not depend on which files are checked.
    """

    def __init__(self, module: ModuleContext) -> None:
        self._module = module
        self._by_scope: dict[int, str | None] = {}
        self._views = ViewClasses(module)

    def may_be(self, scope: int) -> bool:
        """Whether a function is perhaps a handler: cheap, and never too narrow."""
        fact = self._module.facts.scopes[scope]
        if fact.kind is not f.ScopeKind.FUNCTION:
            return False
        if fact.decorators or self._may_register:
            return True
        parent = self._module.facts.scopes[fact.parent]
        return parent.kind is f.ScopeKind.CLASS and bool(parent.bases) and fact.name in VIEW_METHODS

    @cached_property
    def _may_register(self) -> bool:
        """Whether a framework is in reach: imported here, or there is a `urls` near by."""
        if self._in_reach(self._module.module):
            return True
        return next(iter(self._beside(set())), None) is not None

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
            for path in (*self._paths(decorator), self._inherited(decorator)):
                found = handler_framework(path) if path else None
                if found is not None:
                    return found
        if self._module.facts.scopes[fact.parent].kind is f.ScopeKind.CLASS:
            return self._views.framework(fact)
        return self._registered.get(scope)

    def _inherited(self, decorator: int) -> str:
        """How a decorator was reached that is a method which a class of the project inherits."""
        nodes = self._module.facts.nodes
        node = nodes[decorator]
        if isinstance(node, f.Call):
            node = nodes[node.func]
        if not isinstance(node, f.Attr):
            return ""
        owner = self._value(node.value)
        return self._views.inherited(owner.cls, node.name) if isinstance(owner, Instance) else ""

    def _value(self, node: int) -> Value:
        return self._module.infer.value(self._module.module, node)

    # ------------------------------------------------------------------ registrations
    @cached_property
    def _registered(self) -> dict[int, str]:
        """The functions of the module that are registered by a call, and with which framework."""
        found: dict[int, str] = {}
        for module in self._registries():
            found.update(self._registrations_in(module))
        return found

    def _registries(self) -> Iterator[Module]:
        own = self._module.module
        if self._in_reach(own):
            yield own
        frameworks = set(FRAMEWORK_NAMES) & set(self._module.facts.packages)
        others = {module for module in self._beside(frameworks) if self._in_reach(module)}
        yield from sorted(others - {own}, key=lambda module: str(module.path))

    @staticmethod
    def _in_reach(module: Module) -> bool:
        return any(name in FRAMEWORK_NAMES for name in module.facts.packages)

    def _beside(self, frameworks: set[str]) -> Iterator[Module]:
        """Modules near the own one that may register its functions."""
        project, own = self._module.infer.project, self._module.module
        directory = own.directory or ""
        root = str(project.root)
        for level in range(1, 2 + _APPS_ABOVE):
            if level <= 2:
                # Django's views need not import anything of it
                for name in _REGISTRIES if frameworks else _REGISTRIES[:1]:
                    found = project.resolve(own, name, level)
                    if found is not None:
                        yield found
            if level > 1 and "django" in frameworks:
                for app in _folders(directory):
                    found = project.resolve(own, f"{app}.urls", level)
                    if found is not None:
                        yield found
            if directory == root or not directory.startswith(root):
                return
            directory = os.path.dirname(directory)  # noqa: PTH120  a string, as a module has it

    def _registrations_in(self, module: Module) -> Iterator[tuple[int, str]]:
        nodes = module.facts.nodes
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
                    yield value.scope, framework

    def is_response(self, func: int) -> bool:
        """Whether a called function makes a response out of its arguments."""
        name = getattr(self._module.facts.nodes[func], "name", "")
        if name and not _pattern(_RESPONSE_NAME).fullmatch(name):
            return False
        return any(_pattern(_RESPONSE).fullmatch(path) for path in self._paths(func))

    def _paths(self, node: int, module: Module | None = None) -> Iterator[str]:
        """The names by which an expression may be known, less the parentheses of calls."""
        module = module or self._module.module
        infer = self._module.infer
        yield named(infer.value(module, node))
        call = module.facts.nodes[node]
        if isinstance(call, f.Call):
            yield named(infer.value(module, call.func))
        yield reached(infer.project, module, node)


def _folders(directory: str) -> list[str]:
    note_names(directory, "[!._]*", "_[!_]*")
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return []
    return sorted(name for name in names if name.isidentifier() and not name.startswith("__"))

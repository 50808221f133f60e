"""Langfuse's `observe`: which versions have it where, and what is wrong with an import of it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitlint.model import Related, Safety, Severity
from awaitlint.syntax.reaching import Binding, dotted, wraps_in_sync

if TYPE_CHECKING:
    from pathlib import Path

    import libcst as cst

    from awaitlint.index.requirements import Admission
else:
    from awaitlint.syntax.cst import cst

TOP = "langfuse.observe"
OLD = "langfuse.decorators.observe"
#: Other imports that only one generation has: dotted name, spelling for messages.
EVIDENCE_2 = {
    "langfuse.decorators.langfuse_context": "langfuse_context",
    "langfuse.callback": "langfuse.callback",
}
EVIDENCE_3 = {"langfuse.get_client": "get_client", "langfuse.langchain": "langfuse.langchain"}


class Row(enum.Enum):
    """What a project admits, as far as `observe` is concerned."""

    UNKNOWN = enum.auto()
    BEFORE_2_21 = enum.auto()
    ONLY_2 = enum.auto()
    BOTH = enum.auto()
    ONLY_3 = enum.auto()


@dataclass(frozen=True, slots=True)
class Target:
    """The version to judge by: its row, its name for messages, the place that says so, and ``always``."""

    row: Row
    version: str = ""
    related: tuple[Related, ...] = ()
    always: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decorator may stand for: imports from either place, and stand-ins for one that fails."""

    top: tuple[Binding, ...]
    old: tuple[Binding, ...]
    fallbacks: tuple[cst.CSTNode, ...]

    @classmethod
    def of(cls, bindings: Iterable[Binding]) -> Standing:
        every = tuple(bindings)
        top = tuple(binding for binding in every if binding.origin == TOP)
        old = tuple(binding for binding in every if binding.origin == OLD)
        fallbacks = tuple(
            binding.node for binding in every if not binding.origin and wraps_in_sync(binding.node)
        )
        guarded = any(binding.guarded and not binding.attribute for binding in (*top, *old))
        return cls(top, old, fallbacks if guarded else ())

    @property
    def suspects(self) -> tuple[Binding, ...]:
        """The imports to judge: none where both places are tried, and no stand-in breaks anything."""
        return () if self.top and self.old and not self.fallbacks else self.top or self.old


def judge(
    binding: Binding, target: Target, shims: Sequence[cst.CSTNode], imported: Iterable[str]
) -> tuple[Severity, str, Safety | None] | None:
    """How bad a binding of `observe` is for the target, what to say, and how safe its fix is, if any."""
    row, version = target.row, target.version
    speaks_2, speaks_3 = _evidence(EVIDENCE_2, imported), _evidence(EVIDENCE_3, imported)
    if speaks_2 and speaks_3:  # a file for both generations speaks for neither
        speaks_2 = speaks_3 = ""
    spelling, error = _spelling(binding)
    movable = not binding.attribute and isinstance(binding.statement, cst.ImportFrom)
    if binding.guarded and not binding.attribute:
        error, safe = "falls to its `except` branch", Safety.UNSAFE
    else:
        error, safe = f"raises {error}", Safety.SAFE
    require_3 = f"`{speaks_3}`, which this file also imports, needs langfuse 3: require `langfuse>=3`"
    require_2 = (
        f"`{speaks_2}`, which this file also imports, is gone in langfuse 3:"
        " import `observe` from `langfuse.decorators`"
    )

    if binding.origin == OLD:
        if row is not Row.ONLY_3:
            return None
        alone = movable and imported_names(binding) == {"observe"}
        message = (
            f"`{spelling}` {error}: {version} has no `langfuse.decorators`; import `observe` from `langfuse`"
        )
        severity, safety = Severity.ERROR, safe if alone else None
        where = f"on {version}"
    elif row in {Row.ONLY_2, Row.BEFORE_2_21}:
        severity, where = Severity.ERROR, f"on {version}"
        if row is Row.ONLY_2:
            message = f"`{spelling}` {error}: {version} has no top-level `observe`; "
            message += require_3 if speaks_3 else "import it from `langfuse.decorators`"
        else:
            message = f"`{spelling}` {error}: {version} has no `observe`, which came with 2.21; "
            message += require_3 if speaks_3 else "require `langfuse>=3`"
        safety = safe if row is Row.ONLY_2 and movable and not speaks_3 else None
    elif row is Row.BOTH:
        severity, safety, where = Severity.WARNING, None, f"on langfuse 2.x, which {version} also admits,"
        message = f"`{spelling}` {error} {where.rstrip(',')}; "
        message += require_2 if speaks_2 else "require `langfuse>=3`"
    elif row is Row.UNKNOWN:
        severity, where = Severity.WARNING, "on langfuse 2.x"
        safety = Safety.UNSAFE if movable and not (speaks_2 or speaks_3) else None
        message = f"`{spelling}` {error} on langfuse 2.x and is right only for 3 and later; "
        otherwise = "on 2.x import it from `langfuse.decorators`, and pin langfuse or set `langfuse-target`"
        message += (speaks_2 and require_2) or (speaks_3 and require_3) or otherwise
    else:
        severity, safety, where = Severity.WARNING, None, "where langfuse 3 is not installed"
        message = f"`{spelling}` is right for {version} and is reported because `langfuse-target` is `always`"
        if not target.always and not shims:
            return None
    if shims:
        message = (
            f"{where} `{spelling}` fails and its fallback wraps `async def` functions in a sync function,"
            " so that a coroutine reaches callers which do not await it; return the function itself there"
        )
    return severity, message, safety


def _evidence(known: dict[str, str], imported: Iterable[str]) -> str:
    found = [known[name] for name in known for whole in imported if f"{whole}.".startswith(f"{name}.")]
    return found[0] if found else ""


def _spelling(binding: Binding) -> tuple[str, str]:
    """The user's spelling of what fails on the other generation, and the exception that it raises there."""
    statement, alias = binding.statement, binding.node
    assert isinstance(alias, cst.ImportAlias)
    renamed = f" as {alias.evaluated_alias}" if alias.asname else ""
    if isinstance(statement, cst.ImportFrom) and statement.module is not None:
        text = f"from {dotted(statement.module)} import {dotted(alias.name)}{renamed}"
        if not (binding.attribute and binding.origin == TOP):
            return text, "ImportError" if dotted(statement.module) == "langfuse" else "ModuleNotFoundError"
    elif f"{dotted(alias.name)}.".startswith("langfuse.decorators."):
        return f"import {dotted(alias.name)}{renamed}", "ModuleNotFoundError"
    return binding.attribute, "AttributeError"


def imported_names(binding: Binding) -> set[str]:
    assert isinstance(binding.statement, cst.ImportFrom)
    names = binding.statement.names
    return set() if isinstance(names, cst.ImportStar) else {alias.evaluated_name for alias in names}


def target_for(option: str, admission: Callable[[], Admission], shown: Callable[[Path], str]) -> Target:
    """What the option says, or else the project; `shown` names a file for messages."""
    if option in {"2", "3+"}:
        row = Row.ONLY_2 if option == "2" else Row.ONLY_3
        return Target(row, f"langfuse {'2.x' if option == '2' else '3 and later'} (`langfuse-target`)")
    found = admission()
    always = option == "always"
    before, two, three = (found.admits(*series) for series in (("0", "2.21"), ("2.21", "3"), ("3", None)))
    if not found.known or not (before or two or three):
        named = [
            Related(shown(place.path), place.span, "no version is told here") for place in found.mentions
        ]
        return Target(Row.UNKNOWN, related=tuple(named), always=always)
    row = (Row.BOTH if before or two else Row.ONLY_3) if three else (Row.ONLY_2 if two else Row.BEFORE_2_21)
    mention = found.evidence("0", "3") or found.mentions[0]
    version = mention.describe("langfuse")
    place = shown(mention.path)
    related = (Related(place, mention.span, f"the project takes {version}"),)
    return Target(row, f"{version} ({mention.path.name})", related, always)

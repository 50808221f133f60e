"""Inference over a linked project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index.recent import Recent
from awaitlint.infer.expectations import Expectations

if TYPE_CHECKING:
    from awaitlint.index import facts as f
    from awaitlint.index.modules import Module
    from awaitlint.index.project import Project
    from awaitlint.infer.bodies import UseOfParameter
    from awaitlint.infer.containers import _Table
    from awaitlint.infer.linearisation import Mro
    from awaitlint.infer.signatures import _Shape
    from awaitlint.infer.values import ClassValue, FunctionValue, Instance, TypeVarValue, Value

#: modules whose tables of users are kept at least: they are quickly made, and as large as the facts
_MOST_TABLES = 16


class Inference(Expectations):
    """Answers what an expression evaluates to.  What it finds out is remembered."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self._mros: dict[ClassValue, Mro] = {}
        self._circular: set[tuple[Module, int]] = set()
        self._type_params: dict[tuple[Module, int], tuple[TypeVarValue, ...]] = {}
        self._attributes: dict[tuple[Instance, str], Value] = {}
        self._results: dict[FunctionValue, Value] = {}
        self._dependent: dict[tuple[Module, int], bool] = {}
        self._callbacks: dict[tuple[Module, int], frozenset[int]] = {}
        self._shapes: dict[tuple[Module, int, bool], _Shape] = {}
        self._coroutine_classes: dict[ClassValue, bool] = {}
        self._makers: dict[FunctionValue, bool] = {}
        self._override_tables: dict[tuple[Module, str], frozenset[tuple[Module, int, bool]]] = {}
        self._future_givers: dict[tuple[Module, int], bool] = {}
        self._context_depth = 0
        self._private: dict[Module, dict[str, list[f.Call]]] = {}
        self._asked_for: dict[Module, frozenset[str]] = {}
        self._user_tables: Recent[Module, dict[int, list[int]]] = Recent(_MOST_TABLES)
        self._captures: dict[Module, dict[tuple[int, str], list[int]]] = {}
        self._tables: dict[Module, _Table] = {}
        self._param_uses: dict[tuple[Module, int, int], list[UseOfParameter]] = {}

    def rest(self) -> None:
        """Give up what takes room and is quickly made again: the next questions are of another project."""
        self._user_tables.clear()

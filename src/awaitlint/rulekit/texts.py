"""The texts of modules, as their facts were made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.files.source import SourceError, decode, split_lines
from awaitlint.index.recent import Recent
from awaitlint.syntax.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from awaitlint.index.modules import Module

#: modules whose lines are kept at least
_MOST = 16


class Texts:
    """Lines and columns of modules, decoded when they are asked for.

    Args:
        data: The bytes that a file's facts were made from, None where there are none.
    """

    def __init__(self, data: Callable[[Path], bytes | None]) -> None:
        self._read = data
        #: modules whose files have changed since: nothing may be concluded from what is not in them
        self.lost: set[Module] = set()
        self._lines: Recent[Module, list[str]] = Recent(_MOST)
        self._columns: Recent[Module, Columns] = Recent(_MOST)

    def rest(self) -> None:
        """Give up what takes room and is quickly made again."""
        self._lines.clear()
        self._columns.clear()

    def data(self, module: Module) -> bytes:
        """The bytes of a module's file; empty for a module that has none, and for one that is lost."""
        module.text_matters = True
        if module.path is None:
            return b""
        data = self._read(module.path)
        if data is None:
            self.lost.add(module)
        return data or b""

    def text(self, module: Module) -> str:
        """A module's text; empty where it cannot be decoded."""
        try:
            return decode(self.data(module)).text
        except SourceError:
            return ""

    def lines(self, module: Module) -> list[str]:
        """The lines of a module's text, without their ends."""
        found = self._lines.get(module)
        if found is None:
            found = split_lines(self.text(module))
            self._lines.put(module, found)
        return found

    def columns(self, module: Module) -> Columns:
        """Translates the columns of a module's text."""
        found = self._columns.get(module)
        if found is None:
            found = Columns(self.lines(module))
            self._columns.put(module, found)
        return found

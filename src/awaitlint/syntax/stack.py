"""Room for code that recurses over a deeply nested text or tree.

Python's own parser accepts some thousand levels of nesting.  libcst's parser recurses natively, and where it
overflows the stack, the process ends; its code generator recurses in Python, where there is a limit.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

#: Stack for native recursion; memory is only used as far as it gets.  The smaller sizes are for systems that
#: do not grant the first.
_SIZES = (256 * 1024 * 1024, 32 * 1024 * 1024)

#: Frames for recursion in Python, of which one level of a tree takes several.
_FRAMES = 100_000

_lock = threading.Lock()


def on_deep_stack(work: Callable[[], _T]) -> _T:
    """Call `work` in a thread that has stack to spare; what it answers or raises comes out of this call."""
    result: list[_T] = []
    errors: list[BaseException] = []

    def call() -> None:
        try:
            result.append(work())
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that waits
            errors.append(error)

    thread = _start(call)
    if thread is None:
        return work()
    thread.join()
    if errors:
        raise errors[0]
    return result[0]


def recursing(work: Callable[[], _T]) -> _T:
    """Call `work`; where the tree is too deep for the recursion limit, once more with a higher one.

    Raises `RecursionError` where even that is not enough.
    """
    try:
        return work()
    except RecursionError:
        with _deep_recursion():
            return on_deep_stack(work)


def _start(call: Callable[[], None]) -> threading.Thread | None:
    with _lock:
        before = threading.stack_size()
        try:
            for size in _SIZES:
                thread = threading.Thread(target=call, name="awaitlint-deep", daemon=True)
                try:
                    threading.stack_size(size)
                    thread.start()
                except (RuntimeError, ValueError):  # no thread, or none with so much stack
                    continue
                return thread
        finally:
            threading.stack_size(before)
    return None


@contextmanager
def _deep_recursion() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)

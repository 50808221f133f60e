"""Putting a file's new content in its place in one step, so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

#: tries to find a name that no other process has taken
_TRIES = 100


def replace_file(path: Path, data: bytes) -> None:
    """Write a file that is there already: beside it, flushed to the disk, and then put in its place.

    The permissions stay.  A link stays, and the file that it points to is written.  Raises `OSError`; the
    file is then as it was.
    """
    target = Path(os.path.realpath(path))
    _put(target, data, target.stat())


def write_file(path: Path, data: bytes) -> bool:
    """Write a file that may not be there yet; answers whether that changed anything.  Raises `OSError`."""
    target = Path(os.path.realpath(path))
    try:
        status = target.stat()
    except FileNotFoundError:
        _put(target, data, None)
        return True
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if target.read_bytes() == data:
        return False
    if not os.access(target, os.W_OK):
        raise PermissionError("permission denied")
    _put(target, data, status)
    return True


def _put(target: Path, data: bytes, status: os.stat_result | None) -> None:
    handle, temporary = _beside(target)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if status is not None:
            _take_owner(temporary, status)
            temporary.chmod(status.st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        temporary.unlink()
        raise


def _beside(target: Path) -> tuple[int, Path]:
    """A new file in the directory of another, with the permissions that new files have."""
    for number in range(_TRIES):
        name = target.parent / f".{target.name[:64]}.{os.getpid()}-{number}.tmp"
        with contextlib.suppress(FileExistsError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            return os.open(name, flags, 0o666), name
    raise FileExistsError("no name is left for a temporary file")


def _take_owner(temporary: Path, status: os.stat_result) -> None:
    own = temporary.stat()
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        # Only root may give files away, and the content is what matters.
        with contextlib.suppress(PermissionError):
            os.chown(temporary, status.st_uid, status.st_gid)

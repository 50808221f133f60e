"""Bytes by key on disk: what is written is found, and nothing on disk can do harm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from awaitlint.engine import pack
from awaitlint.engine.pack import Limits, PackDirectory
from awaitlint.files.digests import digest

VERSION = b"v" * 16
ANY = 1 << 30


def key(number):
    return digest(str(number).encode())


def payload(number, size=100):
    return (f"{number} " * size).encode()[:size]


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "cache"


def write(directory, numbers, version=VERSION, limits=None):
    entries = PackDirectory(directory, version, limits)
    for number in numbers:
        entries.put(key(number), payload(number))
    entries.flush()


def read(directory, numbers, version=VERSION):
    """The numbers whose payload is there, and right."""
    entries = PackDirectory(directory, version)
    found = {number: next(entries.candidates(key(number), ANY), None) for number in numbers}
    assert all(data in (None, payload(number)) for number, data in found.items())
    return {number for number, data in found.items() if data is not None}


def packs(directory):
    return sorted(directory.glob("*.pack"))


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_what_was_put_is_found_before_and_after_the_flush(directory):
    entries = PackDirectory(directory, VERSION)
    entries.put(key(1), b"one")
    assert list(entries.candidates(key(1), ANY)) == [b"one"]
    assert not directory.exists()
    entries.flush()
    assert list(entries.candidates(key(1), ANY)) == [b"one"]
    assert list(PackDirectory(directory, VERSION).candidates(key(1), ANY)) == [b"one"]
    assert list(PackDirectory(directory, VERSION).candidates(key(2), ANY)) == []


def test_the_directory_ignores_and_tags_itself(directory):
    write(directory, [1])
    assert (directory / ".gitignore").read_text() == "*\n"
    assert (
        (directory / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    )
    assert len(names(directory)) == 3


def test_reading_and_flushing_nothing_creates_nothing(directory):
    entries = PackDirectory(directory, VERSION)
    assert list(entries.candidates(key(1), ANY)) == []
    entries.flush()
    assert not directory.exists()


def test_payloads_larger_than_wanted_are_not_read(directory):
    write(directory, [1])
    entries = PackDirectory(directory, VERSION)
    assert list(entries.candidates(key(1), 99)) == []
    assert list(entries.candidates(key(1), 100)) == [payload(1)]


def test_payloads_larger_than_the_limit_are_not_kept(directory, monkeypatch):
    monkeypatch.setattr(pack, "LARGEST", 50)
    write(directory, [1])
    assert not directory.exists()


def test_other_versions_are_not_seen(directory):
    write(directory, [1])
    assert read(directory, [1], version=b"w" * 16) == set()


def test_the_same_writes_make_the_same_file(directory, tmp_path, monkeypatch):
    monkeypatch.setattr(pack.time, "time", lambda: 1e9)
    write(directory, [1, 2, 3])
    write(tmp_path / "other", [1, 2, 3])
    assert names(directory) == names(tmp_path / "other")


def test_many_small_flushes_leave_a_handful_of_packs(directory):
    for number in range(150):
        write(directory, [number])
        assert len(packs(directory)) <= 8
    assert read(directory, range(150)) == set(range(150))


def test_much_is_written_before_the_flush(directory, monkeypatch):
    monkeypatch.setattr(pack, "_MOST_PENDING", 250)
    entries = PackDirectory(directory, VERSION)
    for number in range(3):
        assert not directory.exists()
        entries.put(key(number), payload(number))
    assert read(directory, range(3)) == {0, 1, 2}


def test_what_waits_long_is_written_before_the_flush(directory, monkeypatch):
    now = 100.0
    monkeypatch.setattr(pack.time, "monotonic", lambda: now)
    entries = PackDirectory(directory, VERSION)
    entries.put(key(1), payload(1))
    now += 0.9
    entries.put(key(2), payload(2))
    assert not directory.exists()
    now += 0.2
    entries.put(key(3), payload(3))
    assert read(directory, range(5)) == {1, 2, 3}


# ---------------------------------------------------------------------- damage
def test_no_flipped_bit_is_believed(directory):
    write(directory, range(5))
    [path] = packs(directory)
    whole = path.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        assert len(read(directory, range(5))) < 5


def test_truncated_packs_are_ignored(directory):
    write(directory, range(5))
    [path] = packs(directory)
    whole = path.read_bytes()
    for length in range(0, len(whole), 50):
        path.write_bytes(whole[:length])
        assert read(directory, range(5)) == set()


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 36, b"AWLPACK\n" * 20, os.urandom(5000), b"\xff" * 28 + b"AWLPACK\n"]
)
def test_garbage_is_ignored_and_replaced(directory, data):
    write(directory, [1])
    [path] = packs(directory)
    path.write_bytes(data)
    assert read(directory, [1]) == set()
    write(directory, [1])
    assert read(directory, [1]) == {1}
    assert len(packs(directory)) == 1


def test_a_damaged_entry_is_written_anew_and_the_others_stay(directory):
    write(directory, range(5))
    [path] = packs(directory)
    path.write_bytes(path.read_bytes().replace(payload(3), payload(4)))
    assert read(directory, range(5)) == {0, 1, 2, 4}
    entries = PackDirectory(directory, VERSION)
    assert list(entries.candidates(key(3), ANY)) == []
    entries.put(key(3), payload(3))
    entries.flush()
    assert read(directory, range(5)) == set(range(5))
    assert len(packs(directory)) == 1


def repack(path, change):
    """Rewrite a pack's index, its checksum right again."""
    whole = path.read_bytes()
    _, start, count, magic = pack._FOOTER.unpack(whole[-pack._FOOTER.size :])
    index = whole[start : start + count * pack._RECORD.size]
    records = change([pack._Record(*record) for record in pack._RECORD.iter_unpack(index)])
    index = b"".join(pack._RECORD.pack(*record) for record in records)
    footer = pack._FOOTER.pack(digest(index), start, len(records), magic)
    path.write_bytes(whole[:start] + index + footer)


@pytest.mark.parametrize(
    ("change", "right"),
    [
        pytest.param(
            lambda rs: [rs[0]._replace(key=rs[1].key), rs[1]._replace(key=rs[0].key)], 0, id="swapped"
        ),
        pytest.param(lambda rs: [r._replace(length=(1 << 32) - 1) for r in rs], 0, id="long"),
        pytest.param(lambda rs: [r._replace(offset=(1 << 64) - 1) for r in rs], 0, id="far"),
        pytest.param(lambda rs: [r._replace(offset=r.offset + 1) for r in rs], 0, id="shifted"),
        pytest.param(lambda rs: [], 0, id="empty"),
        pytest.param(lambda rs: rs[:1] * 1000, 1, id="repeated"),
    ],
)
def test_a_forged_index_gives_nothing_wrong_and_is_mended(directory, change, right):
    write(directory, [1, 2])
    [path] = packs(directory)
    repack(path, change)
    assert len(read(directory, [1, 2])) == right
    write(directory, [1, 2, 3])
    assert read(directory, [1, 2, 3]) == {1, 2, 3}


def test_an_index_of_immense_size_is_not_read(directory, monkeypatch):
    write(directory, range(5))
    monkeypatch.setattr(pack, "_MOST_ENTRIES", 4)
    assert read(directory, range(5)) == set()
    write(directory, [1])
    assert read(directory, range(5)) == {1}
    assert len(packs(directory)) == 1


def test_of_many_packs_the_indexes_are_read_up_to_the_limit(directory, monkeypatch):
    write(directory, range(20))
    write(directory, [20])
    monkeypatch.setattr(pack, "_MOST_ENTRIES", 20)
    assert read(directory, range(21)) == {20}


def test_what_was_rejected_is_forgotten(directory):
    write(directory, [1, 2])
    entries = PackDirectory(directory, VERSION)
    [_] = entries.candidates(key(1), ANY)
    entries.reject(key(1))
    entries.flush()
    assert read(directory, [1, 2]) == {2}
    entries.put(key(1), payload(1))
    entries.flush()
    for number in (3, 4, 5):
        entries.put(key(number), payload(number))
    entries.flush()
    assert len(packs(directory)) == 1
    assert read(directory, range(6)) == {1, 2, 3, 4, 5}


# ---------------------------------------------------------------------- links and special files
def test_a_link_in_place_of_the_directory_is_not_followed(directory, tmp_path):
    write(tmp_path / "elsewhere", [1])
    before = names(tmp_path / "elsewhere")
    directory.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert read(directory, [1]) == set()
    write(directory, [2])
    assert names(tmp_path / "elsewhere") == before


def test_a_file_in_place_of_the_directory_stays(directory):
    directory.write_text("mine")
    assert read(directory, [1]) == set()
    write(directory, [1])
    assert directory.read_text() == "mine"


def test_a_link_in_place_of_a_pack_is_not_followed(directory, tmp_path):
    write(directory, [1])
    [path] = packs(directory)
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    assert read(directory, [1]) == set()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_in_place_of_a_pack_does_not_hang(directory):
    write(directory, [1])
    [path] = packs(directory)
    path.unlink()
    os.mkfifo(path)
    assert read(directory, [1]) == set()
    with pytest.raises(ValueError, match="not a file"):
        pack._Pack(path, 10)
    write(directory, [2])
    assert read(directory, [1, 2]) == {2}


def test_foreign_files_stay(directory):
    write(directory, [1])
    (directory / "notes.txt").write_text("mine")
    (directory / "evil.pack").write_text("mine")
    write(directory, range(10))
    assert {"notes.txt", "evil.pack"} <= set(names(directory))


# ---------------------------------------------------------------------- disks that cannot be written
@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="there are no user ids")
def test_a_directory_that_may_not_be_written_is_left_alone():
    root = Path(tempfile.mkdtemp())  # tmp_path is in a directory that only its owner may enter
    root.chmod(0o555)
    owner = os.geteuid()
    try:
        if owner == 0:  # who may write everywhere gives that up for a while
            os.seteuid(65534)
        write(root / "cache", [1])
        assert read(root / "cache", [1]) == set()
    finally:
        os.seteuid(owner)
        left = list(root.iterdir())
        root.chmod(0o755)
        shutil.rmtree(root)
    assert left == []


def run_python(code, *arguments, **options):
    environment = {**os.environ, "PYTHONPATH": os.fspath(Path(pack.__file__).parents[2])}
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=environment, **options)


FULL = """
import pathlib, resource, sys
from awaitlint.engine.pack import PackDirectory
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
entries = PackDirectory(pathlib.Path(sys.argv[1]), b"v" * 16)
entries.put(b"a" * 16, b"x" * 100_000)
entries.flush()
entries.put(b"b" * 16, b"x")
entries.flush()
assert list(entries.candidates(b"a" * 16, 1 << 30)) == []
"""


def test_a_full_disk_leaves_no_half_file(directory):
    pytest.importorskip("resource")
    write(directory, [1])
    before = names(directory)
    process = run_python(FULL, directory, stderr=subprocess.PIPE, text=True)
    assert (process.communicate()[1], process.returncode) == ("", 0)
    assert names(directory) == before
    assert read(directory, [1]) == {1}


def test_an_interrupted_write_leaves_no_half_file(directory, monkeypatch):
    def interrupted(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(directory, [1])
    assert names(directory) == [".gitignore", "CACHEDIR.TAG"]


# ---------------------------------------------------------------------- several processes
WRITER = """
import pathlib, sys
from awaitlint.engine.pack import PackDirectory
from awaitlint.files.digests import digest
directory, first = pathlib.Path(sys.argv[1]), int(sys.argv[2])
for start in range(first, first + 120, 3):
    entries = PackDirectory(directory, b"v" * 16)
    for number in range(start, start + 3):
        entries.put(digest(str(number).encode()), (f"{number} " * 100).encode()[:100])
    entries.flush()
"""


def test_two_processes_lose_nothing_of_each_other(directory):
    writers = [run_python(WRITER, directory, first) for first in (0, 100)]  # they share 100 to 119
    while any(writer.poll() is None for writer in writers):
        read(directory, range(0, 220, 20))  # and a reader finds right payloads or none
    assert [writer.returncode for writer in writers] == [0, 0]
    assert read(directory, range(220)) == set(range(220))
    assert not list(directory.glob("*.tmp"))
    write(directory, [500])
    assert len(packs(directory)) < 15


def test_a_pack_that_another_process_merged_away_is_looked_for_again(directory, monkeypatch):
    write(directory, range(50))
    stale = PackDirectory(directory, VERSION)._scan()
    write(directory, range(50, 100))  # merges the first into a new one
    scan = PackDirectory._scan
    answers = [stale]
    monkeypatch.setattr(PackDirectory, "_scan", lambda self: answers.pop() if answers else scan(self))
    assert read(directory, range(100)) == set(range(100))


# ---------------------------------------------------------------------- room
def test_beyond_the_limit_the_oldest_used_are_dropped(directory, monkeypatch):
    now = 1_000_000_000
    monkeypatch.setattr(pack.time, "time", lambda: now)
    limits = Limits(entries=20)
    for number in range(20):
        now += 10
        write(directory, [number], limits=limits)
    now += 10
    entries = PackDirectory(directory, VERSION, limits)
    for number in (2, 3):
        [_] = entries.candidates(key(number), ANY)
    entries.put(key(20), payload(20))
    entries.flush()
    # fifteen are left: the new one, the two that were used, and of the rest the twelve newest
    assert read(directory, range(21)) == {2, 3, *range(8, 21)}


def test_the_size_is_bounded(directory):
    limits = Limits(size=4000)
    for number in range(100):
        write(directory, [number], limits=limits)
        assert sum(path.stat().st_size for path in packs(directory)) < 4500
    assert 99 in read(directory, range(100))


def age(path, days):
    status = path.stat()
    os.utime(path, (status.st_mtime - days * 86_400,) * 2)


def test_packs_of_other_versions_are_given_up_after_a_month_or_for_room(directory):
    write(directory, [1], version=b"w" * 16)
    [old] = packs(directory)
    age(old, 40)
    write(directory, [1, 2], version=b"x" * 16)
    [kept] = packs(directory)
    age(kept, 20)
    write(directory, [1, 2])
    assert kept in packs(directory)
    assert len(packs(directory)) == 2
    write(directory, [3], limits=Limits(size=kept.stat().st_size + 300))
    assert kept not in packs(directory)
    assert read(directory, [1, 2, 3]) == {1, 2, 3}


def test_temporary_files_of_ended_processes_are_removed(directory):
    write(directory, [1])
    for name in ("old.tmp", "new.tmp"):
        (directory / name).write_text("half")
    age(directory / "old.tmp", 1)
    write(directory, [2])
    assert "old.tmp" not in names(directory)
    assert "new.tmp" in names(directory)


def test_a_use_is_written_down_once_a_week(directory, monkeypatch):
    now = 1_000_000_000
    monkeypatch.setattr(pack.time, "time", lambda: now)
    write(directory, [1, 2])
    [first] = packs(directory)

    def use():
        entries = PackDirectory(directory, VERSION)
        [_] = entries.candidates(key(1), ANY)
        entries.flush()

    now += 6 * 86_400
    use()
    assert packs(directory) == [first]
    now += 2 * 86_400
    use()
    [second] = packs(directory)
    assert second != first
    used = {record.key: record.used for record in pack._Pack(second, 10).records()}
    assert used == {key(1): now, key(2): 1_000_000_000}

"""Applying fixes, and writing them to disk."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from awaitlint.engine import fixes
from awaitlint.engine.fixes import FixError, FixOutcome, apply_fixes, verify, write_fixed
from awaitlint.model import Diagnostic, Edit, Fix, Safety, Span


def edit(line, column, end_column, replacement, end_line=None):
    return Edit(Span(line, column, end_line or line, end_column), replacement)


def finding(*edits, safety=Safety.SAFE, at=None):
    span = at or edits[-1].span
    return Diagnostic("a.py", span, "AWL101", "unawaited-coroutine", "m", fix=Fix("Fix it", edits, safety))


def fixed(text, *findings, unsafe=False):
    return apply_fixes(text, findings, unsafe=unsafe)


def test_edits_of_one_fix_go_together():
    outcome = fixed("x = f().y\n", finding(edit(1, 4, 4, "(await "), edit(1, 7, 7, ")")))
    assert outcome.text == "x = (await f()).y\n"
    assert len(outcome.applied) == 1
    assert (outcome.skipped, outcome.rejected) == ((), ())


def test_unsafe_fixes_wait_for_permission():
    unsafe = finding(edit(1, 0, 0, "await "), safety=Safety.UNSAFE)
    assert fixed("f()\n", unsafe).text == "f()\n"
    assert fixed("f()\n", unsafe).skipped == ()
    assert fixed("f()\n", unsafe, unsafe=True).text == "await f()\n"


def test_findings_without_a_fix_are_passed_over():
    bare = Diagnostic("a.py", Span(1, 0, 1, 1), "AWL101", "unawaited-coroutine", "m")
    assert fixed("f()\n", bare) == FixOutcome("f()\n")


def test_of_overlapping_fixes_the_first_wins_and_the_other_waits():
    outer = finding(edit(1, 0, 9, "await g()"))
    inner = finding(edit(1, 2, 8, "h"))
    outcome = fixed("f(time())\n", inner, outer)
    assert outcome.text == "await g()\n"
    assert (outcome.applied, outcome.skipped) == ((outer,), (inner,))


def test_fixes_that_touch_at_one_point_are_not_mixed():
    first = finding(edit(1, 0, 3, "abc"))
    second = finding(edit(1, 3, 3, "()"))
    outcome = fixed("foo\n", first, second)
    assert (outcome.text, outcome.skipped) == ("abc\n", (second,))


def test_the_same_import_is_added_once():
    text = "import time\n\ntime.sleep(1)\ntime.sleep(2)\n"
    findings = [
        finding(edit(2, 0, 0, "import asyncio\n"), edit(line, 0, 10, "asyncio.sleep")) for line in (3, 4)
    ]
    outcome = fixed(text, *findings)
    assert outcome.text == "import time\nimport asyncio\n\nasyncio.sleep(1)\nasyncio.sleep(2)\n"
    assert outcome.applied == tuple(findings)


def test_an_equal_insertion_that_is_no_line_is_not_shared():
    # Both would open a parenthesis at the same place and close it at different ones.
    outer = finding(edit(1, 0, 0, "(await "), edit(1, 5, 5, ")"))
    inner = finding(edit(1, 0, 0, "(await "), edit(1, 3, 3, ")"))
    outcome = fixed("f()()\n", outer, inner)
    assert len(outcome.applied) == len(outcome.skipped) == 1


def test_the_same_fix_from_two_rules_is_applied_once_and_counts_for_both():
    one = finding(edit(1, 0, 0, "await "))
    two = finding(edit(1, 0, 0, "await "), at=Span(1, 0, 1, 3))
    outcome = fixed("f()\n", one, two)
    assert outcome.text == "await f()\n"
    assert set(outcome.applied) == {one, two}


def test_a_fix_keeps_the_newlines_of_the_file():
    add = finding(edit(1, 0, 0, "import a\nimport b\n"))
    assert fixed("x\r\ny\n", add).text == "import a\r\nimport b\r\nx\r\ny\n"
    assert fixed("x\ny\r\n", add).text == "import a\nimport b\nx\ny\r\n"
    assert fixed("x\ry\r", add).text == "import a\rimport b\rx\ry\r"


def test_columns_count_characters_and_lines_count_as_in_python():
    text = "'\N{PILE OF POO}'; f()\n\x0cg()\n"
    assert fixed(text, finding(edit(1, 5, 5, "await "))).text == "'\N{PILE OF POO}'; await f()\n\x0cg()\n"
    assert fixed(text, finding(edit(2, 1, 2, "h"))).text == "'\N{PILE OF POO}'; f()\n\x0ch()\n"


@pytest.mark.parametrize(
    "edits",
    [
        (edit(9, 0, 0, "x"),),
        (edit(1, 0, 99, "x"),),
        (edit(1, 3, 1, "x"),),
        (edit(0, 0, 0, "x"),),
        (edit(1, 0, 3, "x"), edit(1, 2, 4, "y")),
    ],
)
def test_a_fix_that_does_not_fit_the_text_is_rejected(edits):
    bad = finding(*edits)
    good = finding(edit(2, 0, 0, "await "))
    outcome = fixed("foo()\nf()\n", bad, good)
    assert outcome.text == "foo()\nawait f()\n"
    assert (outcome.applied, outcome.rejected) == ((good,), (bad,))


def test_a_fix_that_breaks_the_syntax_is_rejected_and_the_others_stay():
    bad = finding(edit(1, 0, 0, "await ("))
    good = finding(edit(2, 0, 0, "await "))
    outcome = fixed("f()\ng()\n", bad, good)
    assert outcome.text == "f()\nawait g()\n"
    assert (outcome.applied, outcome.rejected) == ((good,), (bad,))


def test_one_bad_fix_among_many_costs_few_attempts(monkeypatch):
    attempts = []
    monkeypatch.setattr(
        fixes, "verify", lambda before, after: attempts.append(after) or verify(before, after)
    )
    good = [finding(edit(line, 0, 0, "await ")) for line in range(1, 101)]
    bad = finding(edit(50, 0, 0, "await ("))
    outcome = fixed("f()\n" * 100, *good[:49], bad, *good[50:])
    assert outcome.text == ("await f()\n" * 49) + "f()\n" + ("await f()\n" * 50)
    assert (len(outcome.applied), outcome.rejected) == (99, (bad,))
    assert len(attempts) < 20


def test_many_fixes_are_compared_with_their_neighbours_only():
    class Counted(int):
        """An offset that counts how often it is compared."""

        compared = 0

        def __lt__(self, other):
            Counted.compared += 1
            return int(self) < int(other)

        __hash__ = int.__hash__

    accepted = fixes._Accepted()
    for start in range(0, 20_000, 10):
        one = [fixes._Replacement(Counted(start), Counted(start + 3), "x")]
        assert accepted.fits(one)
        accepted.add(one)
    assert Counted.compared < 100_000
    assert accepted.fits([fixes._Replacement(9_994, 9_999, "x")])
    assert not accepted.fits([fixes._Replacement(9_993, 9_999, "x")])
    assert not accepted.fits([fixes._Replacement(9_994, 10_000, "x")])


def test_verify():
    assert verify("f()", "await f()") is None
    assert verify("f()", "await (f()") == "line 1: '(' was never closed"
    assert verify("f(", "await (f(") is None  # it was broken before
    assert verify("f()", "f('\0')")


# -- writing


def test_only_a_change_is_written(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"f()\n")
    os.utime(path, (1, 1))
    assert write_fixed(path, b"f()\n", "f()\n", "utf-8", bom=False) is False
    assert path.stat().st_mtime == 1
    assert write_fixed(path, b"f()\n", "g()\n", "utf-8", bom=False) is True
    assert path.read_bytes() == b"g()\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.py"]


@pytest.mark.parametrize(
    ("before", "after", "encoding", "bom"),
    [
        (b"\xef\xbb\xbff()\r\n", "g()\r\n", "utf-8", True),
        (b"# coding: latin-1\n'\xe9'\n", "# coding: latin-1\n'\xe9\xe8'\n", "iso-8859-1", False),
        (b"a\r\nb\nc\r", "a\r\nB\nc\r", "utf-8", False),
    ],
)
def test_encoding_mark_and_newlines_stay(tmp_path, before, after, encoding, bom):
    path = tmp_path / "a.py"
    path.write_bytes(before)
    assert write_fixed(path, before, after, encoding, bom=bom)
    assert path.read_bytes() == (b"\xef\xbb\xbf" if bom else b"") + after.encode(encoding)


def test_permissions_and_links_stay(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    path = real / "a.py"
    path.write_bytes(b"f()\n")
    path.chmod(0o751)
    link = tmp_path / "link.py"
    link.symlink_to(path)
    assert write_fixed(link, b"f()\n", "g()\n", "utf-8", bom=False)
    assert link.is_symlink()
    assert path.read_bytes() == b"g()\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o751


def refused(path: Path, before: bytes, text: str, encoding: str = "utf-8") -> str:
    with pytest.raises(FixError) as caught:
        write_fixed(path, before, text, encoding, bom=False)
    return caught.value.reason


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"newer\n")
    assert refused(path, b"f()\n", "g()\n") == "it was changed while it was checked"
    assert path.read_bytes() == b"newer\n"


def test_a_file_that_is_gone_is_an_error(tmp_path):
    assert refused(tmp_path / "a.py", b"f()\n", "g()\n") == "no such file or directory"


def test_what_the_encoding_lacks_is_an_error(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"f()\n")
    assert refused(path, b"f()\n", "'\u20ac'\n", "latin-1") == "latin-1 has no '\u20ac'"
    assert path.read_bytes() == b"f()\n"


def test_a_file_that_may_not_be_written_is_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "a.py"
    path.write_bytes(b"f()\n")
    monkeypatch.setattr(os, "access", lambda target, mode: mode != os.W_OK)
    assert refused(path, b"f()\n", "g()\n") == "permission denied"
    assert path.read_bytes() == b"f()\n"


def test_a_full_disk_leaves_the_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"f()\n")
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from awaitlint.engine.fixes import FixError, write_fixed\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "try:\n    write_fixed(Path(sys.argv[1]), b'f()\\n', 'x' * 1000, 'utf-8', bom=False)\n"
        "except FixError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, str(path)], check=True, capture_output=True, text=True
    )
    assert done.stdout == f"{path}: cannot write the fixed file: file too large\n"
    assert path.read_bytes() == b"f()\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.py"]


def test_an_interrupt_leaves_no_temporary_file(tmp_path, monkeypatch):
    path = tmp_path / "a.py"
    path.write_bytes(b"f()\n")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_fixed(path, b"f()\n", "g()\n", "utf-8", bom=False)
    assert path.read_bytes() == b"f()\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.py"]

"""Finding, reading and decoding files."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pathspec
import pytest

from awaitlint.files import ignorefiles
from awaitlint.files.discover import DEFAULT_EXCLUDE, Target, UsageError, discover, stdin_target
from awaitlint.files.globs import GlobError, Globs, compile_glob
from awaitlint.files.listings import Listings
from awaitlint.files.roots import project_root, repository_root
from awaitlint.files.source import SourceError, SourceStore, decode, split_lines


@dataclass(frozen=True)
class Options:
    root: Path
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True


def tree(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def names(root: Path, *paths: str, errors: list | None = None, **options) -> list[str]:
    settings = Options(root, **options)
    report = None if errors is None else lambda name, reason: errors.append((name, reason))
    found = discover(paths or (".",), lambda _: settings, cwd=root, on_error=report)
    return [target.display for target in found]


# -- decoding


@pytest.mark.parametrize(
    ("data", "text", "encoding", "bom"),
    [
        (b"x = 1\r\ny = 2\r", "x = 1\r\ny = 2\r", "utf-8", False),
        (b"\xef\xbb\xbfx\n", "x\n", "utf-8", True),
        (
            "# -*- coding: latin-1 -*-\n'é'\n".encode("latin-1"),
            "# -*- coding: latin-1 -*-\n'é'\n",
            None,
            False,
        ),
        (
            "#!/bin/python\n# coding=cp1251\n'я'".encode("cp1251"),
            "#!/bin/python\n# coding=cp1251\n'я'",
            None,
            False,
        ),
        (b"", "", "utf-8", False),
        (b"# coding: utf-8\n\xc3\xa9", "# coding: utf-8\né", "utf-8", False),
    ],
)
def test_decode(data, text, encoding, bom):
    decoded = decode(data)
    assert decoded.text == text
    assert decoded.bom is bom
    if encoding is not None:
        assert decoded.encoding == encoding
    assert (b"\xef\xbb\xbf" if bom else b"") + decoded.text.encode(decoded.encoding) == data


def test_a_long_first_line_before_the_cookie_is_read_whole():
    data = ("# " + "é" * 9000 + "\n# coding: utf-8\n'é'\n").encode()
    assert decode(data).text == data.decode()


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        (b"a = 1\nb = '\xff'\n", "byte 11 is not valid utf-8", 2),
        (b"# coding: martian\n", "unknown encoding: martian", 1),
        (b"# coding: rot13\n", "cannot decode the file as rot13: ", 1),
        (b"\xef\xbb\xbf# coding: latin-1\n", "encoding problem: utf-8", 1),
        ("x = 1\n".encode("utf-16"), "the file is UTF-16, which Python does not accept as source", 1),
    ],
)
def test_decode_errors(data, reason, line):
    with pytest.raises(SourceError) as caught:
        decode(data, Path("/p/a.py"))
    assert caught.value.reason.startswith(reason)
    assert caught.value.line == line
    assert str(caught.value).startswith("/p/a.py: ")


def test_lines_end_where_python_ends_them():
    assert split_lines("a\r\nb\rc\nd\x0ce\u2028f") == ["a", "b", "c", "d\x0ce\u2028f"]


def test_an_overlay_stands_in_for_a_file(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"disk")
    unsaved = tmp_path / "new" / "b.py"
    store = SourceStore({path: b"buffer", unsaved: b""})
    assert store.read(path) == b"buffer"
    assert store.read(unsaved) == b""
    assert store.exists(unsaved)
    assert store.is_dir(unsaved.parent)
    assert not store.exists(tmp_path / "c.py")
    assert SourceStore().read(path) == b"disk"


@pytest.mark.parametrize("name", ["missing.py", ".", "nul\0.py"])
def test_what_cannot_be_read_is_a_source_error(tmp_path, name):
    with pytest.raises(SourceError) as caught:
        SourceStore().read(tmp_path / name)
    assert caught.value.path == tmp_path / name
    assert caught.value.reason


# -- globs


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("build", "/p/a/build", True),
        ("build", "/p/a/build/x.py", True),
        ("build", "/p/rebuild/x.py", False),
        ("build/", "/p/build/x.py", True),
        ("./src/gen", "/p/src/gen/deep/x.py", True),
        ("src/gen", "/p/a/src/gen/x.py", False),
        ("**/gen", "/p/a/src/gen/x.py", True),
        ("**/gen", "/p/gen", True),
        ("tests/*", "/p/tests/a/b.py", True),
        ("tests/*", "/p/tests", False),
        ("src/**/x.py", "/p/src/x.py", True),
        ("src/**/x.py", "/p/src/a/b/x.py", True),
        ("*_pb2.py", "/p/a/x_pb2.py", True),
        ("{a,b}.py", "/p/b.py", True),
        ("[!a].py", "/p/a.py", False),
        ("[!a].py", "/p/b.py", True),
        ("[a-c].py", "/p/b.py", True),
        ("a?.py", "/p/ab.py", True),
        ("a.py", "/p/axpy", False),
        (r"a\*.py", "/p/a*.py", True),
        (r"a\*.py", "/p/ab.py", False),
        ("/q/x.py", "/q/x.py", True),
        ("q", "/q/x.py", False),  # what the path lies in, outside the root, is not asked
        ("x.py", "/q/x.py", True),
        ("p", "/p", False),
        ("*", "/", False),
    ],
)
def test_globs(pattern, path, expected):
    assert Globs([pattern], "/p").match(path) is expected


def test_a_root_with_special_characters_is_taken_literally():
    assert Globs(["src/*.py"], "/p[1]{x}").match("/p[1]{x}/src/a.py")


@pytest.mark.parametrize("pattern", ["a[b", "a{b", "[z-a]", "{a,b}" * 10])
def test_malformed_globs(pattern):
    with pytest.raises(GlobError):
        compile_glob(pattern)


def matches(pieces, name):
    """Whether a pattern in pieces matches a name, by trying everything."""
    if not pieces:
        return not name
    first, *rest = pieces
    if first == "*":
        return any(matches(rest, name[at:]) for at in range(len(name) + 1))
    if first == "**/":
        ends = [0, *(at + 1 for at, char in enumerate(name) if char == "/")]
        return any(matches(rest, name[at:]) for at in ends)
    if first.startswith("{"):
        return any(matches([*option, *rest], name) for option in first[1:-1].split(","))
    fits = name[:1] and (first == "?" or name[0] in first)
    return bool(fits) and matches(rest, name[1:])


@pytest.mark.parametrize("seed", range(300))
def test_globs_against_trying_everything(seed):
    chance = random.Random(seed)
    pieces = []
    for _ in range(chance.randint(1, 8)):
        piece = chance.choice(("a", "b", "/", "*", "*", "?", "[ab]", "{a,b*,}", "/**/"))
        if piece != "*" or pieces[-1:] != ["*"]:  # two of them have a meaning of their own before a slash
            pieces += ("/", "**/") if piece == "/**/" else (piece,)
    pattern = compile_glob("".join(pieces))
    for _ in range(20):
        name = "".join(chance.choice("aab/c") for _ in range(chance.randint(0, 9)))
        assert (pattern.fullmatch(name) is not None) == matches(pieces, name), (pieces, name)


@pytest.mark.parametrize(
    "pattern", ["*a" * 12 + "*b", "**/a/" * 12 + "b", "a*[!b]*?" * 6 + "b", "**" * 20 + "b"]
)
def test_a_pattern_of_many_wildcards_comes_to_an_end(pattern):
    assert compile_glob(pattern).fullmatch("a" * 250) is None
    assert compile_glob(pattern).fullmatch("a/" * 100) is None


# -- roots


def test_project_root_is_the_nearest_marked_directory(tmp_path):
    tree(tmp_path, "pyproject.toml", "sub/setup.cfg", "sub/pkg/a.py", "other/a.py")
    assert project_root(tmp_path / "sub/pkg/a.py") == tmp_path / "sub"
    assert project_root(tmp_path / "sub/pkg") == tmp_path / "sub"
    assert project_root(tmp_path / "other/a.py") == tmp_path


def test_project_root_without_markers_is_what_holds_the_outermost_package(tmp_path, monkeypatch):
    # Whatever lies above the temporary directory is none of this test's business.
    monkeypatch.setattr("awaitlint.files.roots.PROJECT_MARKERS", ("no-such-marker",))
    tree(tmp_path, "x/pkg/__init__.py", "x/pkg/sub/__init__.py", "x/pkg/sub/a.py", "x/script.py")
    assert project_root(tmp_path / "x/pkg/sub/a.py") == tmp_path / "x"
    assert project_root(tmp_path / "x/script.py") == tmp_path / "x"


def test_repository_root(tmp_path):
    tree(tmp_path, "repo/a/b.py")
    assert repository_root(tmp_path / "repo/a/b.py") in (None, *tmp_path.parents)
    (tmp_path / "repo/.git").mkdir()
    assert repository_root(tmp_path / "repo/a/b.py") == tmp_path / "repo"


# -- discovery


def test_a_walk_finds_python_files_in_order_and_skips_the_usual_directories(tmp_path):
    tree(
        tmp_path, "b.py", "a.py", "c.pyi", "d.txt", "e.ipynb", "pkg/z.py", "pkg/inner/y.py", ".venv/x.py",
        "node_modules/x.py", "pkg/build/x.py", "venv/lib/site-packages/x.py", "__pycache__/x.py",
        ".hidden/x.py",
    )  # fmt: skip
    assert names(tmp_path) == ["a.py", "b.py", "c.pyi", ".hidden/x.py", "pkg/z.py", "pkg/inner/y.py"]


def test_what_is_given_by_name_is_checked_unless_exclusion_is_forced(tmp_path):
    tree(tmp_path, "build/x.py", "script", "a.py")
    assert names(tmp_path, "build/x.py", "script") == ["build/x.py", "script"]
    assert names(tmp_path, "build") == ["build/x.py"]
    assert names(tmp_path, "build/x.py", "build", "a.py", force_exclude=True) == ["a.py"]
    assert names(tmp_path, ".", force_exclude=True) == ["a.py"]


def test_the_root_is_never_excluded_by_its_own_name(tmp_path):
    tree(tmp_path, "build/a.py")
    assert names(tmp_path / "build", ".", force_exclude=True) == ["a.py"]


def test_exclude_replaces_and_extend_exclude_adds(tmp_path):
    tree(tmp_path, "build/a.py", "gen/b.py", "c.py", "src/gen/d.py")
    assert names(tmp_path, exclude=("src/gen",)) == ["c.py", "build/a.py", "gen/b.py"]
    assert names(tmp_path, extend_exclude=("gen",)) == ["c.py"]


def test_each_file_once_however_it_is_named(tmp_path):
    tree(tmp_path, "pkg/a.py", "pkg/b.py")
    (tmp_path / "pkg/a_link.py").symlink_to(tmp_path / "pkg/b.py")
    (tmp_path / "linked").symlink_to(tmp_path / "pkg")
    assert names(tmp_path, "pkg/a.py", "pkg", str(tmp_path / "pkg/a.py"), "./pkg/../pkg/b.py", "linked") == [
        "pkg/a.py",
        "pkg/b.py",
    ]
    assert names(tmp_path, "linked") == ["linked/a.py", "linked/b.py"]


def test_links_in_a_circle_end(tmp_path):
    tree(tmp_path, "pkg/a.py")
    (tmp_path / "pkg/loop").symlink_to(tmp_path)
    (tmp_path / "pkg/self.py").symlink_to("self.py")
    (tmp_path / "pkg/broken.py").symlink_to("nowhere.py")
    assert names(tmp_path) == ["pkg/a.py"]


def test_a_pipe_is_not_a_source_file(tmp_path):
    tree(tmp_path, "a.py")
    os.mkfifo(tmp_path / "pipe.py")
    assert names(tmp_path) == ["a.py"]


def test_a_missing_path_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"^no such file or directory: nope\.py$"):
        names(tmp_path, "nope.py")


def test_an_unreadable_directory_is_reported_and_the_walk_goes_on(tmp_path, monkeypatch):
    tree(tmp_path, "a/x.py", "b/y.py")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    errors = []
    assert names(tmp_path, errors=errors) == ["b/y.py"]
    assert errors == [("a", "permission denied")]


def test_names_outside_the_current_directory_are_shown_whole(tmp_path):
    tree(tmp_path, "in/a.py", "out/b.py")
    settings = Options(tmp_path)
    found = discover(["../out", "a.py"], lambda _: settings, cwd=tmp_path / "in")
    assert found == [
        Target(tmp_path / "out/b.py", str(tmp_path / "out/b.py")),
        Target(tmp_path / "in/a.py", "a.py"),
    ]


def test_nested_configurations_exclude_for_themselves(tmp_path):
    tree(tmp_path, "one/gen/a.py", "two/gen/b.py")
    one, other = Options(tmp_path / "one", exclude=("gen",)), Options(tmp_path)
    found = discover(["."], lambda path: one if "one" in path.parts else other, cwd=tmp_path)
    assert [target.display for target in found] == ["two/gen/b.py"]


def test_what_git_ignores_is_left_out_as_git_leaves_it_out(tmp_path):
    tree(
        tmp_path, "a.py", "gen/a.py", "pkg/gen/b.py", "pkg/keep_x.py", "pkg/drop_x.py", "pkg/.gitignore",
        "rooted/a.py", "pkg/rooted/a.py", "local.py", "deep/one/two.py", ".gitignore",
    )  # fmt: skip
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("gen/\n*_x.py\n/rooted\n# comment\n\ndeep/**/two.py\n")
    (tmp_path / "pkg/.gitignore").write_text("!keep_x.py\n")
    (tmp_path / ".git/info/exclude").write_text("local.py\n")
    listed = subprocess.run(
        ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard", "*.py"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    expected = sorted(listed.stdout.split())
    assert expected == ["a.py", "pkg/keep_x.py", "pkg/rooted/a.py"]
    assert sorted(names(tmp_path)) == expected
    assert sorted(names(tmp_path, "pkg")) == ["pkg/keep_x.py", "pkg/rooted/a.py"]
    assert len(names(tmp_path, respect_gitignore=False)) == 9
    # What is named is checked, ignored or not.
    assert names(tmp_path, "local.py", "gen") == ["local.py", "gen/a.py"]


def test_ignore_files_only_count_in_a_repository_and_a_nested_one_is_its_own(tmp_path):
    tree(tmp_path, "a.py", "sub/a.py", ".gitignore")
    (tmp_path / ".gitignore").write_text("a.py\n")
    outside = repository_root(tmp_path) is None
    assert names(tmp_path) == (["a.py", "sub/a.py"] if outside else [])
    (tmp_path / ".git").mkdir()
    assert names(tmp_path) == []
    (tmp_path / "sub/.git").mkdir()
    assert names(tmp_path) == ["sub/a.py"]


def test_a_pattern_that_git_cannot_read_does_not_stop_the_others(tmp_path):
    tree(tmp_path, "a.py", "b.py", ".gitignore")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("b.py\n!\n")
    assert names(tmp_path) == ["a.py"]


@pytest.mark.parametrize("pattern", ["*a" * 12 + "*b", "**/a/" * 12 + "b", "*[!b]" * 9 + "b", "*" * 40 + "b"])
def test_ignore_patterns_of_many_wildcards_come_to_an_end(tmp_path, pattern):
    tree(tmp_path, "a" * 240 + ".py", "a/" * 60 + "a.py", ".gitignore", "gen.py")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text(f"{pattern}\ngen.py\n")
    assert len(names(tmp_path)) == 2


@pytest.mark.parametrize("seed", range(40))
def test_tamed_ignore_patterns_mean_what_they_meant(seed):
    chance = random.Random(seed)
    pieces = ("a", "b", "/", "*", "*", "?", "[ab]", "[!a]", ".", "/**/", "\\*")
    for _ in range(20):
        line = "".join(chance.choice(pieces) for _ in range(chance.randint(1, 8)))
        try:
            plain = pathspec.GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        tamed = ignorefiles._spec([line])
        for _ in range(10):
            name = "a" + "".join(chance.choice("aab/.*") for _ in range(chance.randint(0, 8)))
            assert tamed.check_file(name).include == plain.check_file(name).include, (line, name)


def test_pathspec_is_only_imported_for_ignore_files(tmp_path):
    tree(tmp_path, "a.py", "sub/b.py")
    (tmp_path / ".git").mkdir()
    code = (
        "import sys\nfrom pathlib import Path\nfrom awaitlint.config.load import load_settings\n"
        "from awaitlint.files.discover import discover\n"
        "found = discover(['.'], lambda path: load_settings(path, isolated=True))\n"
        "print(len(found), 'pathspec' in sys.modules)"
    )

    def run() -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert run() == "2 False\n"
    (tmp_path / ".gitignore").write_text("sub\n")
    assert run() == "1 True\n"


def test_standard_input_stands_for_a_file(tmp_path):
    settings = Options(tmp_path, force_exclude=True)
    assert stdin_target(None, lambda _: settings, cwd=tmp_path) == Target(tmp_path / "-", "-")
    assert stdin_target("pkg/a.py", lambda _: settings, cwd=tmp_path) == Target(
        tmp_path / "pkg/a.py", "pkg/a.py"
    )
    assert stdin_target("build/a.py", lambda _: settings, cwd=tmp_path) is None


def test_listing_of_a_directory_that_changed_just_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes within the same tick of the file system's clock leaves the directory's time as it was."""
    listings = Listings()
    modified = tmp_path.stat().st_mtime_ns
    assert listings.entries(str(tmp_path)) == {}
    assert not listings.have_changed()
    (tmp_path / "a.py").touch()
    os.utime(tmp_path, ns=(modified, modified))
    assert listings.have_changed()

    settled = Listings()
    assert set(settled.entries(str(tmp_path))) == {"a.py"}
    monkeypatch.setattr("time.time_ns", lambda: modified + 3_000_000_000)
    assert not settled.have_changed()
    reads = []
    monkeypatch.setattr(Listings, "_read", lambda _, directory: reads.append(directory) or {})
    assert not settled.have_changed()
    assert reads == []

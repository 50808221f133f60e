"""The speed benchmark: its trees, edits, command lines and rounds, and that page and numbers agree."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from benchmarks import releases
from benchmarks.processes import Cost, run
from benchmarks.speed import __main__ as speed
from benchmarks.speed import commands, data, edits, installations, measure, page, plot, trees, words
from benchmarks.speed.commands import AWAITLINT, COMPILED, PARSED, Command, Environments
from benchmarks.speed.data import Measured, Measurements
from benchmarks.speed.measure import NOTHING, FailedError, Limits, Rounds

LIMITS = Limits(rounds=2, slow=60, longest=60)
SVG = "{http://www.w3.org/2000/svg}"


def costs(*seconds: float) -> tuple[Cost, ...]:
    return tuple(Cost(cpu=each, wall=each / 2, peak=10 * each) for each in seconds)


def results(cold: dict[tuple[str, str], tuple[float, ...]], **more) -> data.Results:
    """Results of one machine, with the CPU seconds of tools on trees."""
    sizes = {trees.ONE_LINE: 1, "10k": 10_000, "100k": 100_000}
    return data.Results(
        date="2026-01-02",
        machine=data.Machine("a processor", 2, 8, "an OS", "a Python"),
        rounds=3,
        slow=60,
        longest=600,
        versions={AWAITLINT: "1.0", "ruff": "2.0"},
        trees=tuple(data.TreeSize(name, 1, lines, ("a-1",)) for name, lines in sizes.items()),
        cold=Measurements(tuple(Measured(*key, costs(*seconds)) for key, seconds in cold.items())),
        **more,
    )


COLD = {
    (PARSED, trees.ONE_LINE): (1, 1, 1),
    (AWAITLINT, trees.ONE_LINE): (2, 2, 2),
    ("ruff", trees.ONE_LINE): (0.5, 0.5, 0.5),
    (PARSED, "10k"): (3, 2, 4),
    (AWAITLINT, "10k"): (12, 10, 17),
    ("ruff", "10k"): (1, 1, 1),
    ("mypy", "10k"): (24, 20, 34),
    (PARSED, "100k"): (21,),
    (AWAITLINT, "100k"): (42, 40, 44),
    ("ruff", "100k"): (42, 41, 40),
    ("mypy", "100k"): (),
}


# What is kept, and the page.


def test_page_and_plot_are_what_was_measured(tmp_path):
    assert speed.main(["--page", "--output", str(tmp_path / "page.md")]) == 0
    for path, made in ((speed.PAGE, "page.md"), (speed.PLOT, "page.svg")):
        advice = "make bench BENCH_ARGS=--page"
        assert path.read_text(encoding="utf-8") == (tmp_path / made).read_text(encoding="utf-8"), advice


def test_the_versions_are_those_of_the_lists():
    listed = f"{installations.PEERS.read_text()}{installations.REQUIREMENTS.read_text()}".split()
    names = {"hydroid": "hydroid-cli"}
    versions = {name: version for name, version in data.load().versions.items() if name != AWAITLINT}
    assert [
        name for name, version in versions.items() if f"{names.get(name, name)}=={version}" not in listed
    ] == []


def test_the_trees_are_those_that_were_measured():
    known = releases.load()
    for size in data.load().trees:
        if size.name != trees.ONE_LINE:
            tree = trees.BY_NAME[size.name]
            assert size.releases == tuple(each.name for each in trees.chosen(tree, known))


def test_results_are_kept_as_they_are(tmp_path):
    path = tmp_path / "below" / "results.json"
    whole = results(COLD, warm=Measurements((Measured("a", "b", costs(1), "why"),)))
    data.save(whole, path)
    assert data.load(path) == whole
    path.write_text(path.read_text().replace('"rounds"', '"laps"'))
    with pytest.raises(msgspec.ValidationError):
        data.load(path)


def test_ratios_are_of_the_rounds_that_both_ran_in():
    one, other = Measured("a", "t", costs(10, 30, 90)), Measured("b", "t", costs(5, 10, 10))
    assert data.ratio(one, other) == 3
    assert data.ratio(one, Measured("b", "t", costs(4))) == 2.5
    start = Measured("s", "t", costs(5))
    assert data.net_ratio(one, start, other, Measured("s", "t", costs(0))) == 2.5


def rows_of(text: str, title: str) -> dict[str, list[str]]:
    """The rows of the table below a title."""
    lines = text.partition(f"# {title}\n")[2].split("\n#")[0].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    return {name: rest for name, *rest in cells[1:]}


def test_the_tables():
    text = page.page(results(COLD))
    assert rows_of(text, "CPU seconds")[AWAITLINT] == ["2.00", "12.0", "42.0"]
    assert rows_of(text, "CPU seconds")["mypy"] == ["-", "24.0", "-"]
    assert rows_of(text, "CPU seconds")[PARSED] == ["1.00", "3.00", "21.0¹"]
    assert rows_of(text, "Wall seconds")[AWAITLINT] == ["1.00", "6.00", "21.0"]
    assert rows_of(text, "Lines per CPU second")[AWAITLINT] == ["833", "2,381"]
    assert rows_of(text, "CPU seconds, as multiples of `ast.parse`")[AWAITLINT] == ["4.25", "2.00"]
    assert rows_of(text, "The same, less starting")[AWAITLINT] == ["5.00", "2.00"]
    own = rows_of(text, "CPU seconds of awaitlint, as multiples of the tool's")
    assert own == {PARSED: ["4.25", "2.00¹"], "ruff": ["12.0", "1.00"], "mypy": ["0.50", "-"]}
    assert rows_of(text, "Peak memory, MiB")["ruff"] == ["5", "10", "410"]


def test_the_sentences_say_who_is_slower():
    lines = list(words.verdicts(results(COLD)))
    assert lines == [
        (
            "- **10,000 lines**: 12.0 CPU seconds, 4.25 times `ast.parse`; mypy 2.00 times as much; "
            "awaitlint needs 12.0 times ruff."
        ),
        "- **100,000 lines**: 42.0 CPU seconds, 2.00 times `ast.parse`; ruff about as much.",
    ]
    assert words.slower(results(COLD)).splitlines()[2:] == ["- on 10,000 lines: 12.0 times ruff"]
    slow_peer = {key: value for key, value in COLD.items() if key[0] != "ruff"}
    assert words.slower(results(slow_peer)).startswith("In none of these measurements")


def test_what_did_not_run_is_named():
    late = Measured("mypy", "100k", (), "would take more than 600 s")
    whole = results(COLD)
    kept = tuple(each for each in whole.cold.measured if (each.name, each.subject) != ("mypy", "100k"))
    text = page.page(msgspec.structs.replace(whole, cold=Measurements((*kept, late))))
    assert "\n- mypy, 100k: would take more than 600 s\n" in text


def test_the_other_sections():
    warm = Measurements(
        tuple(
            Measured(name, subject, costs(*seconds))
            for name, subject, seconds in (
                (AWAITLINT, NOTHING, (3, 3, 3)),
                ("ruff", NOTHING, (2, 2, 2)),
                (AWAITLINT, "a comment", (4, 4, 4)),
                ("ruff", "a comment", (9,)),
            )
        )
    )
    file = Measurements(
        (Measured("flake8", "a.py", costs(1)), Measured("flake8 with awaitlint", "a.py", costs(3)))
    )
    start = Measurements(
        tuple(
            Measured(name, trees.ONE_LINE, costs(each))
            for name, each in ((commands.PYTHON, 0.01), (commands.VERSION, 0.02))
        )
    )
    size = data.TreeSize("1M", 7, 1_000_000, ())
    whole = results(COLD, warm=warm, warm_tree=size, one_file=file, one_file_lines=2019, start_up=start)
    text = page.page(whole)
    assert rows_of(text, "CPU seconds with a cache") == {
        NOTHING: ["3.00", "2.00"],
        "a comment": ["4.00", "9.00¹"],
    }
    assert rows_of(text, "One file in an editor")["flake8 with awaitlint"] == ["3.00", "1.50", "+1.000", "30"]
    assert rows_of(text, "Starting")["`awaitlint version`"] == ["0.020", "0.010", "2.00", "0"]
    assert "- with a cache, nothing changed: 1.50 times ruff" in text
    assert "after an edit" not in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_seconds_have_three_digits(value, text):
    assert words.seconds(value) == text


# The plot.


def series(*ends: float) -> list[plot.Series]:
    return [plot.Series(f"tool <{number}>", [(10, end / 10), (1000, end)]) for number, end in enumerate(ends)]


def test_the_plot_is_a_picture_that_tells_what_it_shows():
    text = plot.plot(series(1, 10, 100), main="tool <1>", title="A & B", description="what it is")
    root = ET.fromstring(text)
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title description")
    assert [root.find(f"{SVG}{name}").text for name in ("title", "desc")] == ["A & B", "what it is"]
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text
    assert [each.find(f"{SVG}title").text for each in root.iter(f"{SVG}circle")][:2] == [
        "tool <0>: 10 lines, 0.10 CPU s",
        "tool <0>: 1,000 lines, 1.00 CPU s",
    ]


def test_both_axes_are_logarithmic():
    root = ET.fromstring(plot.plot(series(1, 10, 100), main="", title="t", description="d"))
    marks = list(root.iter(f"{SVG}circle"))
    down = [float(each.get("cy")) for each in marks[1::2]]
    assert down[0] - down[1] == pytest.approx(down[1] - down[2], abs=0.2)
    assert len({each.get("cx") for each in marks}) == 2


def test_labels_do_not_cover_each_other():
    root = ET.fromstring(
        plot.plot(series(1, 1.01, 1.02, 0.01, 0.0101, 0.0102), main="", title="t", description="d")
    )
    texts = [each for each in root.iter(f"{SVG}text") if (each.text or "").startswith("tool")]
    down = sorted(float(each.get("y")) for each in texts)
    assert len(down) == 6
    assert min(after - before for before, after in itertools.pairwise(down)) > 15
    assert down[-1] < 500


def test_nothing_cannot_be_plotted():
    with pytest.raises(ValueError, match="nothing"):
        plot.plot([plot.Series("a", [])], main="a", title="t", description="d")


# The trees.


def test_the_trees_grow_and_are_pinned():
    known = releases.load()
    assert [len(trees.chosen(tree, known)) for tree in trees.TREES] == [2, 2, 2, 1, 8, 2]
    assert set(edits.MODULES) <= set(trees.BY_NAME)
    with pytest.raises(KeyError):
        trees.chosen(trees.Tree("x", ("no-such-thing",)), known)


@pytest.fixture
def work(tmp_path) -> Path:
    """Releases that are downloaded and unpacked already."""
    for name, text in (("httpx", "import this\n\n\ndef f():\n    return 1\n"), ("aiosqlite", "x = 1\n")):
        release = next(each for each in releases.load() if each.distribution == name)
        package = tmp_path / "releases" / release.name / name
        (package / "__pycache__").mkdir(parents=True)
        for file in ("__init__.py", "_main.py", "_types.py", "_client.py"):
            (package / file).write_text(text)
        (package / "stub.pyi").write_text("x: int\n")
        (package / "data.json").write_text("{}")
        (package / "__pycache__" / "a.pyc").write_text("")
    return tmp_path


def test_a_tree_has_python_files_and_nothing_else(work):
    target = work / "tree"
    (target / "old").mkdir(parents=True)
    found = trees.assemble(trees.BY_NAME["10k"], releases.load(), work, target)
    assert (found.name, found.files, found.lines) == ("10k", 8, 24)
    assert found.releases == ("httpx-0.28.1", "aiosqlite-0.22.1")
    suffixes = {path.suffix for path in target.rglob("*") if path.is_file()}
    assert suffixes == {".py", ".pyi", ".toml"}
    assert not (target / "old").exists()
    assert (target / "pyproject.toml").read_text() == ""


def test_no_release_hides_the_file_of_another(work):
    source = work / "releases" / "httpx-0.28.1"
    trees.copy_sources(source, work / "tree")
    with pytest.raises(FileExistsError):
        trees.copy_sources(source, work / "tree")


# The edits.

SOURCE = '''\
class A:
    def f(self): ...

    async def g(self):
        """What it does."""
        return 1
'''


def test_edits():
    assert edits.comment(SOURCE) == f"{SOURCE}# a comment\n"
    assert edits.body(SOURCE) == SOURCE.replace("        return", "        changed_ = 1\n        return")
    compile(edits.function(SOURCE), "a.py", "exec")
    assert edits.function(SOURCE).startswith(SOURCE)


@pytest.mark.parametrize("source", ["x = 1\n", "def f(): return 1\n"])
def test_what_has_no_body_cannot_be_edited(source):
    with pytest.raises(edits.EditError):
        edits.body(source)


def test_an_edit_is_undone_whatever_happens(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"x = 1\r\n")
    edit = edits.Edit("e", "a.py", edits.comment)

    def fail() -> None:
        with edits.applied(edit, tmp_path):
            assert path.read_bytes() == b"x = 1\r\n# a comment\n"
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_bytes() == b"x = 1\r\n"


# The command lines.


@pytest.fixture
def where(tmp_path) -> Environments:
    """Environments whose tools do nothing."""
    found = {}
    for name in ("own", "compiled", "flake8", "peers"):
        directory = found[name] = tmp_path / "environments" / name / "bin"
        directory.mkdir(parents=True)
        for tool in ("awaitlint", "flake8", "ruff", "mypy", "hydroid", "flake8-async"):
            (directory / tool).write_text("#!/bin/sh\nexit 0\n")
            (directory / tool).chmod(0o755)
        (directory / "python").symlink_to(sys.executable)
    own = {AWAITLINT: found["own"].parent, COMPILED: found["compiled"].parent}
    return Environments(own, found["flake8"].parent, found["peers"].parent, tmp_path / "empty")


def test_what_runs_without_a_cache(where, tmp_path):
    (tmp_path / "tree" / "b").mkdir(parents=True)
    for name in ("b/c.py", "a.py"):
        (tmp_path / "tree" / name).touch()
    found = {each.name: list(each.arguments) for each in commands.cold(where, tmp_path / "tree")}
    assert list(found)[1:] == [
        "ast.parse, collector off",
        AWAITLINT,
        COMPILED,
        "ruff",
        "mypy",
        "hydroid",
        "flake8-async",
    ]
    assert found["flake8-async"][1:] == ["--enable=ASYNC", "a.py", "b/c.py"]
    assert found["mypy"][-4:] == [
        "--python-executable",
        f"{tmp_path}/empty/bin/python",
        "--cache-dir=/dev/null",
        ".",
    ]
    assert all("--no-cache" in found[name] for name in (AWAITLINT, COMPILED, "ruff", "hydroid"))
    assert all(
        each[-1] == "." for name, each in found.items() if name not in ("flake8-async", *list(found)[:2])
    )


def test_what_runs_with_a_cache(where, tmp_path):
    found = {each.name: list(each.arguments) for each in commands.warm(where, tmp_path / "caches")}
    assert list(found) == [AWAITLINT, COMPILED, "ruff", "mypy", "hydroid"]
    assert not any("--no-cache" in each or "--cache-dir=/dev/null" in each for each in found.values())
    assert f"--cache-dir={tmp_path}/caches/ruff" in found["ruff"]


def test_flake8_runs_with_the_plugin_and_without(where):
    found = {each.name: list(each.arguments) for each in commands.one_file(where, "a.py")}
    assert list(found) == ["flake8", "flake8 with awaitlint", "flake8 with awaitlint, compiled"]
    assert {tuple(each[1:]) for each in found.values()} == {
        ("--isolated", "--exit-zero", "--stdin-display-name", "a.py", "-")
    }
    assert len({each[0] for each in found.values()}) == 3


def test_no_other_tools(where, tmp_path):
    alone = where._replace(peers=None)
    assert [each.name for each in commands.warm(alone, tmp_path)] == [AWAITLINT, COMPILED]


# The rounds.


def test_rounds_go_forth_and_back(tmp_path):
    log = tmp_path / "log"
    both = [Command(name, ["sh", "-c", f"echo {name} >> {log}"]) for name in ("a", "b")]
    measured = measure.repeated(both, "subject", tmp_path, Limits(3, 60, 60))
    assert log.read_text().split() == ["a", "b", "a", "b", "b", "a", "a", "b"]
    assert [(each.name, each.subject, len(each.costs), each.note) for each in measured.measured] == [
        ("a", "subject", 3, ""),
        ("b", "subject", 3, ""),
    ]


def test_what_reads_its_input(tmp_path):
    (tmp_path / "text").write_text("words")
    finished = run(["cat"], tmp_path, stdin=tmp_path / "text")
    assert (finished.output, run(["cat"], tmp_path).output) == ("words", "")


def rounds_of(*walls: float, limits: Limits = LIMITS) -> Measured:
    """What is noted of a command that takes so long, time after time."""
    command = Command("a", [])
    rounds, left = Rounds([command], "t", limits), list(walls)
    for _ in walls:
        rounds.step(command, lambda _: Cost(cpu=1, wall=left.pop(0), peak=1))
    return rounds.measured[0]


def test_what_is_slow_runs_once():
    slow, fast = rounds_of(61, 61), rounds_of(59, 59)
    assert (len(slow.costs), slow.note) == (1, "1 round")
    assert (len(fast.costs), fast.note) == (2, "")


def test_what_fails_has_a_note_and_no_cost(tmp_path):
    rounds = Rounds([Command("a", ["sh", "-c", "exit 2"])], "t", LIMITS)
    rounds.run(tmp_path)
    assert rounds.measured == [Measured("a", "t", (), "it exited with 2")]
    with pytest.raises(FailedError, match="more than 0 s"):
        measure.measure(Command("a", ["sleep", "5"]), tmp_path, Limits(1, 1, 0.1))


def test_what_would_take_too_long_is_left_out(tmp_path):
    sizes = [
        trees.Assembled(name, tmp_path, 1, lines, ())
        for name, lines in (("1 line", 1), ("a", 10), ("b", 10**9))
    ]
    both = [Command("a", ["true"]), Command("b", ["false"])]
    found = measure.cold(sizes, lambda _: both, Limits(1, 60, 60))
    assert [(each.subject, len(each.costs)) for each in found.measured if each.name == "b"] == [
        ("1 line", 1),
        ("a", 1),
        ("b", 0),
    ]
    assert found.find("b", "b").note == "would take more than 60 s"
    assert found.get("b", "b") is None


def test_every_edit_begins_from_the_same_state(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    log = tmp_path / "log"
    tree = trees.Assembled("t", tmp_path, 1, 1, ())
    command = Command("a", ["sh", "-c", f"wc -l < a.py >> {log}"])
    edit = edits.Edit("a comment", "a.py", edits.comment)
    found = measure.warm(tree, [command], [edit], LIMITS)
    assert log.read_text().split() == ["1", "1", *["1", "2", "1"] * 2]
    assert [(each.subject, len(each.costs)) for each in found.measured] == [(NOTHING, 2), ("a comment", 2)]
    failing = measure.warm(tree, [Command("b", ["sh", "-c", "exit 2"])], [edit], LIMITS)
    assert [each.note for each in failing.measured] == ["it exited with 2"] * 2


# All of it.


def test_a_run(work, where, monkeypatch, capsys):
    monkeypatch.setattr(speed, "_environments", lambda *_: where)
    monkeypatch.setattr(speed, "_versions", lambda *_: {AWAITLINT: "1.0"})
    output, kept = work / "page.md", work / "results.json"
    given = ["--tree", "10k", "--warm", "10k", "--rounds", "1", "--work", str(work)]
    assert speed.main([*given, "--results", str(kept), "--output", str(output)]) == 0
    found = data.load(kept)
    assert [tree.name for tree in found.trees] == [trees.ONE_LINE, "10k"]
    assert found.warm_tree is not None
    assert len({each.subject for each in found.warm.measured}) == 5
    assert found.one_file_lines == 5
    assert {len(each.costs) for each in found.start_up.measured} == {4}
    assert output.read_text() == page.page(found)
    assert "With a cache" in output.read_text()
    assert ET.fromstring(output.with_suffix(".svg").read_text()).tag == f"{SVG}svg"
    assert "10k: awaitlint: " in capsys.readouterr().err


def test_a_failure_is_told(work, where, monkeypatch, capsys):
    (where.flake8 / "bin" / "flake8").write_text("#!/bin/sh\nexit 3\n")
    monkeypatch.setattr(speed, "_environments", lambda *_: where)
    given = ["--tree", "10k", "--rounds", "1", "--work", str(work), "--results", str(work / "r")]
    assert speed.main(given) == 1
    assert "it exited with 3" in capsys.readouterr().err
    assert not (work / "r").exists()


def test_the_machine_has_no_name(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("vendor_id\t: x\nmodel name\t: A Fine Processor\n")
    assert data._processor(info) == "A Fine Processor"
    assert data._processor(tmp_path / "none")
    assert set(msgspec.to_builtins(data.machine())) == {"processor", "cores", "memory", "system", "python"}

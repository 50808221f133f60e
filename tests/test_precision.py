"""The benchmark of precision: releases, judgements, and what is made of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benchmarks import judgements, precision, releases
from benchmarks.comparison.matters import BY_RULE
from benchmarks.judgements import Finding, Judgement, JudgementError, Verdict, join
from benchmarks.precision import Checked, Options
from benchmarks.releases import Release
from benchmarks.tools import Diagnostic

RELEASE = Release("the-app", "1.0", ("app", "tool"), "web", "0" * 64)
OTHER = Release("other", "2.0", ("other",), "web", "1" * 64)
SLEEP = Diagnostic("app/main.py", 3, "AWL301", "it sleeps")
WAIT = Diagnostic("app/main.py", 5, "AWL306", "it waits")
HEADER = "package\tversion\tpath\tline\tverdict\tnote\n"


def judgement(rule: str, line: int, verdict: Verdict = Verdict.RIGHT, **changes: object) -> Judgement:
    known = {"package": "the-app", "version": "1.0", "path": "app/main.py"}
    return Judgement(rule=rule, line=line, verdict=verdict, note="why", **{**known, **changes})


class TestReleases:
    def test_the_list(self) -> None:
        listed = releases.load()
        assert len({release.distribution for release in listed}) == len(listed) >= 25
        assert len({release.field for release in listed}) >= 6
        assert all(len(release.sha256) == 64 for release in listed)

    def test_names(self) -> None:
        assert [RELEASE.is_called(name) for name in ("The_App", "tool", "other")] == [True, True, False]
        assert RELEASE.name == "the-app-1.0"
        assert RELEASE.requirement == f"the-app==1.0 --hash=sha256:{'0' * 64}"

    def test_the_modules_of_the_wheel_are_unpacked(self, tmp_path: Path) -> None:
        wheels = tmp_path / "wheels" / RELEASE.name
        wheels.mkdir(parents=True)
        with zipfile.ZipFile(wheels / "the_app-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("app/__init__.py", "a = 1\nb = 2\n")
            wheel.writestr("tests/test_app.py", "a\n")
        for _ in range(2):
            sources = releases.fetch(RELEASE, tmp_path)
            assert sources.lines == 2
            assert [path.name for path in sources.directory.iterdir()] == ["app"]


class TestJudgements:
    def test_the_files_can_be_read(self) -> None:
        said = judgements.load()
        assert {each.rule for each in said} <= set(BY_RULE)
        assert all(each.note for each in said)

    def test_a_file(self, tmp_path: Path) -> None:
        text = f"{HEADER}the-app\t1.0\tapp/main.py\t3\tright\twhy\n"
        (tmp_path / "blocking-sleep.tsv").write_text(text)
        assert judgements.load(tmp_path) == [judgement("blocking-sleep", 3)]

    @pytest.mark.parametrize(
        "text",
        [
            "package\tline\n",
            f"{HEADER}a\t1\tp\t3\tmaybe\tn\n",
            f"{HEADER}a\t1\tp\tx\tright\tn\n",
            f"{HEADER}a\t1\n",
        ],
    )
    def test_what_cannot_be_read(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "blocking-sleep.tsv").write_text(text)
        with pytest.raises(JudgementError, match=r"blocking-sleep\.tsv"):
            judgements.load(tmp_path)

    def test_join(self) -> None:
        findings = [Finding(RELEASE, "blocking-sleep", SLEEP), Finding(RELEASE, "blocking-wait", WAIT)]
        here = judgement("blocking-sleep", 3, package="app", path="./app/main.py")
        gone = judgement("blocking-sleep", 4)
        others = [judgement("blocking-wait", 5, version="2.0"), judgement("blocking-sleep", 5)]
        elsewhere = judgement("blocking-wait", 5, package="elsewhere")
        judged = join(findings, [here, gone, *others, elsewhere], [RELEASE, OTHER])
        assert [said for _, said in judged.findings] == [here, None]
        assert set(judged.stale) == {gone, others[1]}


class TestPage:
    def results(self) -> list[tuple[Release, Checked]]:
        unparsed = Diagnostic("app/bad.py", 1, "AWL901", "cannot parse")
        opt_in = Diagnostic("app/main.py", 7, "AWL311", "it computes")
        return [(RELEASE, Checked(1200, (SLEEP, WAIT, unparsed, opt_in))), (OTHER, Checked(34, ()))]

    def page(self, *said: Judgement) -> str:
        results = self.results()
        judged = join(precision.findings(results), said, [RELEASE, OTHER])
        return "\n".join(precision.page(results, judged))

    def test_counts(self) -> None:
        text = self.page(judgement("blocking-sleep", 3), judgement("blocking-wait", 5, Verdict.WRONG))
        assert "in 2 released packages, 1,234 lines" in text
        assert "| AWL301 blocking-sleep | 1 | 1 | 1 | 0 | 0 | 100% | 100% |" in text
        assert "| all | 2 | 2 | 1 | 1 | 0 | 50% | 50% |" in text
        assert "| the-app | 1.0 | web | 1,200 | 2 | 1 | 1 |" in text
        assert "- blocking-wait: the-app-1.0 `app/main.py:5`: why" in text

    def test_unsure_counts_in_the_strict_share_only(self) -> None:
        text = self.page(judgement("blocking-sleep", 3), judgement("blocking-wait", 5, Verdict.UNSURE))
        assert "| all | 2 | 2 | 1 | 0 | 1 | 100% | 50% |" in text
        assert "Nothing that is judged." in text

    def test_what_is_left_to_judge(self) -> None:
        judged = join(precision.findings(self.results()), [judgement("blocking-sleep", 9)], [RELEASE])
        assert list(precision.todo(judged)) == [
            "# blocking-sleep",
            "the-app\t1.0\tapp/main.py\t3\tit sleeps",
            "# blocking-wait",
            "the-app\t1.0\tapp/main.py\t5\tit waits",
            "# gone: blocking-sleep the-app app/main.py:9 (right)",
        ]


def test_a_release_is_checked(tmp_path: Path) -> None:
    directory = tmp_path / "releases" / RELEASE.name / "app"
    directory.mkdir(parents=True)
    (directory / "main.py").write_text("import time\nasync def f():\n    time.sleep(1)\n")
    options = Options((RELEASE,), tmp_path, [precision.sys.executable, "-m", "awaitlint"], tables=False)
    found = precision.checked(RELEASE, options)
    assert [(each.file, each.line, each.code) for each in found.diagnostics] == [("app/main.py", 3, "AWL301")]
    (directory / "main.py").write_text("\n")
    assert precision.checked(RELEASE, options._replace(tables=True)) == found

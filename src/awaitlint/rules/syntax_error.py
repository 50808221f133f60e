"""
## What it does

Reports a file that cannot be read, decoded or parsed, with the place and the parser's reason. Every other
file is still checked.

Syntax newer than the Python that runs awaitlint is understood as far as libcst understands it. `await` in
the wrong place is not reported here but by [await-outside-async](await-outside-async.md), every occurrence
of it.

## Why is this bad?

Nothing in such a file is checked, and Python cannot run it.

## Example

<!-- no-compile -->

```py
async def main(:  # error: [syntax-error]
    pass
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.files.source import SourceError
from awaitlint.model import Diagnostic, Span
from awaitlint.rulekit.rule import Rule

if TYPE_CHECKING:
    from awaitlint.syntax.parse import SyntaxProblem


class SyntaxErrorRule(Rule):
    code = "AWL901"
    name = "syntax-error"
    summary = "a file that cannot be read, decoded or parsed"

    @classmethod
    def finding(cls, path: str, problem: SyntaxProblem | SourceError) -> Diagnostic:
        """The finding about a file of which there is no tree to visit."""
        if isinstance(problem, SourceError):
            line, column, reason = problem.line, 0, f"cannot read the file: {problem.reason}"
        else:
            line, column, reason = problem.line, problem.column, f"cannot parse the file: {problem.message}"
        return Diagnostic(path, Span(line, column, line, column), cls.code, cls.name, reason, cls.severity)

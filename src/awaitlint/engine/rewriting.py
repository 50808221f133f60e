"""Files on their way from the text that was checked to the one that is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitlint.engine.fixes import FixError, encode, write_fixed
from awaitlint.files.source import SourceError, SourceStore, decode

if TYPE_CHECKING:
    from awaitlint.files.discover import Target
    from awaitlint.files.source import DecodedText

#: passes after which what keeps making room for more is left for the next run
PASSES = 10


@dataclass
class File:
    """A file as it was checked, its text as it is to be, and the findings that are gone for it."""

    target: Target
    data: bytes
    decoded: DecodedText
    text: str
    applied: int = 0

    @property
    def encoded(self) -> bytes:
        return encode(self.text, self.decoded.encoding, bom=self.decoded.bom)


@dataclass
class Rewriting:
    """The files of a run that get another text."""

    files: dict[str, File] = field(default_factory=dict)
    #: files that could not be written
    errors: list[FixError] = field(default_factory=list)

    def file(self, target: Target, texts: SourceStore) -> File | None:
        """A file by the text that was checked; None where it could not be written back as it is.

        Some encodings have several ways to write a character (UTF-7), or write a newline as something else
        (``unicode_escape``): a change would touch lines that it does not speak of.
        """
        known = self.files.get(target.display)
        if known is not None:
            return known
        try:
            data = texts.read(target.path)
            decoded = decode(data)
            if encode(decoded.text, decoded.encoding, bom=decoded.bom) != data:
                return None
        except (SourceError, UnicodeError):
            return None
        return File(target, data, decoded, decoded.text)

    def change(self, file: File, text: str, applied: int) -> bool:
        """Give a file another text; whether it is another one, and can be written in the file's encoding."""
        if text == file.text:
            return False
        try:
            encode(text, file.decoded.encoding, bom=file.decoded.bom)
        except UnicodeError:
            return False
        file.text = text
        file.applied += applied
        self.files[file.target.display] = file
        return True

    def store(self, before: SourceStore) -> SourceStore:
        """The texts as they are now."""
        return SourceStore({**before.overlays, **{f.target.path: f.encoded for f in self.files.values()}})

    def finish(self, *, write: bool) -> list[File]:
        """The files that have changed, and are written if that is wanted; `errors` has the others."""
        done = []
        for file in self.files.values():
            if file.text == file.decoded.text:
                continue
            if write:
                decoded = file.decoded
                try:
                    write_fixed(file.target.path, file.data, file.text, decoded.encoding, bom=decoded.bom)
                except FixError as error:
                    self.errors.append(error)
                    continue
            done.append(file)
        return done

"""Numbers in the place of an import's level, for lookups that no import makes."""

from __future__ import annotations

#: a submodule of the module itself
SUBMODULE = -1
#: a file, by its path from the module's own
FILE = -2
#: a file that cannot be read, which is passed over
PASSED_OVER = -3
#: a module that is not looked up, but read
READ = -4

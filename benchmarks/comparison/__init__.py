"""The comparison of linters and type checkers on lines that are marked as bugs or as look-alikes."""

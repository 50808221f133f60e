"""The speed benchmark: what runs cost, beside parsing the same files and beside other tools."""

"""What awaitlint finds, restores and costs, measured on released packages; see README.md here."""

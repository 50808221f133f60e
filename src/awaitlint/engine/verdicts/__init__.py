"""What earlier runs found, kept as long as it holds."""

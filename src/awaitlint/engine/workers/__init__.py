"""Checking files in several processes."""

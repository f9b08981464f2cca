"""Hostile input: every reader fed with mutated files, under atheris and in tests."""

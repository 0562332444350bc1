"""Loops used by more than one command or recipe: each resumable, each in one file."""

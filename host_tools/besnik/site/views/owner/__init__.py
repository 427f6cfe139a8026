"""The owner's pages, one concern a module."""

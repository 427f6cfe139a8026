"""Besnik's host side: everything that runs behind the reader on the counter."""

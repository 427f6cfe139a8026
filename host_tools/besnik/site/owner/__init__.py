"""What the owner's pages are made of: forms of a program, its words, charts and sheets."""

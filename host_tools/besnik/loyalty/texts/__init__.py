"""The words of rules, in five languages; one module a language, held together by a test."""

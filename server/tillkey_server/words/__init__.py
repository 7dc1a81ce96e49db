"""Decisions in sentences that a shop's owner understands, in English, French and Italian.

The sentences are data: `<language>/<family>.toml`, one for each family of codes; braces name facts. A test holds every
language to every code.
"""

"""Tillkey: license a till in five lines and keep it selling when the license server is away."""

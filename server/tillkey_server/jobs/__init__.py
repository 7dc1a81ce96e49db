"""The background work of a serving process: sealing the audit log, and forgetting what is kept no longer."""

"""The project's tests: one file per module, and the whole from end to end."""

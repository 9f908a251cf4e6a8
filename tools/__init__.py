"""What writes parts of the project: run by hand, checked by tests."""

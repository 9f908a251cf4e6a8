"""Coverage-guided fuzzing of what reads a user's files; needs `pip install atheris`. See CONTRIBUTING.md."""

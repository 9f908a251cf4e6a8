"""The join as loops and dictionaries, written from its rules: slow, obvious, and sharing no line with the project.

`join.joined` reads the same files as `materialize` and says what must come of them: the rows and the counts, or the
faults of which one must be told. Where several faults stand side by side, the rules do not say which is told first.
"""

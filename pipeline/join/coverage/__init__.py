"""What scorers cover of a feature table, and when a join would be wrong.

::

    counts ──▶ sharing     counts per scorer, and their faults; rows of different keys that have one score
"""

__all__ = ["counts", "sharing"]

"""A table whose keys and scores do not fit in memory: they are kept in files that are mapped, and matched in pieces.

::

    pieces ──▶ index     each piece of the feature keys is looked up in an index of the scorer's keys
       │  └──▶ spool     score records in columns, in files
       └─────▶ reuse     scores that several rows have, counted piece by piece
    budget               how much memory a join may take, and whether it fits

    shards               a table in shards: each by itself, then the whole
       └──▶ matching     a shard, or a table that shares its sidecars with others, onto prepared scores
               └──▶ prepared   scores that are read once for all who share them, in files
                       └──▶ groups     which sidecars are read together, and by several tables
    features             its features as one table
    joined               its joined files, read as one table
"""

__all__ = [
    "budget",
    "features",
    "groups",
    "index",
    "joined",
    "matching",
    "pieces",
    "prepared",
    "reuse",
    "shards",
    "spool",
]

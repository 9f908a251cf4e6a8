"""One table: features and sidecars in, the joined table and its audit out.

::

    materialize ──▶ matching ──▶ sidecars   a score file -> score records
      │                │    └──▶ tables     a feature table -> keys, rows; the joined table
      │                └───────▶ columns    keys + scores -> columns
      │                           └──▶ keys, sharing
      ├──▶ coverage                         what each scorer covers, and when that is too little
      └──▶ threads                          threads that read ahead
    preview                                 the same, without writing
    frames                                  the same, from pandas to pandas
"""

__all__ = [
    "columns",
    "coverage",
    "frames",
    "keys",
    "matching",
    "materialize",
    "preview",
    "sharing",
    "sidecars",
    "tables",
    "threads",
]

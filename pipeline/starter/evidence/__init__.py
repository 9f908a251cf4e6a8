"""Proposes what evidence to ask of a table, by the names and the first values of its columns.

::

    request ──▶ label ─────┐        the label, its direction, deviation and number of ratings, a reference metric
       ├──────▶ content ───┼──▶ names       what a column is, by the words of its name
       └──────▶ baseline ──┘──▶ first_rows  its values in the first rows

A wrong guess about the label or the content makes every figure worthless. So nothing is proposed that is as likely as
something else: the user is asked instead.
"""

from .request import ProposedEvidence, propose_evidence, spelled

__all__ = ["ProposedEvidence", "propose_evidence", "spelled"]

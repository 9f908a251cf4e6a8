"""Hypothesis strategies of whole small batches: mostly joinable, with faults sprinkled in."""

from tests.support.batches.batch import Batch, batches

__all__ = ["Batch", "batches"]

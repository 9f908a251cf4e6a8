"""Batches, records and locks that lie in an object store."""

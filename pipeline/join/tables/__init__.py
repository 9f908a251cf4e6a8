"""Feature tables in and joined tables out, in streams of chunks.

A chunk has the form that the sink requests, so that nothing is re-typed on its way: a sink of typed columns
(Parquet) takes Arrow record batches, a sink of objects (JSON, JSONL) takes rows, a sink of text (CSV, TSV)
takes record batches of text.

::

    open_table(path) -> FeatureTable   parquet/  json/  delimited/
        .columns .rows .keys(column)
        .chunks(form, schema)  ──────▶  create_table(path) -> Sink  .write(chunk, appended columns)
"""

from .base import FeatureTable, Form, Sink
from .open import check_representable, create_table, expected_form, open_joined, open_table

__all__ = [
    "FeatureTable",
    "Form",
    "Sink",
    "check_representable",
    "create_table",
    "expected_form",
    "open_joined",
    "open_table",
]

"""What the joined tables of a batch cover, and what their scores are worth; an extra, unknown to `run`.

::

    tasks ──▶ table ──▶ audit    which signals the tables hold, how they go with the label
                   └──▶ impact   whether a model that is given the scores predicts better
    documents ──▶ auditmarkdown, impactmarkdown, page (figures)
"""

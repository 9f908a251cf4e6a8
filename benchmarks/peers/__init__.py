"""The same join by others, each a script of its own: FEATURES OUT SIDECAR...; a sidecar's stem is its scorer.

They are given what `second-opinion` finds out: the fields of the sidecars, their types, and how the keys are
spelled. They take no digests, check no rule and do not wait until the disk has what they wrote.
"""

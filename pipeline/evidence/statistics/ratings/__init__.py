"""Predictions against labels whose ratings are known by their deviation and number.

::

    uncertainty ──▶ ceiling           what a perfect predictor could reach
         ├────────▶ accuracy          errors beyond the label's own interval (ITU-T P.1401)
         └────────▶ discrimination    pairs that people tell apart (Krasula et al. 2016)
"""

__all__ = [
    "accuracy",
    "ceiling",
    "discrimination",
    "uncertainty",
]

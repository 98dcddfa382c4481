"""A small valid protocol to break in one place after another."""

from __future__ import annotations

VALID = """\
schema: trialimg/protocol/v1
trial: {id: T-1, title: A trial, version: "1.0"}
arms: [A, B]
sites: ["01", "02"]
schedule:
  baseline: {id: BL, window_days: [-28, 1]}
  visits:
    - {id: W06, day: 43, window_days: [-7, 7]}
    - {id: W12, day: 85, window_days: [-7, 7]}
acquisition:
  - modality: CT
    max_slice_thickness_mm: 5
segmentation:
  segmenter: classical
response:
  criterion: recist11
  rules:
    pr_decrease: 0.30
radiomics:
  bin_width: 25
reading:
  readers: 2
  adjudication:
    - {variable: best_response}
endpoints:
  settings:
    censoring: fda
statistics:
  compare_arms: [A, B]
price_plan:
  currency: CNY
  items:
    - {item: case, unit: case, price: 2000}
    - {item: read, unit: read, price: 0}
"""


def broken(old: str, new: str, text: str = VALID) -> str:
    """The text with one place changed, which must be there exactly once."""
    if text.count(old) != 1:
        raise ValueError(f"{old!r} stands {text.count(old)} times in the text")
    return text.replace(old, new)

"""The tables and figures of a study that was programmed twice, in R and in SAS, from its raw tables by one command.

Source: Yunbeom0405/onco-recist-sdtm-adam, tables t_14_2_01, t_14_3_01 and the figures' statistics (numbers only), made
from pharmaversesdtm (Apache-2.0). Exact: every number at the
precision that it was printed with. Takes 15 seconds on an idle core.
"""

from __future__ import annotations

import csv
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from trialimg.cli import main

pytestmark = pytest.mark.reference

ARMS = {"Placebo": "Pbo", "XanLow": "Xan_Lo", "XanHigh": "Xan_Hi", "All": "all"}
PFS, WATERFALL = "progression_free_survival fda", "best_change"
PERCENT = Decimal(100)
MEASURES: dict[str, tuple[str, str, str, Decimal]] = {
    "N": ("response", "subjects", "value", Decimal(1)),
    **{f"BOR_{w}": ("response", f"best_response {w}", "value", Decimal(1)) for w in ("CR", "PR", "SD", "PD", "NE")},
    "BOR_MISSING": ("response", "best_response MISSING", "value", Decimal(1)),
    "ORR_n": ("response", "objective_response", "events", Decimal(1)),
    "ORR_pct": ("response", "objective_response", "value", PERCENT),
    "ORR_CP95_lo": ("response", "objective_response", "lower", PERCENT),
    "ORR_CP95_hi": ("response", "objective_response", "upper", PERCENT),
    "PFS_events": (PFS, "events", "value", Decimal(1)),
    "PFS_PD": (PFS, "events_progression", "value", Decimal(1)),
    "PFS_death": (PFS, "events_death", "value", Decimal(1)),
    "PFS_censored": (PFS, "censored", "value", Decimal(1)),
    "PFS_median_days": (PFS, "median_days", "value", Decimal(1)),
    "PFS_median_lo": (PFS, "median_days", "lower", Decimal(1)),
    "PFS_median_hi": (PFS, "median_days", "upper", Decimal(1)),
    **{f"PFS_rate_d{d}": ("progression_free_on_day", str(d), "value", Decimal(1)) for d in range(30, 181, 30)},
    "PFS_rate_d60_lo": ("progression_free_on_day", "60", "lower", Decimal(1)),
    "PFS_rate_d60_hi": ("progression_free_on_day", "60", "upper", Decimal(1)),
    "HR_vs_placebo": (PFS, "hazard_ratio", "value", Decimal(1)),
    "HR_lo": (PFS, "hazard_ratio", "lower", Decimal(1)),
    "HR_hi": (PFS, "hazard_ratio", "upper", Decimal(1)),
    "logrank_p": (PFS, "log_rank_chi_square", "p", Decimal(1)),
    "WF_n_baseline": ("response", "subjects", "value", Decimal(1)),
    "WF_n_postbase": (WATERFALL, "measured", "value", Decimal(1)),
    "WF_median_best_pct": (WATERFALL, "median_pct", "value", Decimal(1)),
    "WF_min_pct": (WATERFALL, "lowest_pct", "value", Decimal(1)),
    "WF_max_pct": (WATERFALL, "highest_pct", "value", Decimal(1)),
    "WF_n_le_minus30": (WATERFALL, "decreased", "value", Decimal(1)),
    "WF_n_ge_plus20": (WATERFALL, "increased", "value", Decimal(1)),
}
"""Published measure to analysis, measure, column and factor of `analyses.csv`."""


def test_every_published_number_comes_out_at_printed_precision(reference: Path, root: Path, tmp_path: Path) -> None:
    plan = tmp_path / "protocol.yaml"
    text = (root / "protocols" / "solid_tumour_tables.yaml").read_text(encoding="utf-8")
    plan.write_text(text.replace("exports: [html, pdf, csv]", "exports: [csv]"), encoding="utf-8")
    named = [part for name in ("TU", "TR", "RS") for part in ("--table", f"{name}={name.lower()}_onco.csv")]
    source, out = reference / "criteria" / "pharmaversesdtm", tmp_path / "out"
    with pytest.raises(SystemExit) as ending:
        main(["run", str(plan), "--from-sdtm", str(source), "--out", str(out), "--json", *named])
    assert ending.value.code == 0
    with (out / "analyses.csv").open(encoding="utf-8") as file:
        found = {(row["analysis"], row["measure"], row["group"]): row for row in csv.DictReader(file)}
    published = reference / "criteria" / "published_examples" / "dual_r_sas_rs_onco_expected.csv"
    lines = [line for line in published.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    compared, wrong = 0, []
    for row in csv.DictReader(lines):
        analysis, measure, column, factor = MEASURES[row["measure"]]
        for name, arm in ARMS.items():
            if not row[name]:
                continue
            ours = printed(found[analysis, measure, arm][column], row[name], factor)
            compared += 1
            if ours != row[name]:
                wrong.append((row["measure"], name, row[name], ours))
    assert wrong == []
    assert compared == 119


def printed(ours: str, theirs: str, factor: Decimal) -> str:
    """Our number as precise as the published one; NE where there is none."""
    if ours == "":
        return "NE"
    digits = Decimal(theirs) if theirs != "NE" else Decimal("0.001")
    return str((Decimal(ours) * factor).quantize(digits, rounding=ROUND_HALF_UP))

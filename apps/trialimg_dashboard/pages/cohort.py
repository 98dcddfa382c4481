"""Who responded: counts, rates by arm, and every subject's endpoints."""

from __future__ import annotations

import io

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.run import content, rate_pct, shown_run

run = shown_run()
results = run.results()
st.title(f"{results['trial']}: {results['title']}")
st.caption("Computed by software, not adjudicated by a person.")
counts = st.columns(3)
counts[0].metric("Subjects", len(results["subjects"]))
counts[1].metric("Visits read", sum(len(subject["timepoints"]) for subject in results["subjects"]))
counts[2].metric("Quality findings", len(results["findings"]))
rates = pd.DataFrame(
    [{"Arm": arm, "Responders": rate["events"], "Subjects": rate["n"], **rate_pct(rate)}
     for arm, rate in results["cohort"]["objective_response"]]
)  # fmt: skip
st.subheader("Objective response")
st.dataframe(rates.style.format("{:.1f}", subset=["Rate %", "Lower %", "Upper %"], na_rep=""), hide_index=True)
st.caption(results["cohort"]["objective_response"][0][1]["method"])
st.subheader("Subjects")
codes = {"subject": str, "site": str}
st.dataframe(pd.read_csv(io.BytesIO(content(run, "endpoints.csv")), dtype=codes), hide_index=True)

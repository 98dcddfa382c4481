"""What was noticed in the data, by code and subject."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.run import shown_run

findings = pd.DataFrame(
    shown_run().results()["findings"], columns=["code", "severity", "subject", "timepoint", "where", "message"]
)
st.title("Quality findings")
chosen = st.multiselect("Code", sorted(findings["code"].unique()), placeholder="all")
subjects = st.multiselect("Subject", sorted(findings["subject"].unique()), placeholder="all")
wanted = findings["code"].isin(chosen or findings["code"]) & findings["subject"].isin(subjects or findings["subject"])
shown = findings[wanted]
st.caption(f"{len(shown)} of {len(findings)}")
st.dataframe(shown, hide_index=True)

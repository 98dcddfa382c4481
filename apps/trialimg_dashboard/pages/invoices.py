"""Invoices: what is due, issuing, crediting, and money that came in."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import bills
from apps.trialimg_dashboard.views import invoices as view
from apps.trialimg_dashboard.views.acting import may
from trialimg.core.access import Action

at = desk("invoices")
st.title(f"{at.t('page.invoices')} · {at.trial}")
found = bills.present_bills(at)
if found is None:
    st.stop()
bills.not_invoiced(at)
if may(at, Action.ISSUE_INVOICES):
    view.issuing(at)
bills.listed(at, found)
if may(at, Action.ISSUE_INVOICES) and found:
    view.crediting(at, found)
    view.paying(at, found)

"""The script that Streamlit runs."""

from tests.e2e.viewer.site import page

page()

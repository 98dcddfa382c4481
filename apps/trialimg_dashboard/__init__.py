"""The Streamlit dashboard: thin pages over the services."""

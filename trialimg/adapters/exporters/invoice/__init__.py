"""Invoices, credit notes and statements as files."""

"""CDISC datasets as files, and back: SAS transport, Dataset-JSON, Parquet, CSV, Define-XML, the reviewer's guide."""

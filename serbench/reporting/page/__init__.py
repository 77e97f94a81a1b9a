"""The report as a web page: one file that needs no network."""

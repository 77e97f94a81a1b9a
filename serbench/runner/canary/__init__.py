"""The canary: rows are run again where nothing of the test part can be reached, and must answer as they did."""

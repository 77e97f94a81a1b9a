"""Tables for papers: built once as plain cells, written as LaTeX, Markdown, CSV, HTML or text."""

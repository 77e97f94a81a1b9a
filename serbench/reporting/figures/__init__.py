"""Figures: one file per kind, each declaring a `FigureKind`; the catalogue collects them."""

"""Estimators of the vector models that scikit-learn does not have as such."""

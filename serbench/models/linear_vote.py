"""Mean of the probabilities of logistic regression and of linear discriminant analysis on principal components."""

from __future__ import annotations

from serbench.models.params import complete
from serbench.specs import ModelSpec

PARAMS = {
    "n_components": 400,
    "C": 0.003,
    "class_weight": "balanced",
    "max_iter": 500,
    "discriminant_components": 200,
    "shrinkage": 0.1,
    "scaler": "standard",
}


def build(params, *, n_classes, seed):
    """Build scaler, projection and vote: one learns the borders between classes, the other the classes themselves."""
    from sklearn.ensemble import VotingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from serbench.models.shallow.discriminant import make_discriminant
    from serbench.models.shallow.projection import BoundedPCA
    from serbench.models.shallow.scaling import make_scaler

    chosen = complete("linear_vote", PARAMS, params)
    # Copies make training parts of thousands of rows: their covariance is decomposed faster than they are.
    scaler, projection = make_scaler(chosen.pop("scaler")), BoundedPCA(chosen.pop("n_components"), "covariance_eigh")
    discriminant = make_pipeline(
        BoundedPCA(chosen.pop("discriminant_components"), "covariance_eigh"),
        make_discriminant(chosen.pop("shrinkage"), n_classes),
    )
    voters = [("regression", LogisticRegression(**chosen)), ("discriminant", discriminant)]
    return make_pipeline(scaler, projection, VotingClassifier(voters, voting="soft"))


def space(trial):
    """Search the penalty of the regression, and the projection and shrinkage of the discriminant."""
    return {
        "C": trial.suggest_float("C", 1e-4, 1e-1, log=True),
        "discriminant_components": trial.suggest_int("discriminant_components", 50, 400, log=True),
        "shrinkage": trial.suggest_float("shrinkage", 0.01, 0.9, log=True),
    }


LINEAR_VOTE = ModelSpec(
    name="linear_vote",
    accepts="vector",
    build=build,
    params=PARAMS,
    space=space,
    description="mean of logistic regression and shrinkage linear discriminant analysis on principal components",
)

"""A model of your own: LightGBM (`pip install lightgbm`).

serbench check examples/lightgbm_model.py
serbench run ravdess --plugin examples/lightgbm_model.py --model lightgbm --features handcrafted
"""

from serbench import ModelSpec

PARAMS = {"n_estimators": 100, "learning_rate": 0.1, "num_leaves": 15, "colsample_bytree": 0.2, "max_bin": 63}


def build(params, *, n_classes, seed):
    """Build the estimator; one thread, since serbench runs cells side by side."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(**params, random_state=seed, n_jobs=1, verbosity=-1)


LIGHTGBM = ModelSpec(
    name="lightgbm",
    accepts="vector",
    build=build,
    params=PARAMS,
    space=lambda trial: {"num_leaves": trial.suggest_int("num_leaves", 7, 63)},
    requires=("lightgbm",),
    trusted=("lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier", "collections.OrderedDict"),
)

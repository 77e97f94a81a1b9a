"""Values that no run can carry, in suites and on the command line."""

from __future__ import annotations

from hostile.cases import HEALED, NAMED, ROW, case
from hostile.place import SUITE, Place

PARAMS = {
    "NaN": ".nan",
    "infinity": ".inf",
    "a date": "2024-01-01",
    "null": "null",
    "a list": "[1, 2]",
    "a mapping": "{a: 1}",
    "text": "many",
    "a number beyond 64 bits": "9" * 400,
    "zero": "0",
    "below zero": "-3",
    "10^18": "1000000000000000000",
    "true": "true",
}
UNAVAILABLE = ("zero", "below zero", "10^18", "true")
for title, value in PARAMS.items():

    @case("values", f"k of a protocol is {title}", ROW if title in UNAVAILABLE else NAMED, "k")
    def _(place: Place, value=value):
        place.write("bad.yaml", SUITE.replace("{k: 3}", "{k: %s}" % value))
        place.run(suite="bad.yaml")


@case("values", "params are null", NAMED, "params")
def _(place: Place):
    place.write("bad.yaml", SUITE.replace("{k: 3}", "null"))
    place.run(suite="bad.yaml")


@case("values", "params are a list", NAMED, "params")
def _(place: Place):
    place.write("bad.yaml", SUITE.replace("{k: 3}", "[k, 3]"))
    place.run(suite="bad.yaml")


@case("values", "a key that is a number", NAMED)
def _(place: Place):
    place.write("bad.yaml", SUITE + "7: x\n")
    place.run(suite="bad.yaml")


@case("values", "a key that is null", NAMED)
def _(place: Place):
    place.write("bad.yaml", SUITE + "null: x\n")
    place.run(suite="bad.yaml")


@case("values", "a key that is a list", NAMED)
def _(place: Place):
    place.write("bad.yaml", SUITE + "? [a, b]\n: x\n")
    place.run(suite="bad.yaml")


EXTRA = {
    "seeds: [99999999999999999999999]": "seeds",
    "seeds: [0.5]": "seeds",
    "seeds: []": "seeds",
    "seeds: [true]": "seeds",
    "tuning: {trials: 1000000000}": "trials",
    "tuning: {trials: .inf}": "trials",
    "tuning: {trials: 2, timeout: .nan}": "timeout",
    "augment: {noise: {snr_db: 10}, copies: 1000000000}": "copies",
    "augment: {stretch: {rate: 1.0e-9}}": "rate",
    "augment: {shift: {seconds: 1.0e+12}}": "seconds",
    "augment: {pitch: {semitones: 100000}}": "semitones",
    "robustness: {reverb: [1.0e+12]}": "reverb",
    "robustness: {noise_snr_db: [.nan]}": "noise_snr_db",
    "timeout: 0": "timeout",
    "timeout: .nan": "timeout",
    "timeout: soon": "timeout",
    "labels: {drop: 7}": "labels",
    "exclude: {a: b}": "exclude",
}
for line, says in EXTRA.items():

    @case("values", line, NAMED, says)
    def _(place: Place, line=line):
        place.write("bad.yaml", SUITE + line + "\n")
        place.run(suite="bad.yaml")


WORDS = (
    ("--trials", "1000000000"),
    ("--trials", "0"),
    ("--seed", "99999999999999999999999"),
    ("--jobs", "1000000000"),
    ("--threads", "0"),
    ("--inner", "1000000000", "--trials", "2"),
    ("--cell-timeout", "nan"),
    ("--cell-timeout", "-1"),
    ("--memory", "much"),
    ("--memory", "0"),
)
for words in WORDS:

    @case("values", " ".join(words), NAMED, words[0])
    def _(place: Place, words=words):
        place.run(*words)


@case("values", "a search of more than a day, without --yes", NAMED, "--yes")
def _(place: Place):
    place.run("--trials", "1000000")


@case("values", "an alias that refers to itself", NAMED, "itself|nested")
def _(place: Place):
    place.write("bad.yaml", SUITE.replace("{k: 3}", "&a {k: *a}"))
    place.run(suite="bad.yaml")


@case("values", "an alias bomb: 10^9 values from nine lines", NAMED, "alias|large|values")
def _(place: Place):
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    place.write("bad.yaml", "\n".join(levels) + "\n" + SUITE)
    place.run(suite="bad.yaml")


@case("values", "an alias bomb within params", NAMED, "alias|large|values")
def _(place: Place):
    inner = "&a0 [x, x, x, x, x, x, x, x, x, x]"
    for n in range(1, 10):
        inner = f"&a{n} [{inner}, {', '.join([f'*a{n - 1}'] * 9)}]"
    place.write("bad.yaml", SUITE.replace("{k: 3}", "{k: %s}" % inner))
    place.run(suite="bad.yaml")


MODELS = {"null": ROW, "[1]": ROW, "{a: 1}": ROW, "text": ROW, "-1": ROW, ".nan": NAMED, "1000000000000000000": HEALED}
for value, answer in MODELS.items():

    @case("values", f"a model's parameter is {value}", answer)
    def _(place: Place, value=value):
        place.write("bad.yaml", SUITE.replace("[majority, lda]", "[{name: svm, params: {C: %s}}]" % value))
        place.run(suite="bad.yaml")

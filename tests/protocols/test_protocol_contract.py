import pytest

from serbench.protocols.contract import check_protocol
from serbench.registry import build_registry
from serbench.specs import ProtocolSpec, Split


@pytest.mark.parametrize("spec", build_registry().all("protocol"), ids=lambda spec: spec.name)
def test_the_packages_own_protocols_keep_the_contract(spec):
    assert [check for check in check_protocol(spec) if check.ok is not True] == []


def halves(table, train_of, fold="1"):
    chosen = [row for row in range(len(table)) if train_of(row)]
    rest = [row for row in range(len(table)) if not train_of(row)]
    return Split(fold, tuple(table["id"].iloc[chosen]), tuple(table["id"].iloc[rest]))


BROKEN = {
    "by row order": ("same seed, same folds", lambda table, seed: [halves(table, lambda row: row % 2)]),
    "no folds": ("folds", lambda table, seed: []),
    "one name twice": ("folds", lambda table, seed: [halves(table, lambda row: row > 9)] * 2),
    "empty side": ("folds", lambda table, seed: [halves(table, lambda row: True)]),
    "torn speakers": ("promise", lambda table, seed: [halves(table.sort_values("id"), lambda row: row % 2)]),
    "raises": ("folds", lambda table, seed: table["nothing"]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_protocol_is_found_out(case):
    name, split = BROKEN[case]
    outcomes = {
        check.name: check.ok for check in check_protocol(ProtocolSpec("own", "1", split, frozenset({"speaker"})))
    }
    assert outcomes[name] is False

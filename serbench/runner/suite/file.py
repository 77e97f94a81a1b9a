"""Suite files: where they are looked up, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

import serbench
from serbench.errors import SuiteError, UnknownName
from serbench.runner.suite.conditions import SETTINGS
from serbench.runner.suite.schema import Block, Claim, Entry, FeaturesEntry, Labels, Published, Suite, Tuning
from serbench.runner.suite.values import DEEPEST

PACKAGE = Path(serbench.__file__).parent
PUBLISHED = "published"
MOST_VALUES = 1_000_000


def suite_folders() -> list[Path]:
    """Where suites are looked up by name, in this order."""
    beside = PACKAGE.parent / "benchmarks"
    folders = [Path("benchmarks"), PACKAGE / "benchmarks", beside]
    return [folder for folder in folders if folder.is_dir()]


def find_suite(name: str) -> Path:
    """Find a suite file by path or name; a published suite also without its folder's.

    Raises
    ------
    UnknownName
        With the nearest known suite.
    """
    if name.endswith((".yaml", ".yml")):
        if _is_file(Path(name)):
            return Path(name)
        raise SuiteError(
            "no such suite file", where=name, hint="give a path, or the name of a suite (`serbench list suites`)"
        )
    # Results know a suite by the name of its file alone.
    for below in ("", PUBLISHED):
        for folder in suite_folders():
            if _is_file(folder / below / f"{name}.yaml"):
                return folder / below / f"{name}.yaml"
    # A user's suite beside the results that are called after it.
    if _is_file(Path(f"{name}.yaml")):
        return Path(f"{name}.yaml")
    raise UnknownName.among("suite", name, [*suite_names(), *suite_names(PUBLISHED)])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # Longer than the system allows.
        return False


def suite_names(below: str = "") -> list[str]:
    """Names of the suites at the top level of the suite folders, or of a folder below it."""
    prefix = f"{below}/" if below else ""
    return sorted({f"{prefix}{path.stem}" for folder in suite_folders() for path in (folder / below).glob("*.yaml")})


def load_suite(name: str) -> Suite:
    """Read a suite by path or name.

    Raises
    ------
    SuiteError
        Naming file, line, key, what was found and what is allowed.
    """
    path = find_suite(name)
    text = _text(path)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
        if _values(data, {}) > MOST_VALUES:
            raise SuiteError("aliases make too many values", where=str(path), hint="write the values out")
        if _nested_too_deep(data):
            raise SuiteError("refers to itself, or is nested too deep", where=str(path), hint="write the values out")
    except RecursionError as error:
        raise SuiteError("nested too deep", where=str(path), hint="write it flatter") from error
    except ValueError as error:
        # A date such as 2024-99-99 is refused by the constructor, not by YAML.
        raise SuiteError(f"not valid YAML: {error}", where=str(path), hint="put text in quotes") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise SuiteError(
            f"not valid YAML: {getattr(error, 'problem', None) or error}", where=f"{path}{line}", hint="mend the file"
        ) from error
    if not isinstance(data, dict):
        raise SuiteError("a suite is a mapping of keys", where=f"{path}, line 1", hint="see benchmarks/demo.yaml")
    try:
        return Suite.model_validate({"name": path.stem, **data})
    except ValidationError as error:
        raise _first_error(error, path, root, data) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeError as error:
        raise SuiteError("not UTF-8 text", where=str(path), hint="save the file in UTF-8") from error
    except OSError as error:
        raise SuiteError(f"cannot be read: {error.strerror}", where=str(path), hint="check the file") from error


def _nested_too_deep(data: Any) -> bool:
    """Whether data are nested beyond what a suite needs, as an alias within itself is; counts each level once."""
    level = [data]
    for _ in range(4 * DEEPEST):
        # Aliases share their values: each is looked at once a level, however often it is named.
        inner = (item for value in level for item in _inside(value))
        level = list({id(item): item for item in inner if isinstance(item, (dict, list))}.values())
        if not level:
            return False
    return True


def _values(data: Any, counted: dict[int, int]) -> int:
    """Values that are written when aliases are written out; each alias' own are counted once."""
    if not isinstance(data, (dict, list)):
        return 1
    if id(data) not in counted:
        counted[id(data)] = 1  # meanwhile: what refers to itself is refused elsewhere
        counted[id(data)] = 1 + sum(_values(value, counted) for value in _inside(data))
    return counted[id(data)]


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _first_error(error: ValidationError, path: Path, root: yaml.Node, data: Any) -> SuiteError:
    # A misspelt key also makes its right spelling missing: the former says more.
    problem = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    keys = _path_in_file(problem["loc"], data)
    where = f"{path}, line {_line(root, keys)}, key '{'.'.join(map(str, keys)) or '(top)'}'"
    if problem["type"] == "extra_forbidden":
        allowed = _allowed_keys(keys)
        unknown = UnknownName.among("key", str(keys[-1]), allowed)
        return SuiteError(
            f"{unknown.what} is not allowed here", where=where, hint=unknown.hint.replace("known:", "allowed:")
        )
    found = problem.get("input")
    shown = "nothing" if problem["type"] == "missing" else repr(found)[:80]
    return SuiteError(f"found {shown}: {problem['msg']}", where=where, hint="see benchmarks/demo.yaml for the form")


def _path_in_file(loc: tuple, data: Any) -> list[Any]:
    # pydantic's location also names what validators made; only steps that exist in the file (or its end) are kept.
    keys: list[Any] = []
    for step in loc:
        in_list = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if in_list or (isinstance(data, dict) and step in data):
            data = data[step]
        elif isinstance(data, dict) and step == loc[-1] and isinstance(step, str):
            keys.append(step)
            break
        else:
            continue
        keys.append(step)
    return keys


def _line(node: yaml.Node, keys: list[Any]) -> int:
    line = node.start_mark.line
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = [(name, value) for name, value in node.value if name.value == str(key)]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = node.value[key]
            line = node.start_mark.line
    return line + 1


def _allowed_keys(keys: list[Any]) -> list[str]:
    parents = {"grid": Block, "labels": Labels, "features": FeaturesEntry, "models": Entry, "protocols": Entry}
    parents |= {"tuning": Tuning, "claims": Claim, "published": Published, **SETTINGS}
    for key in reversed(keys[:-1]):
        if key in parents:
            return sorted(parents[key].model_fields) + (["name", "params"] if key == "features" else [])
    return sorted(Suite.model_fields)

"""Give the real program what breaks programs, and class its answers.

    python benchmarks/robustness/bad_input.py [--only WORDS …] [--jobs 2] [--table docs/reference/bad_input.md]

Each case has a temporary folder of its own with a tiny synthetic corpus and finished results, and a time limit. Right
answers are a named error, a healed file, a failure row, or a stop within five seconds of Ctrl-C. An internal error, a
run without an end, a lost result, or another answer than the one that the case declares, makes the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hostile import audio, figures, memory, models, plug_ins, state, text, values  # noqa: F401
from hostile.cases import BROKEN, CASES, INTERNAL, RIGHT, Case, Verdict, judge
from hostile.place import copy_of, make_base

WIDEST = 150


def attempt(case: Case, base: Path, patience: float) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="hostile-", ignore_cleanup_errors=True) as folder:
        place = copy_of(base, Path(folder).resolve(), case.limit * patience)
        try:
            case.happen(place)
            return judge(case, place)
        except Exception:
            return Verdict(case, INTERNAL, f"the case itself: {' '.join(traceback.format_exc().split())[-500:]}", 0.0)


def right_before(file: Path | None, cases: Sequence[Case]) -> dict[tuple[str, str], Verdict]:
    """Right answers of an earlier run that was stopped, or whose wrong answers were mended since."""
    if file is None or not file.exists():
        return {}
    by_name = {(case.category, case.title): case for case in cases}
    told = map(json.loads, file.read_text().splitlines())
    return {(c, t): Verdict(by_name[c, t], *rest) for c, t, *rest in told if (c, t) in by_name}


def set_out(cases: Sequence[Case], kept: Mapping[tuple[str, str], Verdict]) -> list[Case]:
    """The cases to run."""
    return [case for case in cases if (case.category, case.title) not in kept]


def markdown(verdicts: Sequence[Verdict]) -> str:
    """Totals by category, and every case with the line that tells most of its answer."""
    classes = [name for name in (*RIGHT, *BROKEN)]
    totals = Counter((verdict.case.category, verdict.found) for verdict in verdicts)
    categories = list(dict.fromkeys(verdict.case.category for verdict in verdicts))
    lines = [
        "# Bad input",
        "",
        "Written by `python benchmarks/robustness/bad_input.py --table docs/reference/bad_input.md`.",
    ]
    lines += ["", _row(["category", "cases", *classes]), _row(["---"] * (len(classes) + 2))]
    for category in categories:
        counts = [totals[category, name] for name in classes]
        lines.append(_row([category, sum(counts), *counts]))
    sums = [sum(totals[category, name] for category in categories) for name in classes]
    lines += [_row(["all", sum(sums), *sums]), "", _row(["category", "case", "answer", "what it says"])]
    lines.append(_row(["---"] * 4))
    lines += [_row([item.case.category, item.case.title, item.found, _shown(item.line)]) for item in verdicts]
    return "\n".join(lines) + "\n"


def _row(values: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, values)) + " |"


def _shown(line: str) -> str:
    plain = "".join(character if character.isprintable() else "\\" + f"x{ord(character):02x}" for character in line)
    cut = plain if len(plain) <= WIDEST else plain[: WIDEST - 1] + "…"
    return "`" + cut.replace("|", "\\|").replace("`", "'") + "`" if cut else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], help="cases whose category and title contain any of these")
    parser.add_argument("--sample", type=int, default=1, help="every n-th case")
    parser.add_argument("--jobs", type=int, default=2, help="cases side by side")
    parser.add_argument("--patience", type=float, default=1.0, help="times the limits: for machines that do more")
    parser.add_argument("--keep", type=Path, help="write right answers here; those that are there are not asked again")
    parser.add_argument("--table", type=Path, help="write the table as Markdown")
    parser.add_argument("--list", action="store_true", help="name the cases and run none")
    arguments = parser.parse_args()
    # Started in the background of a shell, this would be deaf to Ctrl-C, and so would be what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    named = [(f"{case.category}: {case.title}", case) for case in CASES]
    cases = [case for name, case in named if any(words in name for words in arguments.only)][:: arguments.sample]
    if arguments.list:
        print("\n".join(f"{case.category}: {case.title}" for case in cases))
        return 0
    kept = right_before(arguments.keep, cases)
    verdicts = list(kept.values())
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.jobs) as pool:
        base = make_base(Path(folder).resolve() / "base").folder
        for verdict in pool.map(lambda case: attempt(case, base, arguments.patience), set_out(cases, kept)):
            verdicts.append(verdict)
            if arguments.keep and verdict.found in RIGHT:
                with arguments.keep.open("a") as sink:
                    told = [verdict.case.category, verdict.case.title, verdict.found, verdict.line, verdict.seconds]
                    print(json.dumps(told), file=sink)
            told = f"{verdict.found:<15}{verdict.case.category}: {verdict.case.title} ({verdict.seconds:.1f} s)"
            print(told + (f"\n    {verdict.line[:300]}" if verdict.found in BROKEN else ""), flush=True)
    verdicts.sort(key=lambda verdict: cases.index(verdict.case))
    if arguments.table:
        arguments.table.write_text(markdown(verdicts), encoding="utf-8")
    totals = Counter(verdict.found for verdict in verdicts)
    print(f"{len(verdicts)} cases: " + ", ".join(f"{totals[name]} {name}" for name in (*RIGHT, *BROKEN)))
    return int(any(totals[name] for name in BROKEN))


if __name__ == "__main__":
    sys.exit(main())

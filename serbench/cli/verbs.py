"""The verbs as the help shows them, in groups, and what is said to a word that is none of them."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

from serbench.errors import UnknownName

# The groups of `serbench --help`, in the order in which a newcomer meets them.
MEASURE, LOOK, CHECK, SHARE, USE = "Measure", "Look", "Check", "Share", "Use"
OTHER = "More"
# A sentence is wrapped, not cut.
LONGEST = 200


class Verbs(TyperGroup):
    """Verbs in groups; an unknown one is answered with what was probably meant."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs below the headings of their groups."""
        shown = {name: command for name, command in self.commands.items() if not command.hidden}
        width = max(map(len, shown), default=0)
        groups = dict.fromkeys([MEASURE, LOOK, CHECK, SHARE, USE, *map(_group, shown.values())])
        for group in groups:
            # As wide everywhere, so that all groups align.
            rows = [
                (name.ljust(width), command.get_short_help_str(LONGEST))
                for name, command in shown.items()
                if _group(command) == group
            ]
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb that a line begins with.

        Raises
        ------
        UnknownName
            With the nearest verb.
        """
        word = args[0]
        if word not in self.commands and not word.startswith("-") and not ctx.resilient_parsing:
            verbs = [name for name, command in self.commands.items() if not command.hidden]
            raise UnknownName.among("verb", word, verbs, where=ctx.parent and f"serbench {ctx.info_name}")
        return super().resolve_command(ctx, args)


def _group(command: Any) -> str:
    panel = getattr(command, "rich_help_panel", None)
    return panel if isinstance(panel, str) else OTHER

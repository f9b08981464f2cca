"""Every `hemc` command that --help, README and the documentation show."""

import re
import shlex

from hemc.cli import main

_FENCED = re.compile(r"^```\w*\n(.*?)^```", re.M | re.S)
_INDENTED = re.compile(r"(?:^(?: {4}.*|)\n)+", re.M)
_COMMENT = re.compile(r"\s+# .*$")


def tree(group=main, path=()):
    """Yield the words and the command of every command and group."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from tree(command, (*path, name))


def commands_in(text):
    """Return the commands among lines of a shell, in its words; `scripts/run` is `hemc`."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        shown = _COMMENT.sub("", line.strip().removeprefix("$ ")).strip()
        if shown == "scripts/run":
            shown = "hemc run configs/base.toml"
        shown = shown.replace("scripts/run ", "hemc ", 1).replace(".venv/bin/hemc ", "hemc ", 1)
        if shown.startswith("hemc ") and not shown.startswith("hemc ARGUMENTS"):
            found.append(" ".join(shown.split()))
    return found


def commands_of_page(text):
    """Return the commands of a page's blocks of code."""
    return [
        command
        for form in (_FENCED, _INDENTED)
        for block in form.finditer(text)
        for command in commands_in(block.group())
    ]


def commands_of_help():
    """Return the examples of every command."""
    return [command for _, shown in tree() for command in commands_in(shown.help or "")]


def every_command(root):
    """Return each command shown anywhere, once."""
    pages = [root / "README.md", *sorted(root.glob("docs/**/*.md"))]
    on_pages = [c for page in pages for c in commands_of_page(page.read_text(encoding="utf-8"))]
    return list(dict.fromkeys([*commands_of_help(), *on_pages]))


def words_of(command):
    """Return a command's words without `hemc`, and the file that its output goes to, if any."""
    shown, _, file = command.partition(" > ")
    return shlex.split(shown)[1:], file or None

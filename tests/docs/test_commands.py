"""Commands that pages show are commands that there are, with options that they take."""

from __future__ import annotations

import click
import pytest

from forecast.cli import main
from tests.docs.markdown import FILES, blocks, commands

PAGES = [page for page in FILES if page != "CHANGELOG.md" and list(commands(page))]


def parsed(arguments: list[str]) -> str:
    """Parse a command line as far as to the command's own options; returns the command's path."""
    command, context = main, click.Context(main, info_name="forecast")
    while isinstance(command, click.Group) and arguments:
        name, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    with context.scope(cleanup=False):
        command.parse_args(context, list(arguments))
    return context.command_path


def test_the_commands_of_a_page_are_found_in_pipes_and_lists() -> None:
    assert [words for _, words in commands("README.md")][0] == ["run"]
    assert sum(len(list(commands(page))) for page in PAGES) > 50
    assert all("forecast" not in words for page in PAGES for _, words in commands(page))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_the_page_is_one_that_the_command_line_takes(page: str) -> None:
    wrong = []
    for line, words in commands(page):
        try:
            parsed(words)
        except click.UsageError as error:
            wrong.append(f"{page}:{line}: forecast {' '.join(words)}: {error.message}")
    assert not wrong


@pytest.mark.parametrize("words", [["rum"], ["run", "--pri"], ["query", "latest"], ["run", "--draws", "few"]])
def test_a_wrong_command_would_be_seen(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parsed(words)


def test_shell_blocks_name_their_language() -> None:
    unnamed = [
        f"{block.page}:{block.line}"
        for page in FILES
        for block in blocks(page, "")
        if block.text.startswith(("forecast ", "uv run "))
    ]
    assert not unnamed

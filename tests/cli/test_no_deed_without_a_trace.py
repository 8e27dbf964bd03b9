"""Every command is in the reference's list: with the acts that it writes, or with why it writes none."""

import ast
import re
from functools import cache

import click
import pytest
from tests.project_files import ROOT, source_files, tree

from sekisho.cli.main import main

NAMED = re.compile(r"`(sekisho [a-z -]+)`")
ACT = re.compile(r"`([a-z_]+:(?:[a-z_]+|\*))`")
# What is done for a reason that stands elsewhere: in the papers, in the ticket, in the decision of another.
WITHOUT_REASON = {
    "sekisho applications check",  # the evidence
    "sekisho applications show",  # the application waits for a decision
    "sekisho contain",  # the campaign, and the proof of a member
    "sekisho incomes read",  # the document
    "sekisho incomes refuse",  # what it is refused for
    "sekisho incomes show",  # the declaration waits for a person
    "sekisho recoveries ask",  # the agreement, its ground
    "sekisho recoveries book",  # the second person's yes to what was entered
    "sekisho recoveries came",  # the bank's own number
    "sekisho repayments take",  # the bank's own number
    "sekisho report breach",  # the case
    "sekisho report partner",
    "sekisho report police",
    "sekisho report public",
    "sekisho report sent",
    "sekisho switch approve",  # the second person's yes to the first one's reason
    "sekisho switch lift",  # --why, where there is more to say
    "sekisho wallets check",  # the evidence
}


def _leaves(command: click.Command, name: str):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _leaves(found, f"{name} {each}")
    else:
        yield name, command


@cache
def commands() -> dict[str, click.Command]:
    """Return every command that can be typed, by its words."""
    return dict(_leaves(main, "sekisho"))


@cache
def listed() -> tuple[dict[str, list[str]], set[str]]:
    """Return the acts of each command that writes some, and the commands that write none."""
    text = (ROOT / "docs" / "reference" / "audit.md").read_text(encoding="utf-8")
    section = text.split("## Which command writes which act")[1].split("\n## ")[0]
    writing, _, silent = section.partition("These write none:")
    rows = [line.split(" | ", 1) for line in writing.splitlines() if line.startswith("| `sekisho")]
    acts = {NAMED.findall(name)[0]: ACT.findall(said) for name, said in rows}
    return acts, set(NAMED.findall(silent))


def test_every_command_is_listed_once():
    """A new command has to be thought about."""
    acts, silent = listed()
    assert set(commands()) == set(acts) | silent
    assert set(acts) & silent == set()
    assert all(acts.values())


@pytest.mark.parametrize("name", sorted(listed()[0]))
def test_who_writes_an_act_is_asked_who_they_are(name):
    """And why, unless the reason stands elsewhere."""
    required = {
        option
        for param in commands()[name].params
        if param.required
        for option in param.opts
        if option[0] == "-"
    }
    assert "--by" in required
    assert ("--reason" in required) is (name not in WITHOUT_REASON)


@pytest.mark.parametrize("name", sorted(listed()[1]))
def test_who_writes_none_is_not_asked(name):
    assert not {"--by", "--reason"} & {option for param in commands()[name].params for option in param.opts}


def test_every_act_that_is_listed_is_written_somewhere():
    """Its name stands in the program, or how it begins where the rest is what was decided."""
    texts = {
        node.value
        for path in source_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    acts = {act for found in listed()[0].values() for act in found}
    beginnings = {act.partition(":")[0] + ":" for act in acts if act.partition(":")[0] + ":" in texts}
    assert [
        act for act in sorted(acts) if act not in texts and act.partition(":")[0] + ":" not in beginnings
    ] == []

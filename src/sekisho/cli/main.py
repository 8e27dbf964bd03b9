"""The command `sekisho`: each subcommand is a file beside this one, imported only when it is called."""

import importlib

import click

COMMANDS = {
    "hunt": "sekisho.cli.hunt",
    "replay": "sekisho.cli.replay",
    "what-if": "sekisho.cli.what_if",
    "up": "sekisho.cli.up",
    "serve": "sekisho.cli.serve",
    "keys": "sekisho.cli.keys",
    "staff": "sekisho.cli.staff",
    "keyring": "sekisho.cli.keyring",
    "leaks": "sekisho.cli.leaks",
    "clients": "sekisho.cli.clients",
    "signing-keys": "sekisho.cli.signing_keys",
    "range": "sekisho.cli.range",
    "loan": "sekisho.cli.loan",
    "applications": "sekisho.cli.applications",
    "lines": "sekisho.cli.lines",
    "incomes": "sekisho.cli.incomes",
    "atm": "sekisho.cli.atm",
    "atm-orders": "sekisho.cli.atm_orders",
    "zengin": "sekisho.cli.zengin",
    "wallets": "sekisho.cli.wallets",
    "bank-links": "sekisho.cli.bank_links",
    "merchants": "sekisho.cli.merchants",
    "repayments": "sekisho.cli.repayments",
    "mandates": "sekisho.cli.mandates",
    "partners": "sekisho.cli.partners",
    "depositors": "sekisho.cli.depositors",
    "switch": "sekisho.cli.switch",
    "streams": "sekisho.cli.streams",
    "contain": "sekisho.cli.contain",
    "recoveries": "sekisho.cli.recoveries",
    "report": "sekisho.cli.report",
    "audit": "sekisho.cli.audit",
    "bench": "sekisho.cli.bench",
    "holder-name": "sekisho.cli.holder_name",
}


class LazyGroup(click.Group):
    """Loads a subcommand's module when it is called, so that `--help` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the subcommands' names in the order of a first day."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the subcommand, or None where there is none of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)  # noqa: S101 - a module that forgets its command is a programmer's error
        return command


@click.group(cls=LazyGroup)
@click.version_option(package_name="sekisho")
def main() -> None:
    """Keep money accounts safe when passwords leak."""

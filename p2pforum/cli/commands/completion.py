"""`p2pforum completion`: what a shell needs to complete commands, options and boards."""

import click

from p2pforum.cli.context import Context, pass_context


@click.command()
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@pass_context
def command(context: Context, shell: str) -> None:
    """Print a completion script for a shell.

    \b
    bash   p2pforum completion bash >> ~/.bash_completion
    zsh    p2pforum completion zsh > DIR/_p2pforum, DIR one of $fpath
    fish   p2pforum completion fish > ~/.config/fish/completions/p2pforum.fish
    """
    from click.shell_completion import get_completion_class

    from p2pforum.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None
    context.console.print(found(cli, {}, "p2pforum", "_P2PFORUM_COMPLETE").source())

"""`loa hub alerts`: who is told of alerts, by mail and by webhook, and a trial letter.

Wants the hub stopped, as all commands do that write; the settings hold in the next start. Passwords and
secrets are asked for or taken from the environment, and never from the command line, where others read them.

Bound: a shell's words; the settings and the sending are `hub.posting`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import click

from hub.hub import Hub
from hub.notices import trial
from hub.posting import SECURITIES, Hook, Mail, load_settings, post_of, save_settings, shown
from hub.shells import Option

Opened: TypeAlias = Callable[[Path], AbstractContextManager[Hub]]
NOT_SENT_EXIT = 24  # of TransportError


def add_alerts(group: click.Group, opened: Opened, directory: Option) -> None:
    """Hangs the commands into `group`. directory: --dir."""

    @group.group()
    def alerts() -> None:
        """Who is told of alerts, and how."""

    @alerts.command()
    @directory
    def show(folder: Path) -> None:
        """What is set up, without the secrets."""
        with opened(folder) as house:
            click.echo(json.dumps(shown(load_settings(house.store)), ensure_ascii=False, indent=2))

    @alerts.command()
    @directory
    @click.argument("address")
    def site(folder: Path, address: str) -> None:
        """The ADDRESS of the hub's pages (https://…), for links in letters."""
        with opened(folder) as house:
            save_settings(house.store, replace(load_settings(house.store), site=address))

    @alerts.command()
    @directory
    @click.option("--host", required=True, help="The mail server.")
    @click.option("--port", default=587, show_default=True)
    @click.option("--security", type=click.Choice(SECURITIES), default="starttls", show_default=True)
    @click.option("--from", "sender", required=True, help="The sender's address.")
    @click.option("--to", multiple=True, required=True, help="Who is told; may be given several times.")
    @click.option("--user", default="", help="When the server wants one; its password is asked for.")
    @click.option("--ca", default="", help="A file with the server's own root, if it has one.")
    @click.option("--password", envvar="LOA_MAIL_PASSWORD", default="", hidden=True)
    def mail(
        folder: Path, host: str, port: int, security: str, sender: str, to: tuple[str, ...], user: str,
        ca: str, password: str,
    ) -> None:  # fmt: skip
        """Tells by e-mail. The password: LOA_MAIL_PASSWORD, else asked for."""
        if user and not password:
            password = click.prompt("Password", hide_input=True)
        with opened(folder) as house:
            told = Mail(host, port, security, sender, to, user, password, ca)
            save_settings(house.store, replace(load_settings(house.store), mail=told))

    @alerts.command()
    @directory
    @click.argument("url")
    @click.option("--ca", default="", help="A file with the server's own root, if it has one.")
    @click.option("--secret", envvar="LOA_HOOK_SECRET", default="", hidden=True)
    def hook(folder: Path, url: str, ca: str, secret: str) -> None:
        """Tells by a POST to URL, as for a Zalo bridge. The secret: LOA_HOOK_SECRET, else asked for."""
        secret = secret or click.prompt("Secret, shared with the receiver", hide_input=True)
        with opened(folder) as house:
            save_settings(house.store, replace(load_settings(house.store), hook=Hook(url, secret, ca)))

    @alerts.command()
    @directory
    @click.argument("way", type=click.Choice(["mail", "hook"]))
    def off(folder: Path, way: str) -> None:
        """Tells no longer by WAY."""
        with opened(folder) as house:
            settings = load_settings(house.store)
            off_now = replace(settings, mail=None) if way == "mail" else replace(settings, hook=None)
            save_settings(house.store, off_now)

    @alerts.command("try")
    @directory
    def try_now(folder: Path) -> None:
        """Sends a trial letter every way that is set up, now, and says what became of it."""
        with opened(folder) as house:
            post = post_of(
                house.alarms, load_settings(house.store), province=house.config.name, now=house.now
            )
            key = f"trial-{house.now()}-{house.entropy(4).hex()}"
            house.alarms.put(trial(key), key, now=house.now())
            post.run_once()
            sent = [one for one in house.alarms.letters() if one.key.startswith(key)]
            for letter in sent:
                click.echo(f"{letter.way}: {letter.error or 'sent'}")
            if not sent:
                click.echo("nothing is set up: see `loa hub alerts mail --help`")
            if any(letter.error for letter in sent):
                raise SystemExit(NOT_SENT_EXIT)

"""`loa node say`: how a text will be read, before anybody hears it; and, when asked, the sound itself.

Bound: one command. The words are `ledger.spoken`'s, the voice is `node.sound.speech`'s, as on the air.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click


def add_say(
    group: click.Group,
    plain_errors: Callable[[], AbstractContextManager[None]],
    mono_s: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    """Hangs the command `say` into `group`."""

    @group.command()
    @click.argument("text")
    @click.option("--language", default="vi", show_default=True, help="As the bulletin says it.")
    @click.option(
        "--dir", "folder", type=click.Path(file_okay=False, path_type=Path),
        help="A station's folder: with the words of its glossary.toml.",
    )  # fmt: skip
    @click.option(
        "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write espeak-ng's WAV here."
    )
    def say(text: str, language: str, folder: Path | None, out: Path | None) -> None:
        """Shows how TEXT will be read aloud; the station speaks these words."""
        with plain_errors():
            from ledger.log import PlayerError
            from node.sound.glossary import GLOSSARY_NAME, NO_WORDS, read_glossary
            from node.sound.speech import Speech, as_spoken, wav_duration_s

            listed = None if folder is None else folder / GLOSSARY_NAME
            here = listed is not None and listed.exists()
            words = read_glossary(listed.read_bytes()) if listed is not None and here else NO_WORDS
            spoken = as_spoken(text, language, words)
            click.echo(f"đọc thành: {spoken}")
            if out is None:
                return
            program = shutil.which("espeak-ng")
            if program is None:
                raise PlayerError(
                    "cannot-speak", "espeak-ng is not installed", hint="apt-get install espeak-ng"
                )
            speech = Speech(program, text, language, mono_s(), words=spoken)
            try:
                while (sound := speech.result(mono_s())) is None:
                    sleep(0.02)
            finally:
                speech.close()
            out.write_bytes(sound)
            click.echo(f"{out}: {wav_duration_s(sound):.1f} s")

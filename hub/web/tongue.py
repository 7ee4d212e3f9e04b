"""Vietnamese words as msgids, with types: what `flask_babel` gives, said once so that every page says it
alike.
"""

from __future__ import annotations

import flask_babel


def gettext(text: str, /, **values: object) -> str:
    """`text` in the reader's language, with `%(name)s` filled in."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """The same for a count. Vietnamese has one form, so both are usually the same text; English has two."""
    return str(flask_babel.ngettext(one, many, num, **values))


def lazy_gettext(text: str) -> str:
    """For tables made at import: becomes text when it is shown, in the language of whoever reads it."""
    lazy: str = flask_babel.lazy_gettext(text)
    return lazy

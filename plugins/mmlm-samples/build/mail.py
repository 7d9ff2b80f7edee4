"""Read a mail as a reader would: its subject and its words, and nothing that tells where it came from."""

from __future__ import annotations

import email
import email.header
import email.policy
import re
from dataclasses import dataclass
from email.message import Message
from html.parser import HTMLParser

__all__ = ["Mail", "mask", "read_mail", "thread"]

_HIDDEN = {"script", "style", "head", "title"}
_BLOCKS = {"br", "div", "h1", "h2", "h3", "h4", "li", "p", "table", "td", "tr"}
_MASKS = (
    (re.compile(r"(?:https?|ftp|mailto):\S*|www\.[^\s<>\"]+", re.I), "URL"),
    (re.compile(r"[^\s<>()\[\]\",;:]+@[^\s<>()\[\]\",;:]+|\b[\w.+-]+ at (?:[\w-]+\.)+[a-z]{2,}\b", re.I), "EMAIL"),
    (re.compile(r"\+?\(?\d(?:[\s().-]{0,2}\d){6,}"), "NUMBER"),
)
_HTML = re.compile(r"</?(?:html|body|table|td|font|br|p|b|center|div|a href)\b[^<]*>", re.I)
_LIST_TAG = re.compile(r"^\s*(?:(?:re|fwd?|aw)\s*(?:\[\d+\])?\s*:|\[[^\]]*\])\s*", re.I)
_LIST_FOOTER = re.compile(r"^(?:_{20,}|-{40,}|--\s*|-{3,} ?~->)$", re.M)
_FEED = re.compile(r"\A\s*URL:.*\n\s*Date:.*\n")
_QUOTE = re.compile(r"^\s{0,2}(?:[A-Za-z]{0,3}>|\|).*$\n?", re.M)


@dataclass(frozen=True)
class Mail:
    """What a mail says, in plain text."""

    subject: str
    body: str


class _Words(HTMLParser):
    """Collects the visible text of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def read_mail(raw: bytes) -> Mail:
    """Return subject and body.

    All headers but the subject are dropped. So are quoted lines, signatures, the footers of mailing lists, the first
    lines of feeds that were turned into mail, and "Re:" and the list's tag in the subject: a model should read the
    mail, not learn the list. Addresses, links and long numbers are masked, because people own some of them.
    """
    message = email.message_from_bytes(raw.lstrip(), policy=email.policy.compat32)
    subject, body = mask(_subject(message)), _body(message)
    footer = _LIST_FOOTER.search(body, len(body) // 2)
    body = _QUOTE.sub("", body[: footer.start()] if footer else body)
    body = mask(_FEED.sub("", body))
    return Mail(_tidy(_untagged(subject)), _tidy(body))


def mask(text: str) -> str:
    """Return the text with `URL`, `EMAIL` and `NUMBER` in place of links, addresses and numbers like telephones'."""
    for pattern, name in _MASKS:
        text = pattern.sub(name, text)
    return text


def thread(subject: str) -> str:
    """Return what the subjects of one thread have in common."""
    return " ".join(re.findall(r"[a-z]+", _untagged(subject).lower()))


def _untagged(subject: str) -> str:
    while (shorter := _LIST_TAG.sub("", subject)) != subject:
        subject = shorter
    return subject


def _subject(message: Message) -> str:
    try:
        return str(email.header.make_header(email.header.decode_header(message.get("Subject", ""))))
    except (LookupError, ValueError):
        return str(message.get("Subject", ""))


def _body(message: Message) -> str:
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    plain = [part for part in parts if part.get_content_subtype() != "html"]
    return "\n".join(map(_text, plain)).strip() or "\n".join(map(_text, parts)).strip()


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    text = _decode(content, part.get_content_charset("utf-8"))
    if not _HTML.search(text):
        return text
    words = _Words()
    words.feed(text)
    return "".join(words.pieces)


def _decode(content: bytes, charset: str) -> str:
    # Mail programs of the time declared Latin-1 or ASCII, or nothing, and wrote Windows' code page.
    if charset.lower() not in ("iso-8859-1", "latin-1", "us-ascii"):
        try:
            return content.decode(charset)
        except (LookupError, UnicodeDecodeError):
            pass
    return content.decode("cp1252", "ignore")


def _tidy(text: str) -> str:
    """Return the text with single spaces, no empty lines in a row, and nothing that cannot be shown."""
    lines = (" ".join(line.split()) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    lines = ("".join(filter(_shows, line)) for line in lines)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _shows(character: str) -> bool:
    return character.isprintable() and character != "\ufffd"

"""超大附件: attachments that are only a link in the text.

The big Chinese providers put files above 20 to 50 MB on their own servers and a link into the mail.
For the office such a file is not there: its network cannot open it, and a link out of a mail is
never fetched. This module finds the links and, where the text shows it, the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from mailbot.core.mail.clean import one_line
from mailbot.core.mail.htmltext import Link
from mailbot.core.mail.model import CloudAttachment

_URL: Final = re.compile(
    r"https?://([A-Za-z0-9.-]{1,100})(?::\d{1,5})?(/[^\s\"'<>）】，。]{0,2000})?"
)
_CLOUD: Final = re.compile(
    r"(?:i?wx|en)?\.?(?:ex)?mail\.qq\.com/(?:ftn|cgi-bin/(?:ftnexs|ftn|exs_ftn|readtemplate\?[^ ]*ftn))"
    r"|(?:wx|w|m|en)\.(?:ex)?mail\.qq\.com/(?:ftn|cgi-bin/ftnexs)"
    r"|exmail\.qq\.com/(?:ftn|cgi-bin/ftnexs)"
    r"|dashi\.(?:163|126|188)\.(?:com|net)/"
    r"|(?:[a-z0-9-]+\.)*(?:163|126|yeah|188|netease)\.(?:com|net)/(?:[^ ]*/)?large-attachment"
    r"|(?:[a-z0-9-]+\.)*(?:163|126|yeah|188|netease)\.(?:com|net)/[^ ]*cloud-?attachment"
    r"|(?:fs|u)\.(?:163|126)\.com/"
    r"|(?:[a-z0-9-]+\.)*(?:10086|139)\.(?:cn|com)/[^ ]*(?:largefile|fileshare|bigattach|disk|inner/fileexpired)"
    r"|(?:[a-z0-9-]+\.)*189\.cn/[^ ]*(?:bigattach|largeattach|downloadlargeattach|sharefile)"
    r"|(?:[a-z0-9-]+\.)*sina\.(?:com|cn|com\.cn)/[^ ]*(?:bigattach|netdisk|filecenter)"
    r"|(?:[a-z0-9-]+\.)*(?:aliyun|alibaba-inc)\.com/[^ ]*(?:alimail/[^ ]*(?:bigattach|internallinks/)|netdisk)"
    r"|[^/ ]+/coremail/[^ ]*(?:func=nf|nfs|netfolder|bigattach|largeattach)",
    re.IGNORECASE,
)
_FILE: Final = re.compile(
    r"([^\s\\/:*?\"<>|，。；：（(【\[][^\r\n\t\\/:*?\"<>|]{0,200}?\."
    r"(?:docx?|wps|pdf|ofd|xlsx?|et|pptx?|dps|rtf|txt|zip|rar|7z|jpe?g|png|bmp|tiff?|mp4|mov|avi|mp3|wav))"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_QUERY_NAME: Final = re.compile(
    r"[?&](?:file_?name|fname|name|title|file)=([^&#]{1,600})", re.IGNORECASE
)
_FOUND_MAX: Final = 50
_CONTEXT: Final = 300


def find_cloud(text: str, page_text: str, links: Sequence[Link]) -> tuple[CloudAttachment, ...]:
    """Every oversize attachment once, in the order of the mail. `text` is the body for a reader;
    `page_text` and `links` those of its HTML version, if any."""
    by_url: dict[str, tuple[str, str]] = {}
    for host, url, shown, before in _candidates(text, page_text, links):
        known = by_url.get(url)
        if known is not None and known[1]:
            continue
        by_url[url] = (host, _name(shown) or _in_query(url) or _name(before, last=True))
        if len(by_url) >= _FOUND_MAX:
            break
    return tuple(dict.fromkeys(CloudAttachment(host, name) for host, name in by_url.values()))


def _candidates(
    text: str, page_text: str, links: Sequence[Link]
) -> Iterator[tuple[str, str, str, str]]:
    """(host, URL, text of the link, text before it)."""
    for link in links:
        match = _URL.match(link.href.strip())
        if match is not None and _is_cloud(match):
            before = page_text[max(0, link.offset - _CONTEXT) : link.offset]
            yield match[1].lower(), match[0], link.text, before
    for match in _URL.finditer(text):
        if _is_cloud(match):
            before = text[max(0, match.start() - _CONTEXT) : match.start()]
            yield match[1].lower(), match[0], "", before


def _is_cloud(match: re.Match[str]) -> bool:
    return _CLOUD.match(match[1] + (match[2] or "")) is not None


def _in_query(url: str) -> str:
    match = _QUERY_NAME.search(url)
    return _name(unquote(match[1])) if match else ""


def _name(shown: str, *, last: bool = False) -> str:
    """The file name in a piece of text; the last one of several when it stands before the link."""
    found = _FILE.findall(shown[-_CONTEXT:] if last else shown[:_CONTEXT])
    return one_line(found[-1 if last else 0])[0] if found else ""

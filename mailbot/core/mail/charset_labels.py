"""Charset names as mails write them, and the codec each is read with.

An allow-list: what is not here is an unknown charset, whatever Python would make of the name.
"""

from __future__ import annotations

from typing import Final

_GB: Final = "gb18030"  # a superset of gb2312 and gbk, so every label of the family is read as it
_LABELS: Final[dict[str, str]] = {
    label: codec
    for codec, labels in {
        "ascii": "us-ascii ascii ansi-x3.4-1968 ansi-x3.4-1986 iso646-us iso-ir-6 us 646 7bit",
        "utf-8": "utf-8 utf8 utf-8-sig utf8mb4 cp65001 65001 unicode-1-1-utf-8 x-utf8 x-utf-8",
        _GB: (
            "gb18030 gb-18030 gb18030-2000 gb18030-2005 gb18030-2022 gbk x-gbk gb2312 gb-2312 "
            "x-gb2312 gb2312-80 gb-2312-80 cp936 ms936 936 windows-936 x-cp936 x-euc-cn euc-cn "
            "euccn csgb2312 csiso58gb231280 csgbk csgb18030 iso-ir-58 chinese gb gb-k gbk2312 "
            "x-mac-chinesesimp 54936 cp54936 20936 x-cp20936 cn-gb"
        ),
        "hz": "hz hz-gb-2312 hz-gb2312 hzgb x-hz 52936",
        "iso2022cn": "iso-2022-cn iso2022-cn csiso2022cn iso-2022-cn-ext x-cp50227 50227",
        "big5hkscs": (
            "big5 big-5 big5-hkscs big5hkscs x-x-big5 csbig5 cn-big5 cp950 ms950 950 windows-950 "
            "big5-eten x-big5 x-mac-chinesetrad"
        ),
        "utf-16": "utf-16 utf16 unicode ucs-2 iso-10646-ucs-2 csunicode",
        "utf-16-le": "utf-16le utf16le utf-16-le unicodelittle 1200",
        "utf-16-be": "utf-16be utf16be utf-16-be unicodefffe 1201",
        "utf-32": "utf-32 utf32 ucs-4",
        "cp1252": (
            "iso-8859-1 iso8859-1 latin1 latin-1 l1 cp819 ibm819 iso-ir-100 csisolatin1 "
            "windows-1252 cp1252 ansi x-ansi 1252"
        ),
        "iso8859-15": "iso-8859-15 latin-9 latin9",
        **{f"iso8859-{n}": f"iso-8859-{n} iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13)},
        "iso8859-16": "iso-8859-16",
        **{f"cp{n}": f"windows-{n} cp{n} x-cp{n}" for n in (1250, 1251, 1253, 1254, 1255, 1256)},
        **{f"cp{n}": f"windows-{n} cp{n}" for n in (1257, 1258, 437, 850, 852, 866)},
        "cp874": "windows-874 tis-620 iso-8859-11 cp874",
        "koi8-r": "koi8-r koi8 cskoi8r",
        "koi8-u": "koi8-u",
        "mac-roman": "macintosh macroman x-mac-roman mac",
        "cp932": "shift-jis shiftjis sjis x-sjis ms-kanji cp932 windows-31j csshiftjis ms932",
        "euc_jp": "euc-jp eucjp x-euc-jp cseucpkdfmtjapanese",
        "iso2022_jp_ext": "iso-2022-jp csiso2022jp iso-2022-jp-1 iso-2022-jp-ext iso-2022-jp-ms",
        "iso2022_jp_2": "iso-2022-jp-2 iso-2022-jp-3",
        "cp949": "euc-kr euckr ks-c-5601-1987 ksc5601 ks-c-5601 cp949 windows-949 x-windows-949",
        "iso2022_kr": "iso-2022-kr csiso2022kr",
    }.items()
    for label in labels.split()
}


def codec_for(label: str | None) -> str | None:
    """Our codec for a charset label as written in a mail, or None when it is not on the list."""
    if not label:
        return None
    plain = label[:60].strip(" \t\"'").lower().replace("_", "-")
    return _LABELS.get(plain) or _LABELS.get(plain.split("*")[0])

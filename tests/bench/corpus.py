"""Mail as an office gets it, as much as one likes: submissions with a Word file and a picture in it,
each another item, and among them the sample mails (from the second time on they are repeats). Every
mail has an id of its own. The same for the same seed."""

from __future__ import annotations

import email.policy
import io
import random
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import cycle
from pathlib import Path

from docx import Document

EMAILS = Path(__file__).resolve().parents[2] / "fixtures" / "emails"
UNITS = ("教体局", "农牧局", "卫健委", "民政局", "司法局")
PICTURE = (10_000, 150_000)
"""Bytes, from and to; pictures do not compress."""
SENTENCE = (
    "我局按照旗委旗政府部署，扎实推进各项重点工作，组织干部深入一线走访，现将有关情况报告如下。"
)


def corpus(count: int, seed: int = 2026) -> Iterator[bytes]:
    """Every fourth is a sample mail."""
    chance = random.Random(seed)
    samples = cycle(sorted(EMAILS.glob("*.eml")))
    words = [_word_file(chance) for _ in range(20)]
    for number in range(count):
        if number % 4 == 3:
            yield _sample(next(samples).read_bytes(), number)
        else:
            yield submission(number, chance, words)


def submission(number: int, chance: random.Random, words: list[bytes]) -> bytes:
    title = f"第{number:05d}号重点工程进展顺利"
    mail = EmailMessage()
    mail["From"] = f"liaison{number % 97}@example.net"
    mail["To"] = "xinxi@example.org"
    mail["Subject"] = f"{chance.choice(UNITS)}+{title}+张三+7622029"
    mail["Message-ID"] = f"<bench-{number}@example.net>"
    mail["Date"] = "Wed, 12 Aug 2026 09:30:00 +0800"
    mail.set_content(f"{title}。{SENTENCE * chance.randint(1, 12)}")
    document = {"maintype": "application", "subtype": "octet-stream", "filename": f"{title}.docx"}
    mail.add_attachment(chance.choice(words), **document)
    return mail.as_bytes(policy=email.policy.SMTP)


def _sample(raw: bytes, number: int) -> bytes:
    """Only its id is touched: what is wrong with the rest is what the sample is for."""
    end = b"\r\n" if b"\r\n" in raw else b"\n"
    head, gap, body = raw.partition(end + end)
    lines: list[bytes] = []
    skipping = False
    for line in head.split(end):
        skipping = line.lower().startswith(b"message-id:") or (skipping and line[:1] in b" \t")
        if not skipping:
            lines.append(line)
    return end.join([*lines, f"Message-ID: <bench-{number}@example.net>".encode()]) + gap + body


def _word_file(chance: random.Random) -> bytes:
    written = io.BytesIO()
    document = Document()
    for _ in range(chance.randint(5, 40)):
        document.add_paragraph(SENTENCE)
    document.save(written)
    with zipfile.ZipFile(written, "a") as file:
        file.writestr("word/media/image1.jpeg", chance.randbytes(chance.randint(*PICTURE)))
    return written.getvalue()

"""The child process in which mails are read: limits itself, then answers mail after mail.

Frames on stdin: one byte (1: complete mail, 0: header section only), eight bytes length, the raw
mail. Frames on stdout: eight bytes length, UTF-8 JSON (`core.mail.wire`). The first frame out is
empty and says that everything is imported. It ends when stdin does, so it never outlives its parent.
A mail that breaks a limit breaks the process; the parent replaces it.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO

from mailbot.core.mail.model import IncomingMail
from mailbot.core.mail.reading import read_mail
from mailbot.core.mail.wire import to_json

OUT_OF_MEMORY = 86
"""Exit code: the mail needed more memory than the limit."""
_HEAD = struct.Struct(">BQ")
_LENGTH = struct.Struct(">Q")

Read = Callable[[bytes, bool], IncomingMail]


def main(arguments: list[str], read: Read = read_mail) -> None:
    """Runs until stdin ends. `read` is replaced by tests only."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--memory-mb", type=int, required=True)
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # libraries would quote the mail on stderr
    limit_resources(options.memory_mb)
    _warm_up(read)
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing but frames may reach the parent
    try:
        serve(requests, answers, read, options.seconds)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BrokenPipeError:
        os._exit(0)


def limit_resources(memory_mb: int) -> None:
    """Address space, no core dumps, no files written, few descriptors. For good: a process cannot
    raise its own hard limits again."""
    memory = memory_mb * 1024 * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = 64 if hard == resource.RLIM_INFINITY else min(64, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def serve(requests: BinaryIO, answers: BinaryIO, read: Read, seconds: float) -> None:
    """Answers frame after frame, each with its own allowance of processor time."""
    _send(answers, b"")
    while len(head := requests.read(_HEAD.size)) == _HEAD.size:
        complete, length = _HEAD.unpack(head)
        raw = requests.read(length)
        if len(raw) < length:
            return
        _allow(seconds)
        answer = to_json(read(raw, bool(complete))).encode("utf-8")
        del raw
        _send(answers, answer)


def _allow(seconds: float) -> None:
    """The kernel's limit counts the process's whole life: move it along before each mail."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def _send(answers: BinaryIO, data: bytes) -> None:
    frame = memoryview(_LENGTH.pack(len(data)) + data)
    while frame:
        frame = frame[answers.write(frame) :]


def _warm_up(read: Read) -> None:
    """Loads what is loaded on first use (codecs, chardet's tables), so that no mail's time pays."""
    text = "暖机：王喆、café".encode("gb18030")
    read(b"Subject: " + text + b"\n\n" + text, True)


if __name__ == "__main__":
    main(sys.argv[1:])

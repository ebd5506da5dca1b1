"""Zstandard, one frame a file. Unpacking goes in small steps, so that a small file cannot fill the memory."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from consciousness_cluster.extras import require

LEVEL = 9
WINDOW = 8 * 2**20  # more than LEVEL needs; a frame may ask for gigabytes
STEP = 1024  # bytes read at a time: they unpack to 32 MB at most
PIECE = 2**20


class Unreadable(Exception):
    """A file that is not what it should be; the text says why."""


def packed(data: bytes) -> bytes:
    """One frame with its content's size and checksum: the same bytes for the same data."""
    return bytes(require("zstandard", "submit").ZstdCompressor(level=LEVEL, write_checksum=True).compress(data))


def unpacked(file: BinaryIO, read: Callable[[bytes], object] = lambda data: None) -> Iterator[bytes]:
    """The content, a megabyte or less at a time; `read` gets the packed bytes.

    Raises Unreadable unless it is one whole frame.
    """
    library = require("zstandard", "submit")
    frame = library.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
    while data := file.read(STEP):
        read(data)
        if frame.eof:
            raise Unreadable("has bytes after the end of its zstd frame")
        try:
            piece = frame.decompress(data)
        except library.ZstdError as error:
            raise Unreadable(f"is no zstd file that can be unpacked ({str(error).removeprefix('zstd ')})") from None
        for start in range(0, len(piece), PIECE):
            yield piece[start : start + PIECE]
        if frame.unused_data:
            raise Unreadable("has bytes after the end of its zstd frame")
    if not frame.eof:
        raise Unreadable("is cut off before the end of its zstd frame")

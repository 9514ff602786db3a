"""Unpacks gzip, as far as memory allows: what would come out too long is refused before it is there.

Knows no history format.
"""

import zlib

from coagent.bad_input import BadInput

MOST = 256 << 20
"""Bytes of the longest text that is unpacked."""

PIECE = 1 << 18
"""Bytes that are unpacked at a time."""

MAGIC = b"\x1f\x8b"


def unpacked(raw: bytes, where: str) -> bytes:
    """The bytes as they are, or what a gzip file of them holds. Raises BadInput when it is damaged, cut or too long."""
    if raw[:2] != MAGIC:
        return raw
    pieces: list[bytes] = []
    left, member = MOST, zlib.decompressobj(wbits=31)
    for start in range(0, len(raw), PIECE):
        fed = raw[start : start + PIECE]
        while fed:
            if member.eof:
                fed = fed.lstrip(b"\0")
                member = zlib.decompressobj(wbits=31) if fed else member
                continue
            try:
                piece = member.decompress(fed, PIECE)
            except zlib.error:
                raise BadInput("is damaged gzip data; copy or download it again", where) from None
            fed = member.unconsumed_tail or member.unused_data
            left -= len(piece)
            pieces.append(piece)
            if left < 0:
                raise BadInput(f"unpacks to more than {MOST >> 20} MB, which no history here needs", where)
    if not member.eof:
        raise BadInput("ends inside its gzip data, so it was probably cut; copy or download it again", where)
    return b"".join(pieces)

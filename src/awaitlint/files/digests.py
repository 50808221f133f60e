"""Digests: what tells one content from another."""

from __future__ import annotations

try:
    from _blake2 import blake2b  # where hashlib has it from; hashlib would load OpenSSL, too
except ImportError:
    from hashlib import blake2b

#: bytes in a digest
SIZE = 16


def digest(data: bytes | memoryview, *, key: bytes = b"", person: bytes = b"") -> bytes:
    """16 bytes that tell data apart."""
    return blake2b(data, digest_size=SIZE, key=key, person=person).digest()

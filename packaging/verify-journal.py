#!/usr/bin/env python3
"""Verifies an export of the journal (drehscheibe journal export) without the Datendrehscheibe.

hash(n) = SHA-256(hash(n-1) || entry(n)), with 32 zero bytes before entry 1. entry(n) is: byte 1 (version), number and time in
milliseconds since 1970 (UTC; 8 bytes each, big endian), then eleven fields: byte 0 if absent; otherwise byte 1, length (4 bytes, big endian), bytes.
Ids are their 16 bytes; texts are UTF-8; data is JSON without blanks, its members in the order of the export.
"""
import datetime
import hashlib
import json
import sys
import uuid


def field(value):
    return b"\0" if value is None else b"\1" + len(value).to_bytes(4, "big") + value


def milliseconds(at):
    since = datetime.datetime.fromisoformat(at.replace("Z", "+00:00")) - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
    return since // datetime.timedelta(milliseconds=1)


def entry(row):
    ids = [row[name] and uuid.UUID(row[name]).bytes for name in ("message", "delivery")]
    names = ("case", "source", "procedure", "authority", "target", "state", "code")
    texts = [None if row[name] is None else row[name].encode() for name in names]
    data = json.dumps(row["data"], separators=(",", ":"), ensure_ascii=False).encode()
    head = b"\1" + row["seq"].to_bytes(8, "big", signed=True) + milliseconds(row["at"]).to_bytes(8, "big", signed=True)
    return head + b"".join(map(field, [row["event"].encode(), *ids, *texts, data]))


before = None
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    if before is None:  # an export that begins later proves what follows its first entry
        before = (row["seq"] - 1, bytes(32) if row["seq"] == 1 else bytes.fromhex(row["previous"]))
    digest = hashlib.sha256(before[1] + entry(row)).digest()
    if row["seq"] != before[0] + 1 or digest.hex() != row["hash"]:
        sys.exit(f"entry {before[0] + 1} does not fit the chain")
    before = (row["seq"], digest)
if before is None:
    sys.exit("no entry")
print(f"chain intact; anchor {before[0]}:{before[1].hex()}")

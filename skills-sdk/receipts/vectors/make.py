#!/usr/bin/env python3
"""Makes the test vectors in this folder with a second implementation of the formats, sharing no code with the crate.

Run `python3 make.py` (needs the `cryptography` package for Ed25519). The crate's tests compare the crate with what is
committed; run this only when the format gains something, and read the difference.
"""

import hashlib
import json
import pathlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = pathlib.Path(__file__).parent
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def le64(number):
    return number.to_bytes(8, "little", signed=number < 0)


def canonical(value):
    """RFC 8785 for what receipts hold: ASCII names, strings, small integers, booleans, null."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Signer:
    def __init__(self, name):
        self.seed = sha(name.encode())
        self.key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message):
        return self.key.sign(message)


def merkle_levels(leaves):
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [sha(b"\1", below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        if len(below) % 2:
            above.append(below[-1])
        levels.append(above)
    return levels


def merkle_path(levels, index):
    path = []
    for level in levels:
        neighbour = index ^ 1
        if neighbour < len(level):
            path.append({"hash": level[neighbour].hex(), "side": "left" if index & 1 else "right"})
        index >>= 1
    return path


GENESIS, PROGRAM = sha(b"genesis"), sha(b"program")
LICENCE = sha(b"licence")
METER, RECEIPT_KEY, BUYER, SELLER = (Signer(name) for name in ("meter", "receipt-key", "buyer", "seller"))


def receipt(number, **changes):
    run = "run_" + sha(b"run", bytes([number])).hex()[:32]
    fields = {
        "v": 1, "id": run, "genesis": base58(GENESIS), "program": base58(PROGRAM),
        "skill": "acme.word-count", "version": "1.2.0", "module_sha256": sha(b"module").hex(),
        "manifest_sha256": sha(b"manifest").hex(), "exchanges_sha256": None,
        "runtime": "wasmtime-48.0.8+costs-1", "licence": base58(LICENCE), "terms_version": 1,
        "buyer": base58(BUYER.public), "seller": base58(SELLER.public), "kind": "usage", "tier": "personal",
        "endpoint": "count", "input_sha256": sha(b"input").hex(), "output_sha256": sha(b"output").hex(),
        "seed": sha(b"clawos/seed", run.encode()).hex(), "time": "1795000000000",
        "limits": {"fuel": "1000000000", "memory": "67108864", "output": "262144"},
        "fuel": "1234567", "wall_us": "850", "peak_memory": "1114112", "unit": "megafuel", "units": "2",
        "unit_price": "1000", "amount": "2000", "currency": "USDC", "fee_bps": 250, "outcome": "ok",
        "replayable": True, "parent": None, "licence_slot": "4242", "licence_age_ms": "17",
        "issued_at": "1795000000001", "key": base58(RECEIPT_KEY.public),
    }
    fields.update(changes)
    return fields


FAILED = {"outcome": "out_of_fuel", "output_sha256": None, "fuel": "1000000000", "units": "0", "amount": "0"}
FREE = {"licence": None, "terms_version": None, "kind": None, "tier": None, "licence_slot": None,
        "licence_age_ms": None, "unit": "call", "units": "1", "unit_price": "0", "amount": "0", "currency": None}
NESTED = {"parent": "run_" + "0" * 32, "unit": "call", "units": "1", "amount": "1000"}


def exchanges_hash(exchanges):
    hashed = [{"permission": permission, "request_sha256": sha(request).hex(),
               "response_sha256": None if response is None else sha(response).hex()}
              for permission, request, response in exchanges]
    return sha(canonical(hashed)).hex()


EXCHANGES = [("kv", b"counter", b"41"), ("kv", b"nothing here", None)]


def leaf(receipt):
    """What a receipt is in every tree: its units and amount beside its hash."""
    return leaf_hash(int(receipt["units"]), int(receipt["amount"]), sha(canonical(receipt)))


def leaf_hash(units, amount, receipt_hash):
    return sha(b"\0", le64(units), le64(amount), receipt_hash)


def receipts_file():
    read = {"exchanges_sha256": exchanges_hash(EXCHANGES), "replayable": False}
    receipts = [receipt(0), receipt(1, **FAILED), receipt(2, **FREE), receipt(3, **NESTED), receipt(4, **read)]
    receipts.sort(key=lambda each: each["id"])
    leaves = [leaf(each) for each in receipts]
    levels = merkle_levels(leaves)
    root = levels[-1][0]
    signature = RECEIPT_KEY.sign(b"clawos/receipts/v1" + GENESIS + PROGRAM + root)
    items = []
    for index, each in enumerate(receipts):
        evidence = {"path": merkle_path(levels, index), "root": root.hex(), "signature": base58(signature)}
        items.append({"canonical": canonical(each).decode(), "leaf_hash": leaves[index].hex(),
                      "signed": {**each, "evidence": evidence}})
    exchanges = [{"permission": permission, "request": request.decode(), "response": response and response.decode()}
                 for permission, request, response in EXCHANGES]
    return {"receipt_key_seed": RECEIPT_KEY.seed.hex(), "receipts": items,
            "exchanges": {"items": exchanges, "sha256": exchanges_hash(EXCHANGES)}}


def merkle_file():
    trees = []
    for count in range(1, 12):
        leaves = [(i, 1000 * i, sha(f"receipt {i}".encode())) for i in range(count)]
        levels = merkle_levels([leaf_hash(*each) for each in leaves])
        trees.append({"leaves": [{"units": str(units), "amount": str(amount), "receipt_sha256": each.hex()}
                                 for units, amount, each in leaves],
                      "root": levels[-1][0].hex(),
                      "paths": [merkle_path(levels, i) for i in range(count)]})
    batches = []
    for seq, count, units, amount in [(1, 1, 1, 1000), (2, 64, 2**40, 2**63 - 1), (2**64 - 1, 0, 0, 0)]:
        tree = sha(b"tree", le64(seq) if seq < 2**63 else seq.to_bytes(8, "little"))
        parts = [each.to_bytes(8, "little") for each in (seq, count, units, amount)]
        batches.append({"batch": {"licence": base58(LICENCE), "seq": str(seq), "count": str(count), "units": str(units),
                                  "amount": str(amount), "tree_root": tree.hex()},
                        "anchored_root": sha(b"\2", LICENCE, *parts, tree).hex()})
    return {"trees": trees, "batches": batches}


def statements_file():
    nonce = sha(b"nonce").hex()[:32]
    challenge = (f"clawos/challenge/v1\norigin: https://clawos.example\ngenesis: {base58(GENESIS)}\nhandle: acme\n"
                 f"wallet: {base58(BUYER.public)}\nnonce: {nonce}\nexpires: 1795000300000\n")
    version = (f"clawos/version/v1\nskill: acme.word-count\nversion: 1.2.0\nmodule: {sha(b'module').hex()}\n"
               f"manifest: {sha(b'manifest').hex()}\n")
    start, end = 1795000000000, 1797592000000
    certificate = (b"clawos/receipt-key/v1" + GENESIS + PROGRAM + RECEIPT_KEY.public + le64(start) + le64(end))
    return {
        "challenge": {"wallet_seed": BUYER.seed.hex(), "origin": "https://clawos.example", "genesis": base58(GENESIS),
                      "handle": "acme", "wallet": base58(BUYER.public), "nonce": nonce, "expires_at_ms": "1795000300000",
                      "text": challenge, "signature": base58(BUYER.sign(challenge.encode()))},
        "version": {"publisher_seed": SELLER.seed.hex(), "skill": "acme.word-count", "version": "1.2.0",
                    "module_sha256": sha(b"module").hex(), "manifest_sha256": sha(b"manifest").hex(),
                    "text": version, "signature": base58(SELLER.sign(version.encode()))},
        "receipt_key": {"meter_seed": METER.seed.hex(), "meter": base58(METER.public), "genesis": base58(GENESIS),
                        "program": base58(PROGRAM), "message": certificate.hex(),
                        "certified": {"key": base58(RECEIPT_KEY.public), "from_ms": start, "to_ms": end,
                                      "certificate": base58(METER.sign(certificate))}},
    }


def bill_file():
    # Amounts fit 63 bits, as on chain; fuel and prices are any 64-bit number.
    largest, most = 2**64 - 1, 2**63 - 1
    cases = [("call", True, 5, 7, 1, 7), ("call", True, 0, 7, 1, 7), ("call", False, 5, 7, 0, 0),
             ("megafuel", True, 0, 7, 0, 0), ("megafuel", True, 1, 7, 1, 7), ("megafuel", True, 10**6, 7, 1, 7),
             ("megafuel", True, 10**6 + 1, 7, 2, 14), ("megafuel", False, 10**9, 7, 0, 0),
             ("call", True, 0, most, 1, most), ("call", True, 0, most + 1, 1, None), ("call", True, 0, largest, 1, None),
             ("megafuel", True, 2 * 10**6, 2**62, 2, None), ("megafuel", True, 2 * 10**6, 2**63, 2, None),
             ("megafuel", True, largest, 1, largest // 10**6 + 1, largest // 10**6 + 1)]
    names = ("unit", "ok", "fuel", "unit_price", "units", "amount")
    return [{name: str(value) if isinstance(value, int) and not isinstance(value, bool) else value
             for name, value in zip(names, case)} for case in cases]


for name, content in [("receipts", receipts_file()), ("merkle", merkle_file()), ("statements", statements_file()),
                      ("bill", bill_file())]:
    (HERE / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")

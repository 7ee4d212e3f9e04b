"""Keys, signatures and trees."""

from __future__ import annotations

from vector_parts import APPROVER, LOG, STATION, STRANGER, Json, numbered

from ledger.log import keys, merkle


def key_vectors() -> Json:
    message = b"one message"
    good = STATION.sign(keys.SEGMENT, message)
    s_plus_l = (int.from_bytes(good[32:], "little") + keys.L).to_bytes(32, "little")
    named_prefixes = [
        ("segment", keys.SEGMENT),
        ("receipt", keys.RECEIPT),
        ("request", keys.REQUEST),
        ("reply", keys.REPLY),
        ("enrol", keys.ENROL),
        ("rotation", keys.ROTATION),
        ("roots", keys.ROOTS),
    ]
    signature_rejects = [
        ("one bit of the message changed", STATION, message[:-1] + b"d", good),
        ("signed for another purpose", STATION, message, STATION.sign(keys.RECEIPT, message)),
        ("signed by another key", APPROVER, message, good),
        ("S + L instead of S", STATION, message, good[:32] + s_plus_l),
        ("one bit of R changed", STATION, message, bytes([good[0] ^ 1]) + good[1:]),
        ("one bit of S changed", STATION, message, good[:-1] + bytes([good[-1] ^ 1])),
        ("63 bytes", STATION, message, good[:63]),
        ("65 bytes", STATION, message, good + b"\0"),
        ("no signature", STATION, message, b""),
        ("zeros", STATION, message, bytes(64)),
    ]
    rejects = [
        {"name": f"small order, encoding {n + 1} of 14", "public": raw.hex(), "code": "key-small-order"}
        for n, raw in enumerate(sorted(keys.SMALL_ORDER))
    ]
    for extra in (2, 3, 18):
        y = keys.P + extra
        for sign in (0, 1):
            raw = (y | sign << 255).to_bytes(32, "little")
            rejects.append(
                {"name": f"y = p + {extra}, sign {sign}", "public": raw.hex(), "code": "key-not-canonical"}
            )
    rejects += [
        {"name": "31 bytes", "public": STATION.verify_key.raw[:31].hex(), "code": "key-length"},
        {"name": "33 bytes", "public": STATION.verify_key.raw.hex() + "00", "code": "key-length"},
        {"name": "nothing", "public": "", "code": "key-length"},
    ]
    return {
        "prefixes": {name: prefix.hex() for name, prefix in named_prefixes},
        "keys": [
            {"seed": key.seed.hex(), "public": key.verify_key.raw.hex(), "key_id": key.key_id.hex()}
            for key in (APPROVER, STATION, STRANGER)
        ],
        "signatures": [
            {
                "seed": STATION.seed.hex(),
                "purpose": name,
                "message": message.hex(),
                "signature": STATION.sign(prefix, message).hex(),
            }
            for name, prefix in named_prefixes
        ],
        "signature_rejects": [
            {
                "name": name,
                "public": key.verify_key.raw.hex(),
                "purpose": "segment",
                "message": text.hex(),
                "signature": signature.hex(),
                "code": "signature-bad",
            }
            for name, key, text, signature in signature_rejects
        ],
        "rejects": rejects,
        "order_rejects": ORDER_REJECTS,
        "rfc8032": RFC8032,
    }


# Keys that only the check at enrolment refuses. The first two are STATION's point and a point of small order.
ORDER_REJECTS = [
    {
        "name": "a point of the group plus a point of order 8",
        "public": "e8c32d801c4f6f1fcf8cf7db2b85bfb30b5be23bc8e54753a2fd5990d9834f07",
        "code": "key-mixed-order",
    },
    {
        "name": "a point of the group plus the point of order 2",
        "public": "c453451ebe43350f4dd1e56b2cb2f438c9e1ad92f401ed37686b436cdd699228",
        "code": "key-mixed-order",
    },
    {
        "name": "no point has y = 2",
        "public": "02" + "00" * 31,
        "code": "key-not-a-point",
    },
]

# RFC 8032 §7.1, tests 1 to 3 and SHA(abc): the bare primitive, without a prefix.
RFC8032 = [
    {
        "seed": "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "public": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "message": "",
        "signature": "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    },
    {
        "seed": "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "public": "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "message": "72",
        "signature": "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    },
    {
        "seed": "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "public": "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "message": "af82",
        "signature": "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    },
    {
        "seed": "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "public": "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "message": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "signature": "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    },
]


# The leaves and roots that implementations of RFC 6962 and RFC 9162 have long been compared with.
REFERENCE_LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
REFERENCE_PATHS = [
    {
        "index": 0,
        "count": 8,
        "path": [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    },
    {
        "index": 5,
        "count": 8,
        "path": [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    },
]


def tree_vectors() -> Json:
    def tree(count: int) -> Json:
        leaves = merkle.leaves(STATION.key_id, LOG, 0, numbered(count))
        return {
            "count": count,
            "root": merkle.root(leaves).hex(),
            "paths": [[h.hex() for h in merkle.path(leaves, index)] for index in range(count)],
        }

    nine = merkle.leaves(STATION.key_id, LOG, 0, numbered(9))
    path = [h.hex() for h in merkle.path(nine, 3)]
    rejects = [
        ("index equal to the count", 9, 9, path, "proof-index"),
        ("an index below zero", -1, 9, path, "proof-index"),
        ("no leaves", 0, 0, [], "proof-index"),
        ("a path one hash too short", 3, 9, path[:-1], "proof-path"),
        ("a path one hash too long", 3, 9, [*path, path[0]], "proof-path"),
        ("a path where none belongs", 0, 1, path[:1], "proof-path"),
        ("the path of a full tree for the lifted leaf", 8, 9, path, "proof-path"),
        ("no path", 3, 9, [], "proof-path"),
    ]
    return {
        "reference": {"leaves": REFERENCE_LEAVES, "roots": REFERENCE_ROOTS, "paths": REFERENCE_PATHS},
        "key_id": STATION.key_id.hex(),
        "log_id": LOG.hex(),
        "events": [event.hex() for event in numbered(16)],
        "trees": [tree(count) for count in (1, 2, 3, 4, 5, 7, 8, 9, 16)],
        "path_rejects": [
            {"name": n, "index": i, "count": c, "path": p, "code": code} for n, i, c, p, code in rejects
        ],
    }

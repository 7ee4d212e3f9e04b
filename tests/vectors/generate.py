"""Golden vectors of the log format: `python tests/vectors/generate.py` writes the JSON files beside this one.

Deterministic: seeds, log ids and times are fixed, and no compressor runs, since compressors differ between
versions: zstd bodies are fixed bytes or frames written out by hand. Hostile cases are assembled from raw
parts and signed with a real key, so that they fail at the check they are meant for and not before it.
Expected codes are written down, not computed: the tests compare them with what the readers say.
"""

from __future__ import annotations

import json
from pathlib import Path

from vector_blobs import blob_vectors
from vector_bundle import bundle_vectors
from vector_central import central_vectors
from vector_chains import chain_vectors, proof_vectors
from vector_clusters import cluster_vectors
from vector_doorbell import doorbell_vectors
from vector_encodings import event_vectors, message_vectors
from vector_endings import ending_vectors, word_vectors
from vector_enrolment import enrolment_vectors
from vector_evidence import evidence_vectors
from vector_forks import fork_vectors
from vector_grants import grant_vectors
from vector_keys import key_vectors, tree_vectors
from vector_receipts import receipt_vectors
from vector_segments import segment_vectors
from vector_sync import sync_vectors
from vector_transit import transit_vectors
from vector_vocabulary import vocabulary_vectors


def vectors() -> dict[str, str]:
    """File name → text."""
    made = {
        "keys": key_vectors(),
        "events": event_vectors(),
        "vocabulary": vocabulary_vectors(),
        "messages": message_vectors(),
        "trees": tree_vectors(),
        "segments": segment_vectors(),
        "transit": transit_vectors(),
        "chain": chain_vectors(),
        "forks": fork_vectors(),
        "proofs": proof_vectors(),
        "receipts": receipt_vectors(),
        "sync": sync_vectors(),
        "central": central_vectors(),
        "doorbell": doorbell_vectors(),
        "clusters": cluster_vectors(),
        "grants": grant_vectors(),
        "endings": ending_vectors(),
        "words": word_vectors(),
        "enrolment": enrolment_vectors(),
        "evidence": evidence_vectors(),
        "bundle": bundle_vectors(),
        "blobs": blob_vectors(),
    }
    return {f"{name}.json": json.dumps(v, ensure_ascii=False, indent=1) + "\n" for name, v in made.items()}


if __name__ == "__main__":
    for name, text in vectors().items():
        (Path(__file__).parent / name).write_text(text, "utf-8")
        print(f"{name}: {len(text)} characters")

"""Evidence for third parties: one event in one file, judged with nothing but the root keys.

`gather` makes the file from a ledger; `examine` says what it proves, who signed by which chain of grants,
which keys ended since, by when it existed, and what it leaves open; `words` says that aloud. Format and order
of checks: docs/spec/evidence.md. A second implementation in JavaScript lies in ledger/verifier/ and is held
to the same vectors.
"""

from ledger.evidence.chains import Chain, shortest_chain
from ledger.evidence.court import Known, Witness
from ledger.evidence.examine import Finding, Question, examine
from ledger.evidence.file import EVIDENCE_BYTES_MAX, MAGIC, EvidenceFile
from ledger.evidence.gather import gather
from ledger.evidence.words import refused, told

__all__ = [
    "Chain",
    "EVIDENCE_BYTES_MAX",
    "EvidenceFile",
    "Finding",
    "Known",
    "MAGIC",
    "Question",
    "Witness",
    "examine",
    "gather",
    "refused",
    "shortest_chain",
    "told",
]

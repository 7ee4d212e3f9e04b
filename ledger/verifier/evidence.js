// The evidence file (docs/spec/evidence.md): one event, its grants, its witnesses; what they prove and what not.
"use strict";

const EVIDENCE_BYTES_MAX = 65536, GRANTS_MAX = 16, HEADS_MAX = 192;

function readEvidence(bytes) {
  must(bytes.length <= EVIDENCE_BYTES_MAX, "evidence-size");
  must(same(bytes.subarray(0, 4), [0xd7, 0x4c, 0x45, 0x01]), "evidence-magic");
  const fields = readMessage(bytes.subarray(4), EVIDENCE_BYTES_MAX, 2, 6 + GRANTS_MAX + HEADS_MAX);
  must(Array.isArray(fields) && fields.length === 6, "evidence-shape");
  const [version, proof, grants, journal, receipt, heads] = fields;
  must(version === 1, "evidence-version");
  const listOf = (list, max, size) => Array.isArray(list) && list.length <= max
    && list.every((item) => isBytes(item) && (!size || item.length === size));
  must(isBytes(proof) && (journal === null || isBytes(journal))
    && (receipt === null || (isBytes(receipt) && receipt.length === 164))
    && listOf(grants, GRANTS_MAX) && listOf(heads, HEADS_MAX, HEAD_BYTES)
    && (receipt !== null || heads.length === 0), "evidence-shape");
  return { proof, grants, journal, receipt, heads };
}

async function examine(bytes, roots) {
  const file = readEvidence(bytes);
  const proof = readProof(file.proof);
  const journal = file.journal && readProof(file.journal);
  const receipt = file.receipt && readReceipt(file.receipt);
  const heads = file.heads.map(readHead);
  const authority = await Authority.of(roots);
  const keyOf = (id) => authority.key(id);
  for (const raw of file.grants) {
    const segment = await openSegment(raw, keyOf);
    const fact = loneGrant(segment);
    must(fact.type === 64, "evidence-grant");
    await authority.apply(hex(segment.head.keyId), fact);
  }
  await checkProof(proof, keyOf);
  const author = hex(proof.head.keyId), fact = parse(proof.event);
  const { chain, right, territory } = await rightOf(authority, author, fact, proof.head.count);
  const speaksFor = territory ?? chain.at(-1)?.fact.territory ?? null;
  const witnesses = [];
  if (journal) witnesses.push(await journalSays(authority, journal, proof.head, speaksFor));
  if (receipt) witnesses.push(await receiptSays(authority, receipt, proof.head, heads, speaksFor));
  const seen = witnesses.length ? Number(witnesses.map((w) => w.at).reduce((a, b) => (b < a ? b : a))) : null;
  const late = seen !== null && !authority.may(author, right ?? 0, speaksFor ?? "", seen);
  return {
    key: authority.key(author), label: authority.labelOf(author), fact, event: proof.event, chain, right,
    seq: proof.head.firstSeq + BigInt(proof.index), logId: proof.head.logId, territory: speaksFor,
    root: chain.length ? chain[0].issuer : author, witnesses, existed: seen,
    open: openQuestions(fact, author, witnesses, seen, late),
  };
}

// By which grants the author might sign this.
async function rightOf(authority, author, fact, count) {
  if (fact.malformed || !NEEDS[fact.type]) {
    return { right: null, territory: null, chain: chainFor(authority, author, 0, null, null, "no-authority") };
  }
  const right = RIGHT[NEEDS[fact.type]];
  if (!DECISIONS.has(fact.type)) {
    return { right, territory: null, chain: chainFor(authority, author, right, null, fact.ts, "no-authority") };
  }
  must(count === 1, "not-sealed-alone");
  const territory = fact.territory ?? fact.unit;
  if (fact.type === 64) {
    return { right, territory, chain: authority.chainTo(await authority.apply(author, fact)).slice(0, -1) };
  }
  return { right, territory, chain: chainFor(authority, author, right, territory, fact.ts, "no-authority") };
}

function chainFor(authority, id, right, territory, at, code) {
  const chain = authority.chain(id, right, territory, at);
  must(chain, code);
  return chain;
}

async function journalSays(authority, journal, head, territory) {
  await checkProof(journal, (id) => authority.key(id));
  const fact = parse(journal.event);
  must(fact.type === 80, "witness-event");
  must(same(fact.key_id, head.keyId) && same(fact.log_id, head.logId) && BigInt(fact.first_seq) === head.firstSeq
    && fact.count === head.count && same(fact.head_hash, await headHash(head)), "witness-other");
  const hub = hex(journal.head.keyId);
  const chain = chainFor(authority, hub, RIGHT.INGEST, territory, fact.ts, "witness-no-authority");
  return { kind: "journal", hub, at: fact.ts, chain };
}

async function receiptSays(authority, receipt, head, heads, territory) {
  const hub = hex(receipt.hub), key = authority.key(hub);
  must(key, "key-unknown");
  await verifyReceipt(receipt, key);
  const sameLog = (a, b) => same(a.keyId, b.keyId) && same(a.logId, b.logId);
  for (const after of heads) {
    must(sameLog(after, head) && after.firstSeq === head.nextSeq && same(after.prev, await headHash(head)),
      "witness-heads");
    head = after;
  }
  must(sameLog(receipt, head) && receipt.nextSeq === head.nextSeq
    && same(receipt.headHash, await headHash(head)), "witness-other");
  const at = Number(receipt.hubTime);
  const chain = chainFor(authority, hub, RIGHT.RECEIPT, territory, at, "witness-no-authority");
  return { kind: "receipt", hub, at, chain };
}

function openQuestions(fact, author, witnesses, seen, late) {
  const meant = !fact.malformed;
  return [
    [!meant, "meaning"],
    [[65, 66, 67].includes(fact.type), "effect"],
    [seen === null, "time"],
    [seen !== null && witnesses.every((witness) => witness.hub === author), "self-witness"],
    [late, "late"],
    [seen !== null && meant && fact.ts > seen, "ahead"],
    [[1, 2, 3, 6, 16].includes(fact.type), "content"],
    [fact.type === 16, "sound"],
    [meant && DECISIONS.has(fact.type), "later"],
    [true, "revoked"],
    [true, "person"],
  ].filter(([applies]) => applies).map(([, name]) => name);
}

// For tests and for people who script: kind → the same readers the page uses.
const loa = {
  Refusal, hex, unhex, readEvent, readMessage, keyId, checkKey, proveOrder, verify, sha256, leafOf, rootOf,
  rootFromPath, readHead, headHash, openSegment, conflict, extend, readProof, checkProof, readReceipt,
  verifyReceipt, parse, Authority, loneGrant, readEvidence, examine, missing,
};
globalThis.loa = loa;

// The evidence file (docs/spec/evidence.md): one event, the statements it leans on, its witnesses; what they prove
// and what not.
"use strict";

const EVIDENCE_BYTES_MAX = 65536, STATEMENTS_MAX = 64, HEADS_MAX = 192, OPENINGS_MAX = 64;

function readEvidence(bytes) {
  must(bytes.length <= EVIDENCE_BYTES_MAX, "evidence-size");
  must(same(bytes.subarray(0, 4), [0xd7, 0x4c, 0x45, 0x01]), "evidence-magic");
  const fields = readMessage(bytes.subarray(4), EVIDENCE_BYTES_MAX, 2, 8 + STATEMENTS_MAX + HEADS_MAX + OPENINGS_MAX);
  must(Array.isArray(fields) && [6, 8].includes(fields.length), "evidence-shape");
  const [version, proof, statements, journal, receipt, heads, newest = null, openings = []] = fields;
  must(version === 1, "evidence-version");
  const listOf = (list, max, size) => Array.isArray(list) && list.length <= max
    && list.every((item) => isBytes(item) && (!size || item.length === size));
  const orNone = (item, size) => item === null || (isBytes(item) && (!size || item.length === size));
  must(isBytes(proof) && orNone(journal) && orNone(receipt, 164) && orNone(newest)
    && listOf(statements, STATEMENTS_MAX) && listOf(heads, HEADS_MAX, HEAD_BYTES) && listOf(openings, OPENINGS_MAX)
    && (receipt !== null || heads.length === 0) && (journal !== null || openings.length === 0)
    && (fields.length === 6 || newest !== null || openings.length > 0), "evidence-shape");
  return { proof, statements, journal, receipt, heads, newest, openings };
}

const placeOf = (proof) => ({ log: hex(proof.head.logId), seq: proof.head.firstSeq + BigInt(proof.index) });

async function examine(bytes, roots) {
  const file = readEvidence(bytes);
  const proof = readProof(file.proof);
  const journal = file.journal && readProof(file.journal);
  const receipt = file.receipt && readReceipt(file.receipt);
  const heads = file.heads.map(readHead);
  const newest = file.newest && readProof(file.newest);
  const openings = file.openings.map(readProof);
  const authority = await Authority.of(roots);
  const endings = await hearStatements(authority, file.statements);
  await checkProof(proof, (id) => authority.key(id));
  const author = hex(proof.head.keyId), fact = parse(proof.event);
  const recorded = await recordedBy(proof.head, journal, openings);
  const { asked, chain, right, territory } = await rightOf(authority, author, fact, proof, recorded);
  const speaksFor = territory ?? chain.at(-1)?.fact.territory ?? null;
  const witnesses = [], read = [];
  if (journal) {
    witnesses.push(await journalSays(authority, journal, proof.head, speaksFor));
    for (const opening of openings) await checkOpening(authority, opening, journal);
    read.push(await knownBy(authority, journal, speaksFor));
  }
  if (receipt) {
    witnesses.push(await receiptSays(authority, receipt, proof.head, heads, speaksFor));
    read.push({ hub: hex(receipt.hub), log: hex(receipt.hubLog), seq: receipt.hubSeq, at: Number(receipt.hubTime) });
  }
  const known = newest ? await knownBy(authority, newest, speaksFor)
    : read.reduce((best, one) => (best && best.at >= one.at ? best : one), null);
  const seen = witnesses.length ? Number(witnesses.map((w) => w.at).reduce((a, b) => (b < a ? b : a))) : null;
  const late = seen !== null && !authority.chain(author, right ?? 0, speaksFor, seen, placeOf(proof), asked);
  return {
    key: authority.key(author), label: authority.labelOf(author), fact, event: proof.event, chain, right,
    seq: placeOf(proof).seq, logId: proof.head.logId, territory: speaksFor,
    root: chain.length ? chain[0].issuer : author, witnesses, existed: seen,
    open: openQuestions(fact, author, witnesses, seen, late), endings, known,
  };
}

// Grants and root sets take effect as they come; what ended a key is judged when all are read. Returns the endings.
async function hearStatements(authority, raws) {
  const heard = [];
  for (const raw of raws) {
    const statement = loneStatement(await openSegment(raw, (id) => authority.key(id))), { type } = statement.fact;
    if (type === 64) await authority.apply(statement);
    else if (type === 67) await authority.follow(statement.fact);
    else must(type === 65 || type === 66, "evidence-grant");
    heard.push(statement);
  }
  const endings = heard.filter(({ fact }) => fact.type !== 64);
  if (!endings.length) return endings;
  const grouped = new Map(); // the same bytes again, at another place, are the same statement
  for (const one of heard.filter(({ fact }) => fact.type !== 67)) {
    const name = one.key + hex(one.event), first = grouped.get(name);
    if (first) first.places.push(...one.places);
    else grouped.set(name, { ...one, places: [...one.places] });
  }
  const reasons = new Map((await authority.judge([...grouped.values()])).map(([{ key, event }, why]) => [key + hex(event), why]));
  for (const one of heard) {
    const why = [65, 66].includes(one.fact.type) ? await authority.endsNothing(one) : reasons.get(one.key + hex(one.event));
    if (why) refuse(why);
  }
  return endings;
}

// By which grants the author might sign this. asked: whether a journal is asked about a cut.
async function rightOf(authority, author, fact, proof, recorded) {
  const place = placeOf(proof), never = () => false;
  const found = (right, territory, at, asked) => {
    const chain = authority.chain(author, right ?? 0, territory, at, place, asked);
    if (!chain) refuse(authority.onlyEnded(author, right ?? 0, territory, at) ? "key-ended" : "no-authority");
    return { right, territory, chain, asked };
  };
  if (fact.malformed || !NEEDS[fact.type]) return found(null, null, null, never);
  const right = RIGHT[NEEDS[fact.type]];
  if (!DECISIONS.has(fact.type)) return found(right, null, fact.ts, right === RIGHT.ACK ? recorded : never);
  must(proof.head.count === 1, "not-sealed-alone");
  const territory = fact.territory ?? fact.unit;
  if (fact.type === 64) {
    const chain = chainTo(await authority.apply({ key: author, fact, places: [place] })).slice(0, -1);
    return { right, territory, chain, asked: never };
  }
  return found(right, territory, fact.ts, never);
}

// Whether the file's journal, by its own words, had recorded this segment at or before a cut.
async function recordedBy(head, journal, openings) {
  const places = [], before = new Map(), hash = await headHash(head);
  for (const proof of journal ? [journal, ...openings] : []) {
    const fact = parse(proof.event), hub = hex(proof.head.keyId), place = placeOf(proof);
    if (fact.type === 0 && place.seq === 0n) before.set(hub + place.log, [hex(fact.prev_log), BigInt(fact.prev_next_seq)]);
    if (fact.type === 80 && same(fact.key_id, head.keyId) && same(fact.head_hash, hash)) places.push([hub, place]);
  }
  return (cut) => {
    const reach = new Map([[cut.log, cut.seq + 1n]]);
    for (let link = before.get(cut.hub + cut.log); link; link = before.get(cut.hub + link[0])) {
      if (/^0*$/.test(link[0]) || reach.has(link[0])) break;
      reach.set(...link);
    }
    return places.some(([hub, place]) => hub === cut.hub && place.seq < (reach.get(place.log) ?? 0n));
  };
}

async function arrivalIn(authority, proof) {
  await checkProof(proof, (id) => authority.key(id));
  const fact = parse(proof.event);
  must(fact.type === 80, "witness-event");
  return fact;
}

function ingests(authority, proof, fact, territory) {
  const hub = hex(proof.head.keyId);
  const chain = authority.chain(hub, RIGHT.INGEST, territory, fact.ts, placeOf(proof));
  must(chain, "witness-no-authority");
  return { hub, at: fact.ts, chain };
}

async function journalSays(authority, journal, head, territory) {
  const fact = await arrivalIn(authority, journal);
  must(same(fact.key_id, head.keyId) && same(fact.log_id, head.logId) && BigInt(fact.first_seq) === head.firstSeq
    && fact.count === head.count && same(fact.head_hash, await headHash(head)), "witness-other");
  return { kind: "journal", ...ingests(authority, journal, fact, territory) };
}

async function knownBy(authority, newest, territory) {
  const { hub, at } = ingests(authority, newest, await arrivalIn(authority, newest), territory);
  return { hub, ...placeOf(newest), at };
}

async function checkOpening(authority, opening, journal) {
  await checkProof(opening, (id) => authority.key(id));
  must(parse(opening.event).type === 0 && placeOf(opening).seq === 0n && same(opening.head.keyId, journal.head.keyId),
    "witness-opening");
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
  const chain = authority.chain(hub, RIGHT.RECEIPT, territory, at, null); // it stands in no log: nothing lets it stay
  must(chain, "witness-no-authority");
  return { kind: "receipt", hub, at, chain };
}

function openQuestions(fact, author, witnesses, seen, late) {
  const meant = !fact.malformed;
  return [
    [!meant, "meaning"],
    [[65, 66, 67, 68].includes(fact.type), "effect"],
    [seen === null, "time"],
    [seen !== null && witnesses.every((witness) => witness.hub === author), "self-witness"],
    [late, "late"],
    [seen !== null && meant && fact.ts > seen, "ahead"],
    [[1, 2, 3, 6, 16, 25].includes(fact.type), "content"],
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
  verifyReceipt, parse, clustersOf, Authority, loneStatement, readEvidence, examine, missing,
};
globalThis.loa = loa;

// Segments, trees, proofs, chains and receipts (docs/spec/segments.md, docs/spec/receipts.md).
"use strict";

const HEAD_BYTES = 104, FIXED_BYTES = 177, BODY_BYTES_MAX = 262144, WINDOW_MAX = 1n << 21n, WINDOW_BYTE = 11 << 3;

const leafOf = (keyId, logId, seq, event) => sha256([0], keyId, logId, be64(seq), event);
const nodeOf = (left, right) => sha256([1], left, right);

async function rootOf(level) {
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i < level.length; i += 2) {
      above.push(i + 1 < level.length ? nodeOf(level[i], level[i + 1]) : level[i]);
    }
    level = await Promise.all(above);
  }
  return level[0];
}

async function rootFromPath(leaf, index, count, path) {
  must(index >= 0 && index < count, "proof-index");
  let at = index, last = count - 1, used = 0, reached = leaf;
  for (; last > 0; at >>= 1, last >>= 1) {
    if (at % 2 === 0 && at === last) continue; // lifted
    must(used < path.length, "proof-path", "too short");
    const beside = path[used++];
    reached = await (at % 2 ? nodeOf(beside, reached) : nodeOf(reached, beside));
  }
  must(used === path.length, "proof-path", "too long");
  return reached;
}

function readHead(raw) {
  must(raw.length === HEAD_BYTES, "segment-short");
  must(same(raw.subarray(0, 4), [0xd7, 0x4c, 0x53, 0x01]), "head-magic");
  must(raw[4] === 1, "head-alg");
  must(zeros(raw.subarray(5, 8)), "head-flags");
  const head = {
    raw: raw.slice(), keyId: raw.slice(8, 16), logId: raw.slice(16, 24), firstSeq: be(raw.subarray(24, 32)),
    count: Number(be(raw.subarray(32, 36))), rawLen: Number(be(raw.subarray(36, 40))),
    prev: raw.slice(40, 72), root: raw.slice(72, 104),
  };
  must(!zeros(head.logId), "head-log-id");
  must(head.count >= 1 && head.count <= 4096, "head-count");
  head.nextSeq = head.firstSeq + BigInt(head.count);
  must(head.nextSeq < 2n ** 63n, "head-seq");
  must(head.rawLen >= 3 * head.count && head.rawLen <= 1048576, "head-raw-len");
  must((head.firstSeq === 0n) === zeros(head.prev), "head-prev");
  return head;
}

const headHash = (head) => sha256(ascii("loa-head/v1\0"), head.raw);

async function verifyHead(head, signature, keyOf) {
  const key = keyOf(hex(head.keyId));
  must(key, "key-unknown");
  await verify(key, "segment", head.raw, signature);
}

// keyOf: key id in hex → public key, or nothing for a stranger's.
async function openSegment(raw, keyOf) {
  must(raw.length >= FIXED_BYTES, "segment-short");
  must(raw.length <= FIXED_BYTES + BODY_BYTES_MAX, "segment-long");
  const head = readHead(raw.subarray(0, HEAD_BYTES));
  const signature = raw.slice(HEAD_BYTES, 168);
  await verifyHead(head, signature, keyOf);
  must(raw[168] <= 1, "tail-codec");
  must(zeros(raw.subarray(169, 173)), "tail-dictionary");
  must(Number(be(raw.subarray(173, 177))) === raw.length - FIXED_BYTES, "tail-length");
  const room = head.rawLen + 5 * head.count + 5;
  let body = raw.subarray(FIXED_BYTES);
  if (raw[168] === 1) body = inflate(body, room);
  else must(body.length <= room, "body-size");
  const events = splitBody(body, head);
  const leaves = events.map((event, i) => leafOf(head.keyId, head.logId, head.firstSeq + BigInt(i), event));
  must(same(await rootOf(await Promise.all(leaves)), head.root), "root-mismatch");
  return { head, signature, events, raw };
}

function splitBody(body, head) {
  const header = head.count < 16 ? [0x90 + head.count] : [0xdc, head.count >> 8, head.count & 255];
  must(same(body.subarray(0, header.length), header), "body-count");
  const events = [];
  let at = header.length, length = 0;
  const need = (count) => must(at + count <= body.length, "body-truncated");
  for (let i = 0; i < head.count; i++) {
    need(1);
    const tag = body[at++];
    must(tag === 0xc4 || tag === 0xc5, "body-item");
    const width = tag - 0xc3;
    need(width);
    const size = Number(be(body.subarray(at, at + width)));
    at += width;
    must(tag === 0xc4 || size >= 256, "body-not-shortest");
    must(size <= EVENT_BYTES_MAX, "event-size");
    need(size);
    events.push(body.slice(at, at + size));
    at += size;
    length += size;
  }
  must(at === body.length, "body-trailing");
  must(length === head.rawLen, "body-raw-len");
  return events;
}

// One zstd frame (RFC 8878) under our bounds; its blocks are walked here, so that nothing may follow it.
function inflate(frame, room) {
  const bad = "zstd-frame";
  const need = (end) => must(end <= frame.length, bad);
  need(5);
  must(same(frame.subarray(0, 4), [0x28, 0xb5, 0x2f, 0xfd]), bad);
  const flags = frame[4], single = (flags & 0x20) !== 0;
  must((flags & 0x08) === 0, bad);
  let at = 5, window = 0n;
  if (!single) {
    need(at + 1);
    const base = 1n << BigInt(10 + (frame[at] >> 3));
    window = base + (base / 8n) * BigInt(frame[at++] & 7);
  }
  const dictionaryBytes = [0, 1, 2, 4][flags & 3];
  need(at + dictionaryBytes);
  const dictionary = le(frame.subarray(at, (at += dictionaryBytes)));
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6];
  need(at + sizeBytes);
  let size = le(frame.subarray(at, (at += sizeBytes)));
  if (sizeBytes === 2) size += 256n;
  must(sizeBytes > 0, "zstd-no-size");
  must(size <= BigInt(room), "body-size");
  must((single ? size : window) <= WINDOW_MAX, "zstd-window");
  must(dictionary === 0n, "zstd-dictionary");
  const blocks = at;
  for (let last = 0; !last; ) {
    need(at + 3);
    const header = Number(le(frame.subarray(at, at + 3))), kind = (header >> 1) & 3;
    last = header & 1;
    must(kind !== 3 && header >> 3 <= 131072, bad);
    at += 3 + (kind === 1 ? 1 : header >> 3);
    need(at);
  }
  const checksum = flags & 4 ? 4 : 0;
  need(at + checksum);
  must(at + checksum === frame.length, bad, "something follows the frame");
  // The library would fill up to a declared size and believe it: it gets the blocks alone, counted as they come.
  const plain = new Uint8Array(Number(size));
  let filled = 0;
  const inflater = new fzstd.Decompress((chunk) => {
    must(filled + chunk.length <= plain.length, bad, "holds more than it declares");
    plain.set(chunk, filled);
    filled += chunk.length;
  });
  try { inflater.push(join([0x28, 0xb5, 0x2f, 0xfd, 0, WINDOW_BYTE], frame.subarray(blocks, at)), true); } catch { refuse(bad); }
  must(filled === plain.length, bad, "holds less than it declares");
  if (checksum) must((xxh64(plain) & 0xffffffffn) === le(frame.subarray(at)), bad, "checksum");
  return plain;
}

function xxh64(data) {
  const [p1, p2, p3, p4, p5] = [11400714785074694791n, 14029467366897019727n, 1609587929392839161n,
    9650029242287828579n, 2870177450012600261n];
  const u64 = (n) => BigInt.asUintN(64, n);
  const turn = (n, by) => u64((n << by) | (n >> (64n - by)));
  const round = (acc, lane) => u64(turn(u64(acc + lane * p2), 31n) * p1);
  let at = 0, h = p5;
  if (data.length >= 32) {
    const acc = [u64(p1 + p2), p2, 0n, u64(-p1)];
    for (; at + 32 <= data.length; at += 32) {
      for (let i = 0; i < 4; i++) acc[i] = round(acc[i], le(data.subarray(at + 8 * i, at + 8 * i + 8)));
    }
    h = u64(turn(acc[0], 1n) + turn(acc[1], 7n) + turn(acc[2], 12n) + turn(acc[3], 18n));
    for (const one of acc) h = u64((h ^ round(0n, one)) * p1 + p4);
  }
  h = u64(h + BigInt(data.length));
  for (; at + 8 <= data.length; at += 8) h = u64(turn(h ^ round(0n, le(data.subarray(at, at + 8))), 27n) * p1 + p4);
  if (at + 4 <= data.length) {
    h = u64(turn(h ^ u64(le(data.subarray(at, at + 4)) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < data.length; at++) h = u64(turn(h ^ u64(BigInt(data[at]) * p5), 11n) * p1);
  h = u64((h ^ (h >> 33n)) * p2);
  h = u64((h ^ (h >> 29n)) * p3);
  return h ^ (h >> 32n);
}

// --- what follows what -----------------------------------------------------------------------------------

// The code when two signed heads prove two histories, else null.
async function conflict(one, other) {
  if (!same(one.keyId, other.keyId) || !same(one.logId, other.logId) || same(one.raw, other.raw)) return null;
  const [early, late] = one.firstSeq <= other.firstSeq ? [one, other] : [other, one];
  if (late.firstSeq < early.nextSeq) return "fork-overlap";
  return late.firstSeq === early.nextSeq && !same(late.prev, await headHash(early)) ? "fork-broken-link" : null;
}

// held: the last head of the log, or null. Returns when `next` extends it.
async function extend(held, next) {
  const end = held ? held.nextSeq : 0n;
  must(next.firstSeq <= end, "chain-gap");
  must(next.firstSeq === end, "fork-overlap");
  must(!held || same(next.prev, await headHash(held)), "fork-broken-link");
}

// --- proofs and receipts ---------------------------------------------------------------------------------

function readProof(bytes) {
  const fields = readMessage(bytes, 8781, 2, 18);
  must(Array.isArray(fields) && fields.length === 6, "proof-shape");
  const [version, head, signature, index, event, path] = fields;
  must(version === 1, "proof-version");
  must(isBytes(head) && isBytes(signature) && signature.length === 64 && isInt(index) && isBytes(event)
    && Array.isArray(path) && path.every((hash) => isBytes(hash) && hash.length === 32), "proof-shape");
  return { head: readHead(head), signature, index, event, path };
}

async function checkProof(proof, keyOf) {
  const { head, signature, index, event, path } = proof;
  must(event.length <= EVENT_BYTES_MAX, "event-size");
  await verifyHead(head, signature, keyOf);
  must(index >= 0 && index < head.count, "proof-index");
  const leaf = await leafOf(head.keyId, head.logId, head.firstSeq + BigInt(index), event);
  must(same(await rootFromPath(leaf, index, head.count, path), head.root), "root-mismatch");
}

function readReceipt(raw) {
  must(raw.length === 164, "receipt-length");
  must(same(raw.subarray(0, 4), [0xd7, 0x4c, 0x52, 0x01]), "receipt-magic");
  const number = (at) => be(raw.subarray(at, at + 8));
  const receipt = {
    body: raw.slice(0, 100), signature: raw.slice(100), hub: raw.slice(4, 12), keyId: raw.slice(12, 20),
    logId: raw.slice(20, 28), nextSeq: number(28), headHash: raw.slice(36, 68), hubTime: number(68),
    hubLog: raw.slice(76, 84), hubSeq: number(84), nonce: raw.slice(92, 100),
  };
  const numbers = [receipt.nextSeq, receipt.hubTime, receipt.hubSeq];
  must(numbers.every((n) => n < 2n ** 63n) && receipt.nextSeq > 0n, "receipt-range");
  return receipt;
}

async function verifyReceipt(receipt, hubKey) {
  must(same(receipt.hub, await keyId(hubKey)), "receipt-hub");
  await verify(hubKey, "receipt", receipt.body, receipt.signature);
}

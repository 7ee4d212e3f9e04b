// The messages of a round (docs/spec/sync.md) and what they are made of (docs/spec/events.md, docs/spec/keys.md), read and
// written once more in another language, on the page's readers. For tests: the page needs none of it.
"use strict";

(() => {
  const FRAME = 76, REQUEST_MAX = 1048576, ROOM_MAX = 1048576, REPLY_MORE = 65536;

  // What `read` refuses with any code is refused with this one.
  function under(code, read) {
    try { return read(); } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refuse(code, error.code);
    }
  }
  async function underAsync(code, read) {
    try { return await read(); } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refuse(code, error.code);
    }
  }

  // --- canonical bytes ------------------------------------------------------------------------------------

  const tail = (n, width) => be64(BigInt.asUintN(64, n)).slice(8 - width);

  function packInt(v) {
    if (v >= -32n && v < 128n) return [Number(v & 255n)];
    for (const [i, bits] of [8n, 16n, 32n, 64n].entries()) {
      const fits = v >= 0n ? v < 1n << bits : v >= -(1n << (bits - 1n));
      if (fits) return join([(v >= 0n ? 0xcc : 0xd0) + i], tail(v, Number(bits) / 8));
    }
    return refuse("codec-int-range");
  }

  // Headers of text, bytes and arrays: a short form or none, then lengths of 1, 2 and 4 bytes from this tag on.
  function packSize(n, short, room, tag, widths) {
    if (n < room) return [short + n];
    const i = widths.findIndex((width) => n < 256 ** width);
    return join([tag + i], tail(BigInt(n), widths[i]));
  }

  function pack(value) {
    if (value === null) return Uint8Array.of(0xc0);
    if (typeof value === "boolean") return Uint8Array.of(value ? 0xc3 : 0xc2);
    if (isInt(value)) return join(packInt(BigInt(value)));
    if (isBytes(value)) return join(packSize(value.length, 0, 0, 0xc4, [1, 2, 4]), value);
    if (typeof value === "string") {
      const raw = new TextEncoder().encode(value);
      return join(packSize(raw.length, 0xa0, 32, 0xd9, [1, 2, 4]), raw);
    }
    return join(packSize(value.length, 0x90, 16, 0xdc, [2, 4]), ...value.map(pack));
  }

  // --- signing --------------------------------------------------------------------------------------------

  // {id, public, sign(purpose, message)} of a seed.
  async function signer(seed) {
    const der = join(unhex("302e020100300506032b657004220420"), seed);
    const key = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", key);
    const raw = Uint8Array.from(atob(x.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const sign = async (purpose, ...message) => new Uint8Array(await crypto.subtle.sign("Ed25519", key,
      join(ascii(`loa-${PURPOSES[purpose]}/v1\0`), ...message)));
    return { id: await keyId(raw), public: raw, sign };
  }

  async function write(kind, signer, fields, over = []) {
    const body = pack(fields), magic = [0xd7, 0x4c, kind === "request" ? 0x51 : 0x41, 0x01];
    return join(magic, signer.id, await signer.sign(kind, over, body), body);
  }

  // --- reading --------------------------------------------------------------------------------------------

  const natural = (v) => isInt(v) && v >= 0;
  const sized = (v, ...lengths) => isBytes(v) && lengths.includes(v.length);
  const listed = (v, most, row) => Array.isArray(v) && v.length <= most && v.every(row);
  const rowed = (v, ...checks) => Array.isArray(v) && v.length === checks.length && checks.every((ok, i) => ok(v[i]));
  const idOf = (v) => sized(v, 8);

  function fieldsOf(noun, body, most, count) {
    const fields = under(`${noun}-codec`, () => readMessage(body, most, 3, 8192));
    must(Array.isArray(fields) && fields.length > 0, `${noun}-shape`);
    must(fields[0] === 1, `${noun}-version`);
    must(fields.length === count, `${noun}-shape`);
    return fields;
  }

  function readRequestBody(body) {
    const [, nonce, sentAt, heads, cursor, trail, room, status, segments] = fieldsOf("request", body, REQUEST_MAX, 9);
    const isHead = (one) => rowed(one, idOf, (n) => natural(n) && n >= 1, (hash) => sized(hash, 32, 8));
    must(sized(nonce, 8) && isInt(sentAt) && listed(heads, 192, isHead) && natural(cursor)
      && sized(trail, cursor ? 8 : 0) && natural(room) && room <= ROOM_MAX && isBytes(status) && status.length <= 256
      && listed(segments, 256, isBytes), "request-shape");
    must(new Set(heads.map(([log]) => hex(log))).size === heads.length, "request-shape");
    return { nonce, sentAt, heads, cursor, trail, room, status, segments };
  }

  // A hub's: keyOf gives public keys; isStation is asked last.
  async function readRequest(raw, keyOf, isStation) {
    must(raw.length <= REQUEST_MAX, "request-size");
    must(raw.length > FRAME && same(raw.subarray(0, 4), [0xd7, 0x4c, 0x51, 0x01]), "request-magic");
    const id = raw.slice(4, 12), key = keyOf(hex(id));
    must(key, "key-unknown");
    await verify(key, "request", raw.subarray(FRAME), raw.subarray(12, FRAME));
    const said = readRequestBody(raw.subarray(FRAME));
    must(isStation(hex(id)), "key-no-station");
    return { id, key, ...said };
  }

  // A station's: the reply of this hub over H(request) and nothing else. room: what the request gave.
  async function readReply(raw, hub, asked, room) {
    must(raw.length <= room + REPLY_MORE, "reply-size");
    must(raw.length > FRAME && same(raw.subarray(0, 4), [0xd7, 0x4c, 0x41, 0x01]), "reply-magic");
    must(same(raw.subarray(4, 12), await keyId(hub)), "reply-hub");
    const body = raw.subarray(FRAME);
    await underAsync("reply-signature", () => verify(hub, "reply", join(asked, body), raw.subarray(12, FRAME)));
    const fields = fieldsOf("reply", body, room + REPLY_MORE, 10);
    const [, time, hubLog, receipts, less, refused, cursor, trail, more, segments] = fields;
    const isCode = (v) => typeof v === "string" && [...v].length <= 32;
    must(natural(time) && sized(hubLog, 0, 8) && listed(receipts, 192, (one) => sized(one, 164))
      && listed(less, 192, (one) => rowed(one, idOf, natural)) && listed(refused, 256, (one) => rowed(one, idOf, natural, isCode))
      && natural(cursor) && sized(trail, cursor ? 8 : 0) && typeof more === "boolean" && listed(segments, 256, isBytes),
    "reply-shape");
    return { time, hubLog, receipts, less, refused, cursor, trail, more, segments };
  }

  // The receipts inside a reply, believed only when this hub made them for this request.
  async function readReceipts(raws, hub, nonce) {
    const found = [];
    for (const raw of raws) {
      const receipt = readReceipt(raw);
      await underAsync("receipt-signature", () => verifyReceipt(receipt, hub));
      must(same(receipt.nonce, nonce), "receipt-nonce");
      found.push(receipt);
    }
    return found;
  }

  globalThis.second = { under, underAsync, pack, signer, write, readRequest, readRequestBody, readReply, readReceipts, FRAME, ROOM_MAX };
})();

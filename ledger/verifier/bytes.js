// Bytes and values: the one encoding (docs/spec/events.md), read strictly from left to right.
// Integers become numbers while a number holds them exactly, else BigInt. Byte strings are Uint8Array.
"use strict";

class Refusal extends Error {
  constructor(code, what = "") { super(what ? `${code}: ${what}` : code); this.code = code; }
}
const refuse = (code, what) => { throw new Refusal(code, what); };
const must = (holds, code, what) => { if (!holds) refuse(code, what); };

const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const unhex = (text) => {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new TypeError("not hexadecimal");
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
};
const ascii = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const join = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
};
const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
const zeros = (bytes) => bytes.every((byte) => byte === 0);
const be = (bytes) => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const le = (bytes) => be(Uint8Array.from(bytes).reverse());
const be64 = (n) => Uint8Array.from({ length: 8 }, (_, i) => Number((n >> BigInt(56 - 8 * i)) & 255n));
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));

const isInt = (v) => typeof v === "number" || typeof v === "bigint";
const isBytes = (v) => v instanceof Uint8Array;
const INT_MAX = 2n ** 63n - 1n;
const EVENT_BYTES_MAX = 8192;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Reader {
  constructor(bytes, itemsLeft) { this.bytes = bytes; this.at = 0; this.itemsLeft = itemsLeft; }

  take(count) {
    must(count <= this.bytes.length - this.at, "codec-truncated");
    return this.bytes.subarray(this.at, (this.at += count));
  }

  // [kind, number or length]; what a tag may carry and the smallest number that needs so many bytes.
  head() {
    const tag = this.take(1)[0];
    if (tag <= 0x7f) return ["int", tag];
    if (tag >= 0xe0) return ["int", tag - 256];
    if (tag >= 0x90 && tag <= 0x9f) return ["array", tag - 0x90];
    if (tag >= 0xa0 && tag <= 0xbf) return ["text", tag - 0xa0];
    if (tag === 0xc0) return ["nil", null];
    if (tag === 0xc2 || tag === 0xc3) return ["bool", tag === 0xc3];
    const form = FORMS[tag] || refuse("codec-kind", `tag ${tag.toString(16)}`);
    const [kind, width, least] = form;
    let n = be(this.take(width));
    if (kind === "int" && tag >= 0xd0) {
      if (n >> BigInt(8 * width - 1)) n -= 1n << BigInt(8 * width);
      must(n < least, "codec-not-shortest");
    } else must(n >= least, "codec-not-shortest");
    if (kind !== "int") return [kind, Number(n)];
    return ["int", n, n > INT_MAX];
  }

  value(depth) {
    const [kind, n, tooLarge] = this.head();
    if (kind === "array") return this.array(n, depth);
    if (kind === "int") {
      must(!tooLarge, "codec-int-range");
      return Number.isSafeInteger(Number(n)) ? Number(n) : n;
    }
    if (kind === "bytes") return this.take(n).slice();
    if (kind === "text") {
      const raw = this.take(n);
      try { return utf8.decode(raw); } catch { return refuse("codec-utf8"); }
    }
    return n;
  }

  array(count, depth) {
    must(depth > 0, "codec-depth");
    must(count <= this.itemsLeft, "codec-items");
    this.itemsLeft -= count;
    const items = [];
    for (let i = 0; i < count; i++) items.push(this.value(depth - 1));
    return items;
  }

  end() { must(this.at === this.bytes.length, "codec-trailing"); }
}

// tag → kind, bytes of the number, and the bound of the next shorter form (for d0–d3: numbers lie below it).
const FORMS = {
  0xcc: ["int", 1, 128n], 0xcd: ["int", 2, 256n], 0xce: ["int", 4, 65536n], 0xcf: ["int", 8, 1n << 32n],
  0xd0: ["int", 1, -32n], 0xd1: ["int", 2, -128n], 0xd2: ["int", 4, -32768n], 0xd3: ["int", 8, -(1n << 31n)],
  0xd9: ["text", 1, 32n], 0xda: ["text", 2, 256n], 0xdb: ["text", 4, 65536n],
  0xc4: ["bytes", 1, 0n], 0xc5: ["bytes", 2, 256n], 0xc6: ["bytes", 4, 65536n],
  0xdc: ["array", 2, 16n], 0xdd: ["array", 4, 65536n],
};

function readEvent(bytes) {
  must(bytes.length >= 3 && bytes.length <= EVENT_BYTES_MAX, "codec-size");
  const tag = bytes[0];
  must((tag >= 0x90 && tag <= 0x9f) || tag === 0xdc || tag === 0xdd, "codec-not-array");
  const reader = new Reader(bytes, 0);
  const count = reader.head()[1];
  must(count >= 2 && count <= 32, "codec-arity");
  const values = [];
  for (let i = 0; i < count; i++) values.push(reader.value(0));
  reader.end();
  return values;
}

function readMessage(bytes, bytesMax, depthMax = 4, itemsMax = 65536) {
  must(bytes.length >= 1 && bytes.length <= bytesMax, "codec-size");
  const reader = new Reader(bytes, itemsMax);
  const tree = reader.value(depthMax);
  reader.end();
  return tree;
}

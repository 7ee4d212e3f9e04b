// Keys (docs/spec/keys.md): ids, the public keys nobody may trust, signatures with their purposes.
// Ed25519 itself is the browser's WebCrypto; its edges are closed here, because verifiers differ at them.
"use strict";

const PURPOSES = { segment: "seg", receipt: "rcpt", request: "req", reply: "rep", enrol: "enrol", rotation: "rotate",
  roots: "roots" };
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (n) => ((n % P) + P) % P;
const pow = (base, exponent) => {
  let result = 1n;
  for (base = mod(base); exponent; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
};
const D = mod(-121665n * pow(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = pow(2n, (P - 1n) / 4n);

// The y of the eight points of small order; two of them can also be written as y + p.
const SMALL_Y = new Set([
  0n, 1n, P - 1n, P, P + 1n,
  le(unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")),
  le(unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")),
]);

const keyId = async (raw) => (await sha256(ascii("loa-key/v1\0"), raw)).slice(0, 8);

// Checks 1 to 3: whenever a public key is read.
function checkKey(raw) {
  must(raw.length === 32, "key-length");
  const y = le(raw) & (2n ** 255n - 1n);
  must(!SMALL_Y.has(y), "key-small-order");
  must(y < P, "key-not-canonical");
  return raw;
}

// Checks 4 and 5: once, when a key is introduced.
function proveOrder(raw) {
  const point = decodePoint(le(raw));
  must(point, "key-not-a-point");
  let sum = [0n, 1n, 1n, 0n];
  for (let bit = 252n; bit >= 0n; bit--) {
    sum = addPoints(sum, sum);
    if ((L >> bit) & 1n) sum = addPoints(sum, point);
  }
  must(sum[0] === 0n && sum[1] === sum[2], "key-mixed-order");
}

function decodePoint(number) {
  const y = number & (2n ** 255n - 1n), odd = number >> 255n;
  const u = mod(y * y - 1n), v = mod(D * y * y + 1n);
  let x = mod(u * pow(v, 3n) * pow(u * pow(v, 7n), (P - 5n) / 8n));
  if (mod(v * x * x) === mod(-u)) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(v * x * x) !== u || (x === 0n && odd)) return null;
  if ((x & 1n) !== odd) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

function addPoints([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * D * t1 * t2), d = mod(2n * z1 * z2);
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

async function verify(raw, purpose, message, signature) {
  must(signature.length === 64, "signature-bad");
  must(le(signature.subarray(32)) < L, "signature-bad", "S is not below L");
  let good = false;
  try {
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    good = await crypto.subtle.verify("Ed25519", key, signature, join(ascii(`loa-${PURPOSES[purpose]}/v1\0`), message));
  } catch (error) {
    // An encoding that is no point: no signature is this key's. Anything else is the browser's trouble.
    if (!(error instanceof DOMException) || error.name !== "DataError") throw error;
  }
  must(good, "signature-bad");
}

// Whether this browser can do what the page needs; a name for what is missing, or null.
async function missing() {
  if (!globalThis.crypto || !crypto.subtle) return "WebCrypto";
  try {
    const seedless = unhex("29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7");
    await crypto.subtle.importKey("raw", seedless, "Ed25519", false, ["verify"]);
  } catch { return "Ed25519"; }
  return null;
}

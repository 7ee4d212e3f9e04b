// Content by its hash (docs/spec/blobs.md, docs/spec/vocabulary.md), once more in another language: manifests, pieces
// as they arrive, and the ranges a hub answers. For tests: the page needs none of it.
"use strict";

(() => {
  const CHUNK = 65536, BLOB_MAX = 67108864n, MANIFEST_MAX = 262144, DURATION_MAX = 14400000;
  const chunksOf = (size) => Math.ceil(Number(size) / CHUNK);
  const between = (v, low, high) => isInt(v) && v >= low && v <= high;

  // --- manifests ------------------------------------------------------------------------------------------

  function readManifest(raw) {
    const tree = readMessage(raw, MANIFEST_MAX);
    must(Array.isArray(tree) && tree.length === 2 && tree[0] === 1, "manifest-format");
    must(Array.isArray(tree[1]) && tree[1].length >= 1 && tree[1].length <= 16, "manifest-renditions");
    const renditions = tree[1].map(readRow);
    const names = new Set(renditions.map(({ kind, language, media }) => [kind, language, media].join("\0")));
    must(names.size === renditions.length, "manifest-duplicate");
    return renditions;
  }

  function readRow(row) {
    must(Array.isArray(row) && row.length === 7, "manifest-row");
    const [kind, language, media, size, duration, sha, chunks] = row;
    must(/^[a-z][a-z0-9-]{0,31}$/.test(kind), "manifest-kind"); // a newer one is neither heard nor shown
    must(letters(2, 16)(language), "manifest-language");
    must(letters(3, 80)(media), "manifest-media-type");
    must(between(size, 1, BLOB_MAX), "manifest-size");
    must(between(duration, 0, DURATION_MAX), "manifest-duration");
    must(octets(32)(sha), "manifest-hash");
    must(octets(32 * chunksOf(size))(chunks), "manifest-chunks");
    return { kind, language, media, size, duration, sha, chunks };
  }

  // --- pieces ---------------------------------------------------------------------------------------------

  class Fetch {
    // hashes: of the chunks; name: of the whole.
    constructor(size, hashes, name) {
      must(between(size, 1, BLOB_MAX) && hashes.length === chunksOf(size), "blob-size");
      Object.assign(this, { size, hashes, name, here: new Uint8Array() });
    }

    async piece(offset, data) {
      must(data.length > 0 && offset >= 0 && offset + data.length <= this.size, "chunk-size");
      must(offset <= this.here.length, "chunk-order");
      const firm = this.here.length - (this.here.length % CHUNK);
      const all = join(this.here, data.subarray(Math.min(data.length, this.here.length - offset)));
      for (let at = firm; at < all.length; at += CHUNK) {
        const end = Math.min(at + CHUNK, this.size);
        if (end > all.length) break; // incomplete: kept as it is
        if (!same(await sha256(all.subarray(at, end)), this.hashes[at / CHUNK])) {
          this.here = all.slice(0, at);
          refuse("chunk-hash");
        }
      }
      this.here = all;
    }

    // When the last byte is here: every chunk was right, so a wrong whole is the manifest's lie.
    async whole() {
      if (same(await sha256(this.here), this.name)) return true;
      this.here = new Uint8Array();
      return refuse("blob-chunks");
    }
  }

  // --- ranges ---------------------------------------------------------------------------------------------

  const ONE_RANGE = /^bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))$/;

  // [status, Content-Range or null] for a content of this size with this ETag.
  function answerTo(range, ifRange, size, tag) {
    const asked = ONE_RANGE.exec((range ?? "").trim().replaceAll(" ", ""));
    if (!asked || (ifRange !== null && ifRange.trim() !== tag)) return [200, null];
    const whole = BigInt(size), [, from, until, last] = asked;
    let first, end = whole - 1n;
    if (last !== undefined) first = BigInt(last) < whole ? whole - BigInt(last) : 0n;
    else {
      first = BigInt(from);
      if (until) {
        if (BigInt(until) < first) return [200, null];
        if (BigInt(until) < end) end = BigInt(until);
      }
    }
    if (first >= whole) return [416, `bytes */${size}`];
    return [206, `bytes ${first}-${end}/${size}`];
  }

  globalThis.second = { ...globalThis.second, readManifest, Fetch, answerTo };

  putToThePage.readers.blobs = async (v, run) => {
    for (const c of v.accepts) await run.case(c.name, async () => {
      readManifest(unhex(c.manifest));
      return hex(await sha256(unhex(c.manifest)));
    }, c.sha256);
    for (const c of v.rejects) await run.refused(c.name, () => readManifest(unhex(c.manifest)), c.code);
    const { size, tag } = v.content, hashes = v.content.chunks.map(unhex), name = unhex(v.content.sha256);
    const count = Math.ceil(size / 32);
    const content = join(...(await Promise.all(Array.from({ length: count }, (_, n) => sha256(be64(BigInt(n)))))));
    for (const c of v.fetches) {
      const fetch = new Fetch(size, hashes, name);
      for (const [i, step] of c.steps.entries()) {
        const data = content.slice(step.offset, Math.min(step.offset + step.length, size));
        const piece = join(data, new Uint8Array(step.length - data.length));
        if (step.false_byte !== null) piece[step.false_byte - step.offset] ^= 1;
        const act = async () => (await fetch.piece(step.offset, piece), null);
        if (step.code) await run.refused(`${c.name}, ${i}`, act, step.code);
        else await run.case(`${c.name}, ${i}`, act, null);
        await run.case(`${c.name}, ${i}: here`, () => fetch.here.length, step.here);
      }
      if (fetch.here.length === size) await run.case(`${c.name}: whole`, () => fetch.whole(), true);
    }
    for (const c of v.ranges) await run.case(String(c.range), () => answerTo(c.range, c.if_range, size, tag),
      [c.status, c.content_range]);
  };
})();

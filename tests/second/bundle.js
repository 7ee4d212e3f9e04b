// Bundles and the answers in them (docs/spec/bundle.md), once more in another language, on the page's readers of
// messages, signatures and receipts. For tests: the page needs none of it.
"use strict";

(() => {
  const MAGIC = Uint8Array.from([0x89, 0x4c, 0x4f, 0x41, 0x0d, 0x0a, 0x1a, 0x0a]);
  const HEAD = 22, LATER_MAX = 1048576, PAGES_MAX = 64, VAIN_MORE = 1048576, VAIN_LEAST = 512;
  const LONGEST = { 1: 64, 2: 1048576, 3: 1114112, 4: 262321, 5: 32768, 6: 65576, 7: 32 };
  const MANIFEST = 1, PIECE = 6, END = 7;
  const NOT_FOR_US = ["reply-size", "reply-magic", "reply-hub", "reply-signature"];
  const { under, FRAME, ROOM_MAX, readReply, readRequestBody, readReceipts } = second;

  // --- frames ---------------------------------------------------------------------------------------------

  // The frame that begins here, or a refusal that says what stands here instead.
  async function frameAt(raw, at) {
    const left = raw.length - at, here = raw.subarray(at);
    must(left >= 8, "bundle-cut");
    must(same(here.subarray(0, 8), MAGIC), "bundle-magic");
    must(left >= HEAD, "bundle-cut");
    const [version, kind] = here.subarray(8, 10), length = Number(be(here.subarray(10, 14)));
    must(version === 1, "bundle-version");
    must(length <= (LONGEST[kind] ?? LATER_MAX), "bundle-length");
    must(left >= HEAD + length, "bundle-cut");
    const body = here.slice(HEAD, HEAD + length);
    const check = await sha256(ascii("loa-bundle/v1\0"), here.subarray(8, 14), body);
    must(same(check.subarray(0, 8), here.subarray(14, 22)), "bundle-check");
    return { kind, body, at, end: at + HEAD + length };
  }

  function nextMagic(raw, from) {
    for (let at = from; at + 8 <= raw.length; at++) if (raw[at] === 0x89 && same(raw.subarray(at, at + 8), MAGIC)) return at;
    return raw.length;
  }

  // All undamaged frames of known kinds, and the code of the first thing that is wrong, or null.
  async function scan(raw) {
    const frames = [];
    let at = 0, fault = null, begun = null, missing = false, bundles = 0, bad = null;
    let vain = raw.length + VAIN_MORE; // bytes that may be hashed for nothing
    const damaged = () => { fault ??= bad; bad = null; };
    while (at < raw.length) {
      let frame;
      try { frame = await frameAt(raw, at); } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        bad ??= error.code;
        if (error.code === "bundle-check") vain -= Math.max(VAIN_LEAST, Number(be(raw.subarray(at + 10, at + 14))));
        if (vain < 0) {
          bad = "bundle-work";
          break;
        }
        at = nextMagic(raw, at + 1);
        continue;
      }
      damaged();
      at = frame.end;
      if (frame.kind === MANIFEST) {
        missing ||= begun !== null;
        begun = frame.at;
        bundles += 1;
      } else if (begun === null) missing = true;
      else if (frame.kind === END) {
        missing ||= !same(frame.body, await sha256(raw.subarray(begun, frame.at)));
        begun = null;
      }
      if (frame.kind in LONGEST) frames.push(frame);
    }
    damaged();
    return { frames, code: fault ?? (missing || begun !== null || !bundles ? "bundle-incomplete" : null) };
  }

  // --- bodies ---------------------------------------------------------------------------------------------

  const readBody = {
    1(body) {
      const code = "bundle-manifest", tree = under(code, () => readMessage(body, LONGEST[MANIFEST]));
      must(Array.isArray(tree) && tree.length === 3 && tree[0] === 1, code);
      must(isBytes(tree[1]) && tree[1].length === 8 && isInt(tree[2]), code);
      return { writer: tree[1], at: tree[2] };
    },
    5(body) {
      must(body.length % 8 === 0, "bundle-held");
      const held = Array.from({ length: body.length / 8 }, (_, i) => body.slice(8 * i, 8 * i + 8));
      must(held.every((one, i) => i === 0 || be(held[i - 1]) < be(one)), "bundle-held");
      return held;
    },
    6(body) {
      must(body.length > 40 && body.length <= LONGEST[PIECE], "bundle-piece");
      const offset = be(body.subarray(32, 40));
      must(offset % 65536n === 0n && offset < 67108864n, "bundle-piece");
      return { content: body.slice(0, 32), offset: Number(offset), data: body.slice(40) };
    },
  };

  // --- answers --------------------------------------------------------------------------------------------

  // The pages that answer this request, each signed over the one before, as many as are here.
  async function pagesOf(replies, hub, request) {
    const pages = [];
    for (let asked = await sha256(request); pages.length < PAGES_MAX; ) {
      let next = null;
      for (const raw of replies) {
        try { pages.push(await readReply(raw, hub, asked, ROOM_MAX)); } catch (error) {
          if (NOT_FOR_US.includes(error.code)) continue;
          throw error;
        }
        next = await sha256(raw);
        break;
      }
      if (!next) break;
      asked = next;
    }
    must(pages.length, "reply-unawaited");
    return pages;
  }

  // What of an answer is taken: hashes of decisions in order, and the cursor behind them. here: hashes in hex.
  async function take(replies, hub, request, here) {
    const pages = await pagesOf(replies, hub, request);
    await readReceipts(pages[0].receipts, hub, readRequestBody(request.subarray(FRAME)).nonce);
    const taken = [];
    let cursor = 0;
    for (const page of pages) {
      for (const name of page.segments.map(hex)) {
        if (!here.has(name)) return { taken, cursor };
        taken.push(name);
      }
      cursor = page.cursor;
    }
    return { taken, cursor };
  }

  globalThis.second = { ...globalThis.second, scan, readBody, take };

  putToThePage.readers.bundle = async (v, run) => {
    const frames = async (c) => {
      const found = await scan(unhex(c.bytes));
      return [found.frames.map(({ kind, body }) => [kind, hex(body)]), found.code];
    };
    const wanted = (c) => [c.frames.map(({ kind, body }) => [kind, body]), c.code ?? null];
    for (const c of [...v.accepts, ...v.rejects]) await run.case(c.name, () => frames(c), wanted(c));
    for (const c of [...v.accepts]) await run.case(`${c.name}, its bodies`, async () => {
      for (const { kind, body } of c.frames) readBody[kind]?.(unhex(body));
      return true;
    }, true);
    for (const c of v.body_rejects) await run.refused(c.name, () => readBody[c.kind](unhex(c.body)), c.code);
    const answer = async (c) => {
      const here = new Set();
      for (const raw of c.on_stick ?? []) here.add(hex(await sha256(unhex(raw))));
      const { taken, cursor } = await take(c.replies.map(unhex), unhex(v.hub), unhex(v.request), here);
      return [taken, cursor];
    };
    for (const c of v.answer_accepts) await run.case(c.name, () => answer(c), [c.taken, c.cursor]);
    for (const c of v.answer_rejects) await run.refused(c.name, () => answer(c), c.code);
  };
})();

// Enrolment (docs/spec/enrolment.md) once more, on the page's readers: no reader of evidence needs it, so it is
// not part of the page, but what it is built from (messages, keys, signatures) is.
"use strict";

(() => {
  const { unhex, hex } = loa;
  const refuse = (code) => { throw new loa.Refusal(code); };
  const must = (holds, code) => { if (!holds) refuse(code); };
  const ascii = (text) => new TextEncoder().encode(text);
  const cat = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const equal = (a, b) => hex(a) === hex(b);
  const isBytes = (value, length) => value instanceof Uint8Array && (length === undefined || value.length === length);
  const under = (code, read) => {
    let tree;
    try { tree = read(); } catch (error) {
      if (!(error instanceof loa.Refusal)) throw error;
      refuse(code);
    }
    must(Array.isArray(tree), code);
    return tree;
  };

  // The canonical bytes of what a request holds: an array of few items, small numbers, short text and bytes.
  function pack(value) {
    if (Array.isArray(value)) return cat([0x90 + value.length], ...value.map(pack));
    if (typeof value === "number") return [value];
    const raw = typeof value === "string" ? ascii(value) : value;
    const text = typeof value === "string";
    if (text && raw.length < 32) return cat([0xa0 + raw.length], raw);
    if (raw.length < 256) return cat([text ? 0xd9 : 0xc4, raw.length], raw);
    return cat([text ? 0xda : 0xc5, raw.length >> 8, raw.length & 255], raw);
  }

  function secretOf(text) {
    const plain = text.replace(/[\s-]/g, "").toUpperCase().replace(/0/g, "O").replace(/1/g, "I").replace(/8/g, "B");
    must(/^[A-Z2-7]{26}$/.test(plain), "token-form");
    const bits = [...plain].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
    must(/^0*$/.test(bits.slice(128)), "token-form");
    return Uint8Array.from(bits.slice(0, 128).match(/.{8}/g), (byte) => parseInt(byte, 2));
  }
  const derive = (label, secret) => loa.sha256(ascii("loa-token/v1\0"), ascii(label), [0], secret);
  async function publicOf(seed) {
    const der = cat(unhex("302e020100300506032b657004220420"), seed);
    const key = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", key);
    return Uint8Array.from(atob(x.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  }

  async function readRequest(raw) {
    const tree = under("enrol-form", () => loa.readMessage(raw, 1024));
    must(tree.length === 7, "enrol-form");
    const [version, token, unit, key, nonce, possession, holding] = tree;
    must(version === 1, "enrol-version");
    must(isBytes(token, 8) && typeof unit === "string" && ascii(unit).length <= 256 && isBytes(key)
      && isBytes(nonce, 8) && isBytes(possession) && isBytes(holding), "enrol-form");
    loa.checkKey(key);
    const body = [1, token, unit, key, nonce];
    await loa.verify(key, "enrol", cat(ascii("possession\0"), pack(body)), possession);
    return { token, unit, key, nonce, holding, held: cat(ascii("holding\0"), pack([...body, possession])) };
  }

  // What needs no register of tokens: one token is known, and nobody used it.
  async function asHub(raw, token) {
    const request = await readRequest(raw);
    try { await loa.verify(token.public, "enrol", request.held, request.holding); } catch (error) {
      if (!(error instanceof loa.Refusal)) throw error;
      refuse("token-refused");
    }
    must(equal(request.token, token.id), "token-refused");
    loa.proveOrder(request.key);
    return request;
  }

  async function asDevice(reply, requestBytes, token, device) {
    const form = "enrol-reply-form";
    const outer = under(form, () => loa.readMessage(reply, 4096));
    must(outer.length === 3 && outer[0] === 1 && isBytes(outer[1]) && isBytes(outer[2]), form);
    const key = await crypto.subtle.importKey("raw", token.reply, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const mac = await crypto.subtle.sign("HMAC", key, cat(ascii("loa-enrol/v1\0"), outer[2]));
    must(equal(new Uint8Array(mac), outer[1]), "enrol-reply-mac");
    const inner = under(form, () => loa.readMessage(outer[2], 4096));
    must(inner.length === 8, form);
    const [version, about, roots, hub, unit, name, province, time] = inner;
    must(version === 1 && Array.isArray(roots) && roots.length >= 1 && roots.length <= 16
      && roots.every((root) => isBytes(root)) && isBytes(hub)
      && [unit, name, province].every((text) => typeof text === "string")
      && (typeof time === "number" || typeof time === "bigint") && time >= 0, form);
    const asked = await readRequest(requestBytes);
    must(isBytes(about) && equal(about, await loa.sha256(requestBytes)) && equal(asked.key, device), "enrol-reply-other");
    must(asked.unit === "" || asked.unit === unit, "enrol-reply-other");
    for (const root of [...roots, hub]) {
      try { loa.proveOrder(loa.checkKey(root)); } catch (error) {
        if (!(error instanceof loa.Refusal)) throw error;
        refuse("enrol-reply-key");
      }
    }
    return [roots.map(hex), hex(hub), unit, name, province, time];
  }

  putToThePage.readers.words = async (v, run) => {
    const listed = await loa.sha256(ascii(v.words.join("\n")));
    await run.case("the list", () => hex(listed), v.sha256_of_words);
    const wordsOf = async (c) => {
      const digest = await loa.sha256(ascii("loa-words/v1\0"), await loa.sha256(unhex(c.request)), await loa.sha256(unhex(c.reply)));
      return [...digest.subarray(0, 6)].map((octet) => v.words[octet]).join(" ");
    };
    for (const c of v.offered) await run.case(c.words, async () => {
      const digest = await loa.sha256(ascii("loa-key-words/v1\0"), unhex(c.station), unhex(c.public));
      return [...digest.subarray(0, 6)].map((octet) => v.words[octet]).join(" ");
    }, c.words);
    for (const c of v.accepts) await run.case(c.words, () => wordsOf(c), c.words);
    for (const c of v.rejects) await run.case(c.name, async () => (await wordsOf(c)) === c.words, false);
  };

  putToThePage.readers.enrolment = async (v, run) => {
    for (const c of v.token_accepts) await run.case(c.name, () => hex(secretOf(c.text)), c.secret);
    for (const c of v.token_rejects) await run.refused(c.name, () => secretOf(c.text), c.code);
    const secret = unhex(v.token.secret);
    const token = { id: (await derive("id", secret)).slice(0, 8), public: await publicOf(await derive("key", secret)),
      reply: await derive("reply", secret) };
    await run.case("the token", () => [hex(token.id), hex(token.public), hex(token.reply)],
      [v.token.id, v.token.public, v.token.reply_key]);
    const device = await publicOf(unhex(v.device_seed));
    for (const c of v.accepts) await run.case(c.name, async () => {
      const request = await asHub(unhex(c.bytes), token);
      return [request.unit, hex(request.key), hex(request.nonce)];
    }, [c.unit, c.public, c.nonce]);
    for (const c of v.rejects) await run.refused(c.name, () => asHub(unhex(c.bytes), token), c.code);
    for (const c of v.reply_accepts) await run.case(c.name, () =>
      asDevice(unhex(c.bytes), unhex(c.request), token, device), [c.roots, c.hub, c.unit, c.station, c.province, c.hub_time]);
    for (const c of v.reply_rejects) await run.refused(c.name, () =>
      asDevice(unhex(c.bytes), unhex(v.reply_request), token, device), c.code);
  };
})();

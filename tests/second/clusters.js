// What a station and a receiver cluster say to one another (docs/spec/clusters.md), once more. For tests: the page needs none of it.
"use strict";

(() => {
  const ORDER = [0xd7, 0x4c, 0x4b, 0x01], ANSWER = [0xd7, 0x4c, 0x52, 0x01];
  const zero = (bytes) => bytes.every((byte) => byte === 0);

  async function opened(raw, magic, key) {
    must(raw.length === 64, "cluster-length");
    must(same(raw.subarray(0, 4), magic), "cluster-magic");
    const purpose = new TextEncoder().encode("loa-clu/v1\0");
    const hmac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const mac = new Uint8Array(await crypto.subtle.sign("HMAC", hmac, join(purpose, raw.subarray(0, 48))));
    must(same(raw.subarray(48), mac.subarray(0, 16)), "cluster-mac");
    return {
      first: raw[4], volume: raw[5], number: Number(be(raw.subarray(6, 8))), nonce: raw.subarray(8, 16),
      boot: raw.subarray(16, 24), seq: Number(be(raw.subarray(24, 28))), item: raw.subarray(28, 44),
      seconds: Number(be(raw.subarray(44, 48))),
    };
  }
  const meaning = (holds) => must(holds, "cluster-meaning");

  async function readOrder(raw, key) {
    const said = await opened(raw, ORDER, key), word = said.first, begin = word === 3, ask = word === 1;
    must(word >= 1 && word <= 4, "cluster-word");
    meaning(said.volume <= 100 && said.number > 0);
    meaning(ask === zero(said.boot) && ask === (said.seq === 0));
    meaning(begin || said.volume === 0);
    meaning(begin !== zero(said.item) && (begin || word === 2 || said.seconds === 0));
    return [word, said.volume, said.seq, hex(said.boot), said.seconds, hex(said.item)];
  }
  async function readAnswer(raw, key) {
    const said = await opened(raw, ANSWER, key), sounding = (said.first & 4) !== 0;
    meaning(said.volume <= 100 && said.number > 0);
    meaning(said.first <= 7 && !zero(said.boot) && sounding !== zero(said.item));
    return [(said.first & 1) !== 0, (said.first & 2) !== 0, sounding, said.volume, said.seq, said.seconds, hex(said.item)];
  }

  putToThePage.readers.clusters = async (v, run) => {
    const key = unhex(v.key);
    for (const c of v.accepts) await run.case(c.name, () => loa.clustersOf(unhex(c.vector)), [...c.states].map((one) => "UNSPW".indexOf(one)));
    for (const c of v.rejects) await run.refused(c.name, () => loa.clustersOf(unhex(c.vector)), c.code);
    for (const c of v.order_accepts) await run.case(c.name, () => readOrder(unhex(c.message), key), [c.word, c.volume, c.seq, c.boot, c.for_s, c.item]);
    for (const c of v.order_rejects) await run.refused(c.name, () => readOrder(unhex(c.message), key), c.code);
    for (const c of v.answer_accepts) await run.case(c.name, () => readAnswer(unhex(c.message), key),
      [c.powered, c.muted, c.sounding, c.volume, c.seq, c.since_s, c.item]);
    for (const c of v.answer_rejects) await run.refused(c.name, () => readAnswer(unhex(c.message), key), c.code);
  };
})();

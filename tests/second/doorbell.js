// A station's hello at a doorbell (docs/spec/doorbell.md), once more in another language. For tests: the page needs none of it.
"use strict";

(() => {
  const HELLO = 84;
  PURPOSES.bell ??= "bell";

  // The cursor of a good hello, or null: a hub hangs up without a word.
  async function readHello(raw, nonce, hub, keyOf) {
    if (raw.length !== HELLO || !same(raw.subarray(0, 4), [0xd7, 0x4c, 0x42, 0x01])) return null;
    const key = keyOf(hex(raw.subarray(4, 12))), cursor = raw.subarray(12, 20);
    if (!key || be(cursor) >= 1n << 63n) return null;
    try { await verify(key, "bell", join(nonce, hub, cursor), raw.slice(20)); } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return null;
    }
    return be(cursor);
  }

  putToThePage.readers.doorbell = async (v, run) => {
    const station = unhex(v.station), id = hex(await keyId(station));
    const read = (c) => readHello(unhex(c.hello), unhex(v.nonce), unhex(v.hub_key_id), (asked) => (asked === id ? station : null));
    for (const c of v.accepts) await run.case(c.name, () => read(c), BigInt(c.cursor.int ?? c.cursor));
    for (const c of v.rejects) await run.case(c.name, () => read(c), null);
  };
})();

// The root keys (docs/spec/authority.md#root-sets): which they were, which they are, how one set hands over.
"use strict";

// What stays of a key that ended: log id in hex → the last number that stays.
function readPairs(bytes) {
  const kept = new Map();
  for (let at = 0; at < bytes.length; at += 16) kept.set(hex(bytes.subarray(at, at + 8)), be(bytes.subarray(at + 8, at + 16)));
  return kept;
}
// place: {log: hex, seq: BigInt}, or null for what is signed from now on.
const keeps = (kept, place) => place !== null && kept.has(place.log) && kept.get(place.log) >= place.seq;

const refusedAs = async (code, act) => {
  try { return await act(); } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refuse(code, error.code);
  }
};
const ascending = (names) => names.every((name, i) => i === 0 || names[i - 1] < name);

async function readRootStatement(bytes) {
  const tree = await refusedAs("roots-form", () => readMessage(bytes, 5632));
  must(Array.isArray(tree) && tree.length === 4, "roots-form");
  const [version, threshold, keys, retired] = tree;
  const isList = (list, least) => Array.isArray(list) && list.length >= least && list.length <= 16;
  must(isInt(version) && version >= 1 && version < 2 ** 31 && isInt(threshold) && isList(keys, 1) && isList(retired, 0),
    "roots-form");
  must(keys.every((raw) => octets(32)(raw)), "roots-form");
  must(retired.every((row) => Array.isArray(row) && row.length === 2 && octets(8)(row[0]) && exceptions(row[1])), "roots-form");
  const names = keys.map(hex), leaving = retired.map(([id]) => hex(id));
  must(new Set(names).size === names.length && new Set(leaving).size === leaving.length, "roots-key-twice");
  must(ascending(names) && ascending(leaving), "roots-form");
  must(2 * Number(threshold) > keys.length && threshold <= keys.length, "roots-threshold-range");
  return { version, threshold, keys, retired: new Map(retired.map(([id, pairs]) => [hex(id), readPairs(pairs)])) };
}

class Roots {
  static async of(given) {
    const roots = new Roots();
    roots.all = new Map();
    for (const raw of given) roots.all.set(hex(await keyId(checkKey(raw))), raw);
    roots.sets = [{ version: 0, threshold: Math.floor(roots.all.size / 2) + 1, ids: [...roots.all.keys()] }];
    roots.retired = new Map();
    return roots;
  }

  isRoot(id, place) {
    const kept = this.retired.get(id);
    return this.all.has(id) && (!kept || keeps(kept, place));
  }

  // Takes the next set. known: the key that has an id already, roots or not.
  async follow(fact, known) {
    const said = await readRootStatement(fact.statement), before = this.sets.at(-1);
    if (said.version <= before.version) {
      must(same(this.sets[said.version].statement, fact.statement), "roots-other");
      return;
    }
    must(said.version === before.version + 1, "roots-version");
    const raws = new Set(said.keys.map(hex));
    const leaving = before.ids.filter((id) => !raws.has(hex(this.all.get(id))));
    must(leaving.length === said.retired.size && leaving.every((id) => said.retired.has(id)), "roots-retired");
    const after = new Map();
    for (const raw of said.keys) {
      await refusedAs("roots-key-refused", () => checkKey(raw));
      const id = hex(await keyId(raw));
      must(!this.retired.has(id), "roots-key-returns");
      must([known(id), after.get(id)].every((other) => !other || same(other, raw)), "roots-key-id-taken");
      after.set(id, raw);
    }
    await this.checkSignatures(fact, said, before, after);
    for (const [id, raw] of after) if (!this.all.has(id)) await refusedAs("roots-key-refused", () => proveOrder(raw));
    for (const [id, kept] of said.retired) this.retired.set(id, kept);
    for (const [id, raw] of after) this.all.set(id, raw);
    this.sets.push({ version: said.version, threshold: said.threshold, ids: [...after.keys()], statement: fact.statement });
  }

  async checkSignatures(fact, said, before, after) {
    const rows = [];
    for (let at = 0; at < fact.signatures.length; at += 72) rows.push(fact.signatures.slice(at, at + 72));
    const signers = rows.map((row) => hex(row.subarray(0, 8)));
    must(new Set(signers).size === signers.length, "roots-signature-twice");
    for (const [i, id] of signers.entries()) {
      const key = before.ids.includes(id) ? this.all.get(id) : after.get(id);
      must(key, "roots-signature-foreign");
      await refusedAs("roots-signature-bad", () => verify(key, "roots", fact.statement, rows[i].subarray(8)));
    }
    must(signers.filter((id) => before.ids.includes(id)).length >= before.threshold, "roots-threshold-old");
    must(signers.filter((id) => after.has(id)).length >= said.threshold, "roots-threshold-new");
  }
}

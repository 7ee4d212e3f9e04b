// Puts one file of golden vectors to the page's readers; gives [case, what was said, what should be] that differ.
"use strict";

(() => {
  const { unhex, hex } = loa;
  const bytesOf = (json) => {
    if (Array.isArray(json)) return json.map(bytesOf);
    if (json && typeof json === "object") return "hex" in json ? unhex(json.hex) : BigInt(json.int);
    return json;
  };
  const shown = (value) => JSON.stringify(value, (_, v) =>
    typeof v === "bigint" ? `int ${v}` : v instanceof Uint8Array ? `hex ${hex(v)}` : v);
  const number = (json) => BigInt(typeof json === "object" ? json.int : json);
  const ring = async (publics) => {
    const keys = new Map();
    for (const raw of publics.map(unhex)) keys.set(hex(await loa.keyId(raw)), raw);
    return (id) => keys.get(id);
  };
  const said = async (act) => {
    try { return await act(); } catch (error) {
      if (error instanceof loa.Refusal) return { code: error.code };
      return { crash: String(error && error.stack) };
    }
  };

  class Run {
    constructor() { this.count = 0; this.differences = []; }
    async case(name, act, wanted) {
      this.count += 1;
      const got = shown(await said(act)), want = shown(wanted);
      if (got !== want) this.differences.push([name, got, want]);
    }
    refused(name, act, code) { return this.case(name, act, { code }); }
  }

  const READ = {
    async keys(v, run) {
      for (const c of v.keys) await run.case(c.seed, async () => {
        loa.proveOrder(loa.checkKey(unhex(c.public)));
        return hex(await loa.keyId(unhex(c.public)));
      }, c.key_id);
      const publicOf = Object.fromEntries([...v.keys, ...v.rfc8032].map((c) => [c.seed, c.public]));
      for (const c of v.signatures) await run.case(c.purpose, async () => (await loa.verify(
        unhex(publicOf[c.seed]), c.purpose, unhex(c.message), unhex(c.signature)), true), true);
      for (const c of v.signature_rejects) await run.refused(c.name, () => loa.verify(
        unhex(c.public), c.purpose, unhex(c.message), unhex(c.signature)), c.code);
      for (const c of v.rejects) await run.refused(c.name, () => loa.checkKey(unhex(c.public)), c.code);
      for (const c of v.order_rejects) await run.refused(c.name, () => loa.proveOrder(loa.checkKey(unhex(c.public))), c.code);
      for (const c of v.rfc8032) await run.case(c.public, async () => {
        const key = await crypto.subtle.importKey("raw", unhex(c.public), "Ed25519", false, ["verify"]);
        return crypto.subtle.verify("Ed25519", key, unhex(c.signature), unhex(c.message));
      }, true);
    },
    async events(v, run) {
      for (const c of v.accepts) {
        await run.case(c.name, () => loa.readEvent(unhex(c.bytes)), bytesOf(c.values));
        await run.case(c.name, async () =>
          hex(await loa.leafOf(unhex(v.key_id), unhex(v.log_id), number(c.seq), unhex(c.bytes))), c.leaf);
      }
      for (const c of v.rejects) await run.refused(c.name, () => loa.readEvent(unhex(c.bytes)), c.code);
    },
    async vocabulary(v, run) {
      for (const c of v.accepts) {
        await run.case(c.name, () => loa.parse(unhex(c.bytes)).kindName, c.name);
        await run.case(c.name, () => loa.readEvent(unhex(c.bytes)), bytesOf(c.values));
      }
      for (const c of v.rejects) await run.case(c.name, () => loa.parse(unhex(c.bytes)).malformed, c.reason);
    },
    async messages(v, run) {
      const read = (c) => loa.readMessage(unhex(c.bytes), v.limits.bytes_max, v.limits.depth_max, v.limits.items_max);
      for (const c of v.accepts) await run.case(c.name, () => read(c), bytesOf(c.tree));
      for (const c of v.rejects) await run.refused(c.name, () => read(c), c.code);
    },
    async trees(v, run) {
      const { reference } = v;
      const leaves = await Promise.all(reference.leaves.map((data) => loa.sha256([0], unhex(data))));
      for (const [n, root] of reference.roots.entries()) await run.case(`RFC 9162, ${n + 1}`,
        async () => hex(await loa.rootOf(leaves.slice(0, n + 1))), root);
      for (const c of reference.paths) await run.case(`RFC 9162 path ${c.index} of ${c.count}`, async () =>
        hex(await loa.rootFromPath(leaves[c.index], c.index, c.count, c.path.map(unhex))), reference.roots[c.count - 1]);
      for (const c of v.trees) {
        const own = await Promise.all(v.events.slice(0, c.count).map((event, seq) =>
          loa.leafOf(unhex(v.key_id), unhex(v.log_id), BigInt(seq), unhex(event))));
        await run.case(`tree of ${c.count}`, async () => hex(await loa.rootOf(own)), c.root);
        for (const [i, path] of c.paths.entries()) await run.case(`path ${i} of ${c.count}`, async () =>
          hex(await loa.rootFromPath(own[i], i, c.count, path.map(unhex))), c.root);
      }
      for (const c of v.path_rejects) await run.refused(c.name, () =>
        loa.rootFromPath(new Uint8Array(32), c.index, c.count, c.path.map(unhex)), c.code);
    },
    async segments(v, run) {
      const keyOf = await ring(v.trusted);
      for (const c of v.accepts) await run.case(c.name, async () => {
        const { head, events } = await loa.openSegment(unhex(c.raw), keyOf);
        return [hex(await loa.headHash(head)), hex(head.logId), head.firstSeq, head.count, head.rawLen, hex(head.prev),
          hex(head.root), events.map(hex)];
      }, [c.head_hash, c.log_id, number(c.first_seq), c.count, c.raw_len, c.prev, c.root, c.events]);
      for (const c of v.rejects) await run.refused(c.name, () => loa.openSegment(unhex(c.raw), keyOf), c.code);
      const long = new Uint8Array(v.reject_too_long.length);
      long.set(unhex(v.accepts[1].raw));
      await run.refused("too long", () => loa.openSegment(long, keyOf), v.reject_too_long.code);
    },
    async chain(v, run) {
      const keyOf = await ring(v.public);
      const headIn = async (pair) => {
        const head = loa.readHead(unhex(pair.head));
        await loa.verify(keyOf(hex(head.keyId)), "segment", head.raw, unhex(pair.signature));
        await run.case("head hash", async () => hex(await loa.headHash(head)), pair.head_hash);
        return head;
      };
      for (const c of v.conflicts) {
        const [one, other] = [await headIn(c.one), await headIn(c.other)];
        await run.case(c.name, () => loa.conflict(one, other), c.code);
        await run.case(`${c.name}, turned`, () => loa.conflict(other, one), c.code);
      }
      for (const c of v.steps) {
        const held = c.held && (await headIn(c.held)), next = await headIn(c.next);
        const step = async () => (await loa.extend(held, next), true);
        if (c.code === null) await run.case(c.name, step, true);
        else await run.refused(c.name, step, c.code);
      }
    },
    async forks(v, run) {
      const keyOf = await ring(v.trusted);
      const judge = async (pair) => {
        if (pair.length !== 336) throw new loa.Refusal("evidence-length");
        const heads = [];
        for (const at of [0, 168]) {
          const head = loa.readHead(pair.subarray(at, at + 104)), key = keyOf(hex(head.keyId));
          if (!key) throw new loa.Refusal("key-unknown");
          await loa.verify(key, "segment", head.raw, pair.subarray(at + 104, at + 168));
          heads.push(head);
        }
        const code = await loa.conflict(...heads);
        if (code === null) throw new loa.Refusal("not-a-fork");
        return code;
      };
      for (const c of v.accepts) await run.case(c.name, () => judge(unhex(c.bytes)), c.code);
      for (const c of v.rejects) await run.refused(c.name, () => judge(unhex(c.bytes)), c.code);
    },
    async proofs(v, run) {
      const keyOf = await ring(v.trusted);
      const read = async (c) => {
        const proof = loa.readProof(unhex(c.bytes));
        await loa.checkProof(proof, keyOf);
        return [proof.head.firstSeq + BigInt(proof.index), hex(proof.event)];
      };
      for (const c of v.accepts) await run.case(c.name, () => read(c), [number(c.seq), c.event]);
      for (const c of v.rejects) await run.refused(c.name, () => read(c), c.code);
    },
    async receipts(v, run) {
      const read = async (c) => {
        const r = loa.readReceipt(unhex(c.bytes));
        await loa.verifyReceipt(r, unhex(v.hub));
        return [hex(r.hub), hex(r.keyId), hex(r.logId), r.nextSeq, hex(r.headHash), r.hubTime, hex(r.hubLog), r.hubSeq, hex(r.nonce)];
      };
      for (const c of v.accepts) await run.case(c.name, () => read(c), [c.hub, c.author, c.log_id, number(c.next_seq),
        c.head_hash, number(c.hub_time), c.hub_log, number(c.hub_seq), c.nonce]);
      for (const c of v.rejects) await run.refused(c.name, () => read(c), c.code);
    },
    async grants(v, run) {
      const keyOf = await ring(v.public);
      const grantIn = async (raw) => {
        return loa.loneStatement(await loa.openSegment(unhex(raw), keyOf));
      };
      const six = ["grant-unknown-issuer", "grant-without-right", "grant-wider-classes", "grant-wider-territory",
        "grant-wider-window", "grant-too-deep"];
      for (const c of v.accepts) {
        const authority = await loa.Authority.of(v.roots.map(unhex));
        let waiting = [];
        for (const raw of c.grants) waiting.push(await grantIn(raw));
        for (let before = Infinity; waiting.length && waiting.length < before; ) {
          before = waiting.length;
          const left = [];
          for (const grant of waiting) {
            try { await authority.apply(grant); } catch (error) {
              if (!six.includes(error.code)) throw error;
              left.push(grant);
            }
          }
          waiting = left;
        }
        const introduced = [...new Set(authority.links.map((link) => hex(link.fact.subject_pub)))];
        await run.case(c.name, () => introduced, c.introduces);
        for (const ask of c.may) await run.case(`${c.name}: ${shown(ask)}`, async () =>
          authority.may(hex(await loa.keyId(unhex(ask.key))), ask.classes, ask.territory, ask.at), ask.answer);
      }
      for (const c of v.rejects) {
        const authority = await loa.Authority.of(v.roots.map(unhex));
        for (const raw of c.held) await authority.apply(await grantIn(raw));
        await run.refused(c.name, async () => authority.apply(await grantIn(c.grant)), c.code);
      }
    },
    async endings(v, run) {
      const keyOf = await ring(v.public);
      // All statements of a story, whatever their order: [authority, reasons of what does not count].
      const told = async (roots, raws) => {
        const authority = await loa.Authority.of(roots.map(unhex));
        const statements = [], reasons = [];
        for (const raw of raws) {
          const segment = await loa.openSegment(unhex(raw), keyOf);
          try { statements.push(loa.loneStatement(segment)); } catch (error) { reasons.push(error.code); }
        }
        let sets = statements.filter(({ fact }) => fact.type === 67);
        for (let before = Infinity; sets.length < before; ) {
          before = sets.length;
          const left = [];
          for (const one of sets) {
            try { await authority.follow(one.fact); } catch (error) { one.why = error.code; left.push(one); }
          }
          sets = left;
        }
        const refused = await authority.judge(statements.filter(({ fact }) => fact.type !== 67));
        return [authority, [...reasons, ...sets.map(({ why }) => why), ...refused.map(([, why]) => why)].sort()];
      };
      for (const c of v.accepts) {
        for (const raws of [c.segments, [...c.segments].reverse()]) {
          const [authority, reasons] = await told(c.roots, raws);
          await run.case(c.name, () => reasons, [...c.reasons].sort());
          for (const ask of c.may) await run.case(`${c.name}: ${shown(ask)}`, async () => authority.may(
            hex(await loa.keyId(unhex(ask.key))), ask.classes, ask.territory, ask.at,
            ask.place && { log: ask.place.log, seq: number(ask.place.seq) }), ask.answer);
        }
      }
      for (const c of v.rejects) await run.case(c.name, async () => (await told(c.roots, [...c.held, c.segment]))[1], [c.code]);
    },
    async evidence(v, run) {
      const roots = v.roots.map(unhex);
      for (const c of v.accepts) await run.case(c.name, async () => {
        const f = await loa.examine(unhex(c.bytes), roots);
        return [hex(f.key), f.seq, hex(f.event), f.right, f.territory, f.root, f.chain.map((link) => link.subject),
          f.witnesses.map((w) => [w.kind, w.hub, w.at]), f.open, f.endings.map(({ fact }) => fact.type),
          f.known && [f.known.hub, f.known.log, f.known.seq, f.known.at]];
      }, [c.key, number(c.seq), c.event, c.right, c.territory, c.root, c.chain,
        c.witnesses.map((w) => [w.kind, w.hub, w.at]), c.open, c.endings,
        c.known && [c.known.hub, c.known.log, number(c.known.seq), c.known.at]]);
      for (const c of v.rejects) await run.refused(c.name, () => loa.examine(unhex(c.bytes), roots), c.code);
      const long = new Uint8Array(v.reject_too_long.length);
      long.set(unhex(v.accepts[0].bytes));
      await run.refused("too long", () => loa.examine(long, roots), v.reject_too_long.code);
    },
  };

  globalThis.putToThePage = async (name, vectors) => {
    const run = new Run();
    await READ[name](vectors, run);
    return { count: run.count, differences: run.differences };
  };
  globalThis.putToThePage.readers = READ;
})();

// A station's part of a round (docs/spec/sync.md): what it asks, byte for byte, and what it makes of a reply. Once more in
// another language, on the page's readers, without a disk. For tests: the page needs none of it.
"use strict";

(() => {
  const { pack, write, readReply, readReceipts, seal, FRAME } = second;
  const NONE = new Uint8Array(8), ZERO = new Uint8Array(32), NOTHING = new Uint8Array();
  const ROOM = 65536, HEADS_MAX = 192;
  const PASSING = ["parked-full", "key-unknown", "forward-missing"];
  const FORKED = ["fork-overlap", "fork-broken-link", "log-frozen"];
  const passes = (code) => PASSING.includes(code) || code.startsWith("transit-");

  class Station {
    constructor(signer, hub, logs, software, keys) {
      Object.assign(this, { signer, hub, logs: [...logs], software, keys });
      // own: logs, oldest first. held: up to where the hub is known to hold one. unnamed: logs a new hub process was not asked about.
      this.state = { own: [], pending: [], told: [], cursor: 0, trail: NOTHING, hubLog: null, unnamed: [], feed: new Map(), waiting: [] };
      this.boot();
    }

    boot() {
      this.logId = this.logs.shift();
      this.awaited = null;
    }
    append(event) { this.state.pending.push(event); }

    async sealPending(now) {
      const { own, pending, told } = this.state;
      pending.push(...told.splice(0));
      if (!pending.length) return;
      let log = own.find((one) => same(one.logId, this.logId)), events = pending.splice(0);
      if (!log) {
        const past = own.at(-1), end = past && past.segments.at(-1);
        const before = end ? [past.logId, end.head.nextSeq, end.hash] : [NONE, 0, ZERO];
        events = [pack([0, now, 0, ...before, own.length + 1, this.software]), ...events];
        own.push((log = { logId: this.logId, segments: [], held: 0n, refused: null }));
      }
      const end = log.segments.at(-1);
      const made = await seal(this.signer, log.logId, end ? end.head.nextSeq : 0n, end ? end.hash : ZERO, events);
      log.segments.push({ ...made, hash: await headHash(made.head) });
    }

    unreceipted() { return this.state.own.filter((log) => log.held < log.segments.at(-1).head.nextSeq && !log.refused); }

    async ask(nonce, now) {
      await this.sealPending(now);
      const { own, cursor, trail, unnamed } = this.state, due = this.unreceipted();
      const named = [...due, ...own.filter((log) => !due.includes(log) && unnamed.includes(hex(log.logId)))].slice(0, HEADS_MAX);
      const heads = named.map((log) => {
        const { head, hash } = log.segments.at(-1);
        return [log.logId, head.nextSeq, due.includes(log) ? hash : hash.slice(0, 8)];
      });
      const raw = await write("request", this.signer, [1, nonce, now, heads, cursor, trail, ROOM, NOTHING, []]);
      this.awaited = { asked: await sha256(raw), nonce, named: named.map((log) => hex(log.logId)) };
      return raw;
    }

    async accept(raw, now) {
      const { awaited, state } = this;
      must(awaited, "reply-unawaited");
      const said = await readReply(raw, this.hub, awaited.asked, ROOM);
      const receipts = await readReceipts(said.receipts, this.hub, awaited.nonce);
      this.awaited = null;
      let changed = hex(said.trail) !== hex(state.trail) || said.cursor !== state.cursor
        || state.hubLog === null || !same(state.hubLog, said.hubLog);
      const admitted = await this.admitAll(said.segments, now), strange = [], noted = [], parted = [];
      Object.assign(state, { cursor: said.cursor, trail: said.trail });
      state.unnamed = state.unnamed.filter((name) => !awaited.named.includes(name));
      if (state.hubLog !== null && !same(state.hubLog, said.hubLog)) {
        for (const log of state.own) log.refused = null;
        const all = state.own.map((log) => hex(log.logId));
        state.unnamed = all.every((name) => awaited.named.includes(name)) ? [] : all;
      }
      state.hubLog = said.hubLog;
      const known = () => String(state.own.filter((log) => awaited.named.includes(hex(log.logId)))
        .map((log) => [log.held, log.refused, log.plain])), before = known();
      const ownLog = (logId) => state.own.find((log) => same(log.logId, logId));
      const mine = (logId) => awaited.named.includes(hex(logId)) && ownLog(logId);
      for (const receipt of receipts) {
        const own = same(receipt.keyId, this.signer.id) && ownLog(receipt.logId), log = own && mine(receipt.logId);
        const fits = own && own.segments.some(({ head, hash }) => head.nextSeq === receipt.nextSeq && same(hash, receipt.headHash));
        if (fits) {
          noted.push(receipt);
          if (receipt.nextSeq > own.held) own.held = receipt.nextSeq;
        } else if (log) {
          strange.push(log);
          parted.push([log, receipt.nextSeq]);
        }
      }
      for (const [logId, nextSeq] of said.less) {
        const log = mine(logId);
        if (log && BigInt(nextSeq) < log.held) log.held = BigInt(nextSeq);
      }
      for (const [logId, , code] of said.refused) {
        const log = mine(logId);
        if (log && code.startsWith("transit-")) log.plain = true;
        if (!log || passes(code)) continue;
        log.refused = code;
        if (FORKED.includes(code)) strange.push(log);
      }
      for (const [log, nextSeq] of parted.filter(([one]) => !one.refused)) { // sent again from the event before the receipt's number
        const end = log.segments.at(-1).head.nextSeq;
        log.held = (nextSeq < end ? nextSeq : end) - 1n;
      }
      changed ||= before !== known();
      const left = this.unreceipted().length > 0 || state.pending.length > 0 || state.unnamed.length > 0;
      return {
        hub_time: said.time, admitted, receipts: noted.length,
        refused: said.refused.map(([logId, firstSeq, code]) => [hex(logId), firstSeq, code]),
        strange: [...new Set(strange.map((log) => hex(log.logId)))], more: changed && (said.more || left),
      };
    }

    // Decisions in the hub's order; logs of which only a part is sent have holes, and a hole is no gap.
    async admitAll(raws, now) {
      const { feed, waiting } = this.state;
      let stored = 0;
      for (const raw of raws) {
        try {
          const { head, signature } = await openSegment(raw, (id) => this.keys.get(id));
          const name = hex(head.keyId) + hex(head.logId), log = feed.get(name) || { heads: [], frozen: false };
          feed.set(name, log);
          if (log.frozen || log.heads.some((one) => same(one.raw, head.raw))) continue;
          const after = log.heads.findIndex((one) => one.firstSeq > head.firstSeq);
          const at = after < 0 ? log.heads.length : after;
          for (const near of [log.heads[at - 1], log.heads[at]].filter(Boolean)) {
            if (log.frozen || !(await conflict(near, head))) continue;
            log.frozen = true; // and the hub is told with the next request
            this.state.told.push(pack([81, now, join(near.raw, near.signature, head.raw, signature)]));
          }
          if (log.frozen) continue;
          log.heads.splice(at, 0, { ...head, signature });
          stored += 1;
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          if (error.code === "key-unknown") waiting.push(raw);
        }
      }
      return stored;
    }
  }

  Object.assign(second, { Station, FRAME });
})();

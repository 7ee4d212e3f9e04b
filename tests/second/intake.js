// What a ledger takes in (docs/spec/sync.md, docs/spec/central.md): segments stored, parked or refused, forks found and told of.
// Once more in another language, on the page's readers, without a disk. For tests: the page needs none of it.
"use strict";

(() => {
  const { pack } = second;
  const ZERO = new Uint8Array(32);
  const PARKED_MAX = 64, PARKED_BYTES_MAX = 8 << 20, FOUND_READ = 8;
  const FEED_TYPES = new Set([1, 2, 3, 4, 5, 9, 64, 65, 66, 67]);
  const nameOf = (keyId, logId) => `${hex(keyId)}/${hex(logId)}`;

  // The signed segment that a writer makes of events; plain, since how it is packed is nobody's business.
  async function seal(signer, logId, firstSeq, prev, events) {
    const leaves = await Promise.all(events.map((event, i) => leafOf(signer.id, logId, firstSeq + BigInt(i), event)));
    const rawLen = events.reduce((sum, event) => sum + event.length, 0);
    const head = join([0xd7, 0x4c, 0x53, 1, 1, 0, 0, 0], signer.id, logId, be64(firstSeq),
      be64((BigInt(events.length) << 32n) | BigInt(rawLen)), prev, await rootOf(leaves));
    const signature = await signer.sign("segment", head), body = pack(events);
    return { head: readHead(head), signature, events, raw: join(head, signature, new Uint8Array(5),
      be64(BigInt(body.length)).slice(4), body) };
  }

  class Intake {
    // keys: public ones by id; signer: whose own log this is.
    constructor(signer, logs, software, keys) {
      Object.assign(this, { signer, logs: [...logs], software, keys, news: [] });
      this.state = { logs: new Map(), arrivals: [], trail: [ZERO], before: null, boots: 0, accused: new Set() };
      this.boot();
    }

    boot() { this.own = { logId: this.logs.shift(), nextSeq: 0n, hash: ZERO }; }
    snapshot() { return structuredClone(this.state); }
    restore(image) { this.state = structuredClone(image); this.boot(); }
    keyOf(id) { return this.keys.get(id); }

    log(keyId, logId) {
      const name = nameOf(keyId, logId), { logs } = this.state;
      if (!logs.has(name)) logs.set(name, { segments: [], frozen: false, parked: [] });
      return logs.get(name);
    }
    last(log) { return log.segments.at(-1); }
    end(log) { return this.last(log)?.head.nextSeq ?? 0n; }

    // Stored, parked, held already (all null), or the code of a refusal. passedOn: a hole in its log is no gap.
    async admit(segment, passedOn = false) {
      const { head, hash, raw } = segment, log = this.log(head.keyId, head.logId);
      if (log.segments.some((one) => same(one.hash, hash))) return null;
      if (log.frozen) return "log-frozen";
      const after = log.segments.findIndex((one) => one.head.firstSeq > head.firstSeq);
      const at = after < 0 ? log.segments.length : after;
      for (const near of [log.segments[at - 1], log.segments[at]].filter(Boolean)) {
        const code = await conflict(near.head, head);
        if (!code) continue;
        log.frozen = true;
        log.parked = [];
        this.news.push(join(near.head.raw, near.signature, head.raw, segment.signature));
        return code;
      }
      if (head.firstSeq > this.end(log) && !passedOn) return this.park(log, segment);
      if (!segment.events.every((event) => this.holdsNamed(parse(event)))) return "forward-missing";
      log.sparse ||= head.firstSeq > this.end(log);
      await this.store(log, segment, raw);
      // What was parked and is behind a hole no more; in a log with holes also what lies in one.
      for (let next; (next = log.parked.find((one) => one.head.firstSeq <= this.end(log))) && !log.frozen; ) {
        log.parked.splice(log.parked.indexOf(next), 1);
        await this.admit(next);
      }
      return null;
    }

    // What a journal says arrived is here (docs/spec/central.md), or its log is frozen.
    holdsNamed(fact) {
      if (fact.type !== 80) return true;
      const log = this.log(fact.key_id, fact.log_id);
      return log.frozen || log.segments.some(({ head, hash }) => same(hash, fact.head_hash)
        && head.firstSeq === BigInt(fact.first_seq) && BigInt(head.count) === BigInt(fact.count));
    }

    park(log, segment) {
      const author = hex(segment.head.keyId);
      const mine = [...this.state.logs].flatMap(([name, one]) => (name.startsWith(author) ? one.parked : []));
      if (mine.some((one) => same(one.hash, segment.hash))) return null;
      const bytes = mine.reduce((sum, one) => sum + one.raw.length, segment.raw.length);
      if (mine.length >= PARKED_MAX || bytes > PARKED_BYTES_MAX) return "parked-full";
      log.parked.push(segment);
      log.parked.sort((one, other) => Number(one.head.firstSeq - other.head.firstSeq));
      return null;
    }

    async store(log, segment, raw, everybody = false) {
      const { arrivals, trail } = this.state;
      log.segments.push(segment);
      log.segments.sort((one, other) => Number(one.head.firstSeq - other.head.firstSeq));
      arrivals.push({ raw, to: everybody ? "*" : audience(segment.events) });
      trail.push(await sha256(ascii("loa-trail/v1\0"), trail.at(-1), segment.hash));
      if (same(segment.head.keyId, this.signer.id)) return;
      this.news.push(segment);
      await this.hear(segment);
    }

    // Evidence that others tell of, against logs held here.
    async hear(segment) {
      const told = segment.events.map(parse).filter((fact) => fact.type === 81).slice(0, FOUND_READ);
      for (const { evidence } of told) {
        try {
          const [one, other] = [0, 168].map((at) => ({ head: readHead(evidence.subarray(at, at + HEAD_BYTES)),
            signature: evidence.slice(at + HEAD_BYTES, at + 168) }));
          for (const each of [one, other]) await verifyHead(each.head, each.signature, (id) => this.keyOf(id));
          const log = this.log(one.head.keyId, one.head.logId);
          if (log.frozen || !log.segments.length || !(await conflict(one.head, other.head))) continue;
          log.frozen = true;
          this.news.push(evidence);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
        }
      }
    }
  }

  // The territory of the lone decision in a segment, or null.
  function audience(events) {
    if (events.length !== 1) return null;
    const fact = parse(events[0]);
    return FEED_TYPES.has(fact.type) ? (fact.type === 9 ? fact.unit : fact.territory) : null;
  }

  Object.assign(second, { Intake, nameOf, seal });
})();

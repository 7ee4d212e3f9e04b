// A hub's part of a round (docs/spec/sync.md): what it takes in, and its reply byte for byte. Once more in another language,
// on the page's readers, without a disk. For tests: the page needs none of it.
"use strict";

(() => {
  const { pack, write, readRequest, readFields, unfold, Intake, nameOf, seal } = second;
  const NONE = new Uint8Array(8), ZERO = new Uint8Array(32);
  const FEED_MAX = 12288, SEGMENTS_MAX = 256;

  // What of a segment's bytes is kept: self-contained, whichever way it came.
  const whole = ({ head, signature, events, raw }) => {
    const body = pack(events);
    return raw || join(head.raw, signature, new Uint8Array(5), be64(BigInt(body.length)).slice(4), body);
  };

  class Hub extends Intake {
    // stations, hubs: who may ask, with the units whose decisions each is sent.
    constructor(signer, logs, software, keys, stations, hubs = {}) {
      super(signer, logs, software, keys);
      Object.assign(this, { hubs, units: { ...stations, ...hubs } });
    }

    async answer(raw, now) {
      const asked = await readRequest(raw, (id) => this.keyOf(id), (id) => id in this.units);
      const opened = await this.openAll(asked), refused = [], asker = hex(asked.id), isHub = asker in this.hubs;
      this.news = [];
      for (const { segment, code, logId, firstSeq } of opened) {
        if (isHub && code === "key-unknown") continue; // it waits for its key, and its journal with it
        const said = code || (await this.admit(segment, isHub && hex(segment.head.keyId) !== asker));
        if (said) refused.push([logId, firstSeq, said]);
      }
      await this.journal(now);
      const { receipts, less } = await this.standing(asked, isHub ? [] : opened, now);
      const fed = this.feed(asked, this.units[asker]);
      const trail = fed.cursor ? this.state.trail[fed.cursor].slice(0, 8) : new Uint8Array();
      const fields = [1, now, this.own.logId, receipts, less, refused, fed.cursor, trail, fed.more, fed.segments];
      return write("reply", this.signer, fields, await sha256(raw));
    }

    // Every item verified, or the code it is refused with and what it says of itself.
    async openAll(asked) {
      const named = asked.heads.map(([logId]) => logId), ends = new Map(), found = [];
      const prevOf = (logId, seq) => ends.get(nameOf(asked.id, logId) + seq)
        || this.log(asked.id, logId).segments.find(({ head }) => head.nextSeq === seq)?.hash || null;
      for (const item of asked.segments) {
        const arrival = { keyId: asked.id, logId: NONE, firstSeq: 0n, code: null };
        try {
          if (item[0] === 1) {
            const fields = readFields(item, named.length);
            Object.assign(arrival, { logId: named[fields.log], firstSeq: fields.firstSeq });
            arrival.segment = await unfold(fields, named, asked.key, prevOf, null);
          } else {
            try {
              must(item.length >= FIXED_BYTES, "segment-short");
              const head = readHead(item.subarray(0, HEAD_BYTES));
              Object.assign(arrival, { keyId: head.keyId, logId: head.logId, firstSeq: head.firstSeq });
            } catch { /* not even a head: the code comes from opening it */ }
            arrival.segment = await openSegment(item, (id) => this.keyOf(id));
          }
          const { head } = arrival.segment, hash = await headHash(head);
          arrival.segment = { head, hash, signature: arrival.segment.signature, events: arrival.segment.events,
            raw: whole(arrival.segment) };
          ends.set(nameOf(head.keyId, head.logId) + head.nextSeq, hash);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          arrival.code = error.code;
        }
        found.push(arrival);
      }
      return found;
    }

    // What the hub's own log says of this request: its arrivals, then evidence against keys that were accused before, in one
    // segment; then each first evidence against a key, alone.
    async journal(now) {
      const { accused } = this.state, told = [], alone = [];
      const arrivals = this.news.filter((one) => !isBytes(one));
      for (const evidence of this.news.filter(isBytes)) {
        const author = hex(evidence.subarray(8, 16));
        (accused.has(author) ? told : alone).push(pack([81, now, evidence]));
        accused.add(author);
      }
      const events = arrivals.map(({ head, hash }) =>
        pack([80, now, head.keyId, head.logId, head.firstSeq, head.count, hash]));
      if (events.length || told.length) await this.write([...events, ...told], now, arrivals);
      for (const event of alone) await this.write([event], now, [], true);
    }

    async write(events, now, recorded, everybody = false) {
      const { state, own } = this, log = this.log(this.signer.id, own.logId);
      let opened = 0;
      if (!own.nextSeq) {
        const past = state.before || { logId: NONE, nextSeq: 0n, hash: ZERO };
        state.boots += 1;
        const opening = pack([0, now, 0, past.logId, past.nextSeq, past.hash, state.boots, this.software]);
        if (everybody) await this.append(log, [opening], false);
        else {
          events = [opening, ...events];
          opened = 1;
        }
      }
      recorded.forEach((segment, i) => { segment.at = { logId: own.logId, seq: own.nextSeq + BigInt(opened + i) }; });
      await this.append(log, events, everybody);
    }

    async append(log, events, everybody) {
      const { own } = this, made = await seal(this.signer, own.logId, own.nextSeq, own.hash, events);
      own.nextSeq += BigInt(events.length);
      own.hash = await headHash(made.head);
      this.state.before = { ...own };
      await this.store(log, { ...made, hash: own.hash }, made.raw, everybody);
    }

    async standing(asked, opened, now) {
      const receipts = [], less = [], done = new Set();
      const receipt = async ({ head, hash, at }) => {
        const body = join([0xd7, 0x4c, 0x52, 1], this.signer.id, head.keyId, head.logId, be64(head.nextSeq), hash,
          be64(BigInt(now)), at.logId, be64(at.seq), asked.nonce);
        receipts.push(join(body, await this.signer.sign("receipt", body)));
      };
      for (const [logId, nextSeq, hash] of asked.heads) {
        const log = this.log(asked.id, logId), { segments } = log, end = this.last(log);
        done.add(nameOf(asked.id, logId));
        const held = segments.find(({ head }) => head.nextSeq === BigInt(nextSeq));
        const agreed = held && same(held.hash.slice(0, hash.length), hash);
        if (BigInt(nextSeq) > (end ? end.head.nextSeq : 0n)) less.push([logId, end ? end.head.nextSeq : 0]);
        if (agreed && hash.length === 32) await receipt(held);
        else if (!agreed && end) await receipt(end);
      }
      for (const { keyId, logId } of opened) { // also of what did not open: the log that its head names
        const name = nameOf(keyId, logId), end = this.last(this.log(keyId, logId));
        if (!done.has(name) && end) await receipt(end);
        done.add(name);
      }
      return { receipts, less };
    }

    feed(asked, units) {
      const { arrivals, trail } = this.state, known = trail[asked.cursor];
      let cursor = known && (!asked.cursor || same(known.slice(0, 8), asked.trail)) ? Number(asked.cursor) : 0;
      const segments = [];
      let size = 0, more = false;
      for (let at = cursor; at < arrivals.length; at++) {
        const { raw, to } = arrivals[at];
        if (!(to === "*" || units.includes(to)) || raw.length > FEED_MAX) continue;
        more = !asked.room || (segments.length > 0 && size + raw.length > asked.room) || segments.length >= SEGMENTS_MAX;
        if (more) break;
        segments.push(raw);
        size += raw.length;
        cursor = at + 1;
      }
      return { cursor, more, segments };
    }
  }

  Object.assign(second, { Hub });
})();

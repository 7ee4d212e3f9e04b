// Transit forms and acknowledgments told against a plan (docs/spec/transit.md, docs/spec/plan.md), once more in another
// language, on the page's readers of bytes, heads and frames. For tests: the page needs none of it.
"use strict";

(() => {
  const { under, underAsync, pack } = second;
  const DAY_MAX = 100000n, EVENTS_MAX = 1048576, PACKED_MAX = 262144, COUNT_MAX = 4096, CLUSTERS_MAX = 1024,
    DAY_S = 86400n, EAST_S = 25200n;

  // --- numbers of seven bits a byte -----------------------------------------------------------------------

  class Numbers {
    constructor(bytes) { this.bytes = bytes; this.at = 0; }

    next(most = (1n << 64n) - 1n) {
      let n = 0n;
      for (let shift = 0n; ; shift += 7n) {
        must(this.at < this.bytes.length, "varint-truncated");
        const byte = BigInt(this.bytes[this.at++]);
        n |= (byte & 127n) << shift;
        if (byte < 128n) {
          must(byte > 0n || shift === 0n, "varint-not-shortest");
          must(n <= most, "varint-range");
          return n;
        }
        must(shift < 63n, "varint-long");
      }
    }
    upTo(most) { return Number(this.next(BigInt(most))); }
    signed() {
      const n = this.next();
      return n & 1n ? -((n + 1n) >> 1n) : n >> 1n;
    }
    take(size) {
      must(size <= this.bytes.length - this.at, "varint-truncated");
      return this.bytes.slice(this.at, (this.at += size));
    }
    rest() { return this.take(this.bytes.length - this.at); }
    end() { must(this.at === this.bytes.length, "varint-trailing"); }
  }

  // One frame whose header declares no more than this, then whatever the page's reader asks of it.
  function inflateWithin(frame, room) {
    const { size, window } = frameHeader(frame);
    must(size <= room && window <= Math.max(room, 1024), "zstd-size");
    return under("zstd-frame", () => inflate(frame, room));
  }

  function frameHeader(frame) {
    const numbers = new Numbers(frame);
    return under("zstd-frame", () => {
      must(same(numbers.take(4), [0x28, 0xb5, 0x2f, 0xfd]), "magic");
      const flags = numbers.take(1)[0], single = flags & 0x20;
      must(!(flags & 8), "reserved");
      const byte = single ? 0 : numbers.take(1)[0], base = 2 ** (10 + (byte >> 3));
      must(base <= 2 ** 31, "a window that nobody has");
      numbers.take([0, 1, 2, 4][flags & 3]);
      const width = [single ? 1 : 0, 2, 4, 8][flags >> 6], said = Number(le(numbers.take(width)));
      const size = width ? said + (width === 2 ? 256 : 0) : Infinity;
      return { size, window: single ? size : base + (base / 8) * (byte & 7) };
    });
  }

  // --- the form -------------------------------------------------------------------------------------------

  function framed(packed, count) {
    const numbers = new Numbers(packed), events = [];
    for (let i = 0; i < count; i++) {
      const size = numbers.upTo(EVENT_BYTES_MAX);
      must(size >= 3, "varint-range");
      events.push(numbers.take(size));
    }
    numbers.end();
    return events;
  }

  // The fields, within bounds. heads: how many the request names.
  function readFields(raw, heads) {
    const form = under("transit-form", () => {
      const numbers = new Numbers(raw);
      must(numbers.take(1)[0] === 1, "version");
      const [log, firstSeq, count] = [numbers.next(), numbers.next(), numbers.next()];
      return { log, firstSeq, count, signature: numbers.take(64), coder: numbers.take(1)[0], packed: numbers.rest() };
    });
    must(form.log < BigInt(heads), "transit-log");
    must(form.count >= 1n && form.count <= COUNT_MAX && form.firstSeq + form.count <= INT_MAX, "transit-count");
    must(form.packed.length <= PACKED_MAX, "transit-long");
    return { ...form, log: Number(form.log), count: Number(form.count) };
  }

  // named: log ids of the request's heads. prevOf: (log id, first_seq) → hash, or null. plan: or null.
  async function readForm(raw, named, author, prevOf, plan) {
    return unfold(readFields(raw, named.length), named, author, prevOf, plan);
  }

  async function unfold({ log, firstSeq, count, signature, coder, packed }, named, author, prevOf, plan) {
    const logId = named[log], prev = firstSeq ? prevOf(logId, firstSeq) : new Uint8Array(32);
    must(prev, "transit-prev");
    must(coder <= 1 || (coder === 2 && plan), "transit-coder");
    const events = under("transit-packed", () => {
      if (coder === 2) return unpack(packed, count, plan);
      return framed(coder === 1 ? inflateWithin(packed, EVENTS_MAX + 2 * count) : packed, count);
    });
    const rawLen = events.reduce((sum, event) => sum + event.length, 0);
    must(rawLen <= EVENTS_MAX, "transit-size");
    const author8 = await keyId(author);
    const leaves = await Promise.all(events.map((event, i) => leafOf(author8, logId, firstSeq + BigInt(i), event)));
    const head = join([0xd7, 0x4c, 0x53, 1, 1, 0, 0, 0], author8, logId, be64(firstSeq),
      be64((BigInt(count) << 32n) | BigInt(rawLen)), prev, await rootOf(leaves));
    const whole = under("transit-mismatch", () => readHead(head));
    await underAsync("transit-mismatch", () => verify(author, "segment", head, signature));
    return { head: whole, signature, events };
  }

  // --- the plan: the slots of a day -----------------------------------------------------------------------

  class Plan {
    // orders: Scheduled and EmergencyOrdered that count, as parsed, in order of arrival.
    constructor(orders, unit) {
      this.days = new Map();
      this.series = new Map();
      for (const order of orders.filter((one) => covers(one.territory, unit))) {
        const firstDay = order.type === 2 ? BigInt(order.first_day) : (BigInt(order.not_before) + EAST_S) / DAY_S;
        const of = this.series.get(order.series) || [];
        this.series.set(order.series, [...of, { firstDay, order }]);
      }
    }

    on(day) {
      if (!this.days.has(day)) this.days.set(day, this.slots(day));
      return this.days.get(day);
    }

    slots(day) {
      const found = [];
      for (const [series, orders] of this.series) {
        const speaks = ({ order, firstDay }) => (order.type === 3 ? firstDay === day : firstDay <= day);
        const said = orders.filter(speaks).at(-1);
        if (!said) continue;
        const { order } = said, into = day - said.firstDay;
        const content = order.manifest.slice(0, 16), slot = { series: BigInt(series), day, content };
        if (order.type === 3) {
          const start = BigInt(order.not_before);
          found.push({ ...slot, start, length: BigInt(order.expires_at) - start, klass: 4 });
        } else if (into < 8 * order.days.length && (order.days[Number(into >> 3n)] >> Number(into & 7n)) & 1) {
          const start = day * DAY_S - EAST_S + 60n * BigInt(order.minute);
          found.push({ ...slot, start, length: BigInt(order.length_s), klass: order.klass });
        }
      }
      return found.sort((a, b) => Number(a.start - b.start) || b.klass - a.klass || Number(a.series - b.series));
    }

    after(day, place) {
      if (place + 1 < this.on(day).length) return [day, place + 1];
      for (let ahead = 1n; ahead <= 8n; ahead++) if (this.on(day + ahead).length) return [day + ahead, 0];
      return null;
    }
  }

  // --- acknowledgments against the plan -------------------------------------------------------------------

  // Of what was seen, the most frequent; among equals the one that had been seen so often first.
  class Usual {
    constructor() { this.times = new Map(); this.value = null; this.most = 0; }
    add(value) {
      const name = value.map((v) => (isBytes(v) ? hex(v) : String(v))).join(), times = (this.times.get(name) || 0) + 1;
      this.times.set(name, times);
      if (times > this.most) [this.value, this.most] = [value, times];
    }
  }

  function unpack(packed, count, plan) {
    const outer = new Numbers(packed), mode = outer.next();
    must(mode <= 1n, "acks-mode");
    const inner = mode ? new Numbers(inflateWithin(outer.take(outer.upTo(packed.length)), EVENTS_MAX)) : outer;
    const flags = inner.take(count), acks = flags.filter((flag) => flag !== 1).length;
    const low = outer.take(acks);
    if (mode) outer.end();
    const high = inner.take(acks), events = [], state = new State(plan);
    let nth = 0;
    for (const flag of flags) {
      if (flag === 1) events.push(inner.take(inner.upTo(EVENT_BYTES_MAX)));
      else {
        must(!(flag & 1), "acks-flags");
        events.push(state.event(inner, flag, BigInt.asIntN(16, BigInt((high[nth] << 8) | low[nth]))));
        nth += 1;
      }
    }
    inner.end();
    return events;
  }

  class State {
    constructor(plan) {
      this.plan = plan;
      this.at = null; // the slot that was last, or the one after it where an acknowledgment named none
      this.day = 0n;
      this.kinds = new Usual();
      this.volumes = new Usual();
      this.played = new Map();
    }

    // The slot it is of: the next one, or the one it names, which may be in no plan.
    slot(numbers, flag) {
      const next = this.at && this.plan.after(this.day, this.at.place);
      if (next) this.go(...next);
      if (next && !(flag & 2)) return this.plan.on(this.day)[this.at.place];
      const day = this.day + numbers.signed(), slots = day > DAY_MAX ? [] : this.plan.on(day);
      const place = numbers.upTo(slots.length);
      if (!place) return { series: numbers.next(), day, start: null, length: 0n, content: new Uint8Array() };
      this.go(day, place - 1);
      return slots[place - 1];
    }
    go(day, place) { [this.day, this.at] = [day, { place }]; }

    event(numbers, flag, bits) {
      const slot = this.slot(numbers, flag);
      const content = flag & 4 ? numbers.take(16) : slot.content, name = hex(content);
      const kind = flag & 8 ? [numbers.next(), numbers.next(), numbers.next()] : this.kinds.value;
      const jitter = flag & 16 ? numbers.signed() : bits;
      const planned = slot.start === null ? 0n : slot.start + floorDiv(jitter, 100n);
      const ts = planned + (flag & 32 ? numbers.signed() : 0n);
      must(kind, "acks-kind");
      const sounded = kind[0] === 1n || kind[0] === 2n;
      const expected = sounded ? this.played.get(name) ?? slot.length * 10n : 0n;
      const played = expected + (flag & 64 ? numbers.signed() : 0n);
      if (sounded) this.played.set(name, played);
      const volume = flag & 128 ? [numbers.next(), this.clusters(numbers)] : this.volumes.value;
      must(volume, "acks-volume");
      this.kinds.add(kind);
      this.volumes.add(volume);
      const event = [16n, ts, slot.series, slot.day, content, jitter, played, ...kind, ...volume];
      return under("acks-number", () => pack(event));
    }

    clusters(numbers) {
      const size = numbers.upTo(CLUSTERS_MAX);
      return size ? numbers.take(size - 1) : null;
    }
  }
  const floorDiv = (n, by) => (n - (((n % by) + by) % by)) / by;

  globalThis.second = { ...globalThis.second, Numbers, readFields, readForm, unfold, Plan, unpack };

  putToThePage.readers.transit = async (v, run) => {
    const form = async (c) => {
      const prev = unhex(c.prev);
      const { head, events } = await readForm(unhex(c.bytes), [unhex(c.log_id)], unhex(c.author), () => prev, null);
      return [hex(await headHash(head)), events.map(hex)];
    };
    for (const c of v.accepts) await run.case(c.name, () => form(c), [c.head_hash, c.events]);
    for (const c of v.rejects) await run.refused(c.name, () => form(c), c.code);
    const root = unhex(v.acks_root), orders = [];
    for (const raw of v.acks_decisions) {
      const { events } = await openSegment(unhex(raw), () => root);
      orders.push(parse(events[0]));
    }
    const plan = new Plan(orders, v.acks_unit);
    const acks = (c, count) => unpack(unhex(c.bytes), count, plan).map(hex);
    for (const c of v.acks_accepts) await run.case(c.name, () => acks(c, c.events.length), c.events);
    for (const c of v.acks_rejects) await run.refused(c.name, () => acks(c, c.count), c.code);
  };
})();

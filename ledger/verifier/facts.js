// The vocabulary (docs/spec/vocabulary.md): what each type's fields may hold. `parse` never throws.
"use strict";

const chars = (text) => [...text].length;
const whole = (low, high) => (v) => isInt(v) && v >= low && v <= high;
const octets = (low, high = low) => (v) => isBytes(v) && v.length >= low && v.length <= high;
const letters = (low, high) => (v) => typeof v === "string" && chars(v) >= low && chars(v) <= high;
const orNil = (check) => (v) => v === null || check(v);
const isFlag = (v) => typeof v === "boolean";
const UNIT = /^[a-z0-9][a-z0-9_-]{0,31}(\.[a-z0-9][a-z0-9_-]{0,31}){0,7}$/;
const isUnit = (v) => typeof v === "string" && v.length <= 80 && UNIT.test(v);
const covers = (outer, inner) => outer === inner || inner.startsWith(outer + ".");

const INSTANT = whole(0, 2 ** 40 - 1), DAY = whole(0, 65535), MINUTE = whole(0, 1439);
const SERIES = whole(1, 2 ** 31 - 1), COUNT = whole(0, 2 ** 53 - 1), REASON = letters(0, 500);
const CONTENT_FIELDS = {
  bulletin: octets(16), version: whole(1, 65535), manifest: octets(32), title: letters(1, 200),
  category: letters(0, 64), klass: whole(0, 4), territory: isUnit, valid_from_day: DAY, valid_until_day: DAY,
};
const contentProblem = (f) => (f.valid_until_day < f.valid_from_day ? "backward-validity" : null);
const emergencyProblem = (f) => {
  const life = f.expires_at - f.not_before;
  return life <= 0 ? "backward-validity" : life > 86400 ? "too-long-validity" : null;
};
const proposalProblem = (f) => {
  if ((f.reason !== "") !== (f.step === 1)) return "bad-reason";
  const left = f.expires_at - f.open_until;
  return left < 0 ? "backward-validity" : left > 86400 ? "too-long-validity" : null;
};
const mergerProblem = (f) => {
  if ((f.into === null) !== (f.name === null)) return "bad-name";
  const inside = f.into !== null && (`${f.unit}.`.startsWith(`${f.into}.`) || `${f.into}.`.startsWith(`${f.unit}.`));
  return inside ? "bad-into" : null;
};
const targetProblem = (f) =>
  (f.bulletin !== null) === (f.target === 0) && (f.series !== null) === (f.target === 1) ? null : "bad-target";

// A commune's order: different series, four bytes each.
const orderProblem = (f) => {
  const found = new Set();
  for (let at = 0; at + 4 <= f.order.length; at += 4) found.add(be(f.order.subarray(at, at + 4)));
  return found.size * 4 === f.order.length && [...found].every((n) => n >= 1n && n < 2n ** 31n) ? null : "bad-order";
};
const namesProblem = (f) => {
  const lines = f.names ? f.names.split("\n") : [];
  return lines.length <= 102 && lines.every((line) => line) ? null : "bad-names";
};

// What an ended key keeps: pairs of a log id and the last number that stays, log ids ascending, none zero.
const exceptions = (v) => {
  if (!octets(0, 448 * 16)(v) || v.length % 16) return false;
  let before = 0n;
  for (let at = 0; at < v.length; at += 16) {
    const log = be(v.subarray(at, at + 8));
    if (log <= before || be(v.subarray(at + 8, at + 16)) > INT_MAX) return false;
    before = log;
  }
  return true;
};
const CUT = { hub_key: octets(8), hub_log: octets(8), hub_seq: whole(0, INT_MAX), exceptions };

// number: [name, fields, what fields in range may still contradict]
const TYPES = {
  1: ["Approved", CONTENT_FIELDS, contentProblem],
  2: ["Scheduled", {
    series: SERIES, bulletin: octets(16), manifest: octets(32), first_day: DAY, days: octets(1, 46),
    minute: MINUTE, length_s: whole(1, 14400), territory: isUnit, klass: whole(0, 3), late_s: whole(0, 86400),
    on_interrupt: whole(0, 2), reason: orNil(REASON),
  }],
  3: ["EmergencyOrdered", {
    series: SERIES, kind: letters(1, 32), level: whole(1, 3), drill: isFlag, manifest: octets(32),
    text: letters(0, 2000), territory: isUnit, not_before: INSTANT, expires_at: INSTANT,
    max_plays: whole(1, 100),
  }, emergencyProblem],
  4: ["Cancelled", {
    target: whole(0, 1), bulletin: orNil(octets(16)), series: orNil(SERIES), territory: isUnit, reason: REASON,
  }, targetProblem],
  5: ["QuietHoursSet", { territory: isUnit, from_minute: MINUTE, until_minute: MINUTE }],
  6: ["Drafted", CONTENT_FIELDS, contentProblem],
  7: ["Submitted", { bulletin: octets(16), version: whole(1, 65535), manifest: octets(32) }],
  8: ["Returned", { bulletin: octets(16), version: whole(1, 65535), reason: REASON }],
  9: ["StationRegistered", { unit: isUnit, name: letters(1, 120), kind: (v) => v === "it" || v === "fm" }],
  10: ["OfferAnswered", { series: SERIES, day: orNil(DAY), answer: whole(0, 2), minute: orNil(MINUTE),
    territory: isUnit, reason: REASON }, (f) => ((f.answer === 2) === (f.minute !== null) ? null : "bad-minute")],
  11: ["ProgrammeArranged", { territory: isUnit, day: DAY, order: octets(4, 256) }, orderProblem],
  12: ["DirectiveIssued", { directive: octets(16), kind: (v) => v === "directive" || v === "document",
    number: letters(0, 64), issuer: letters(1, 120), issued_day: DAY, title: letters(1, 200),
    summary: letters(0, 1000), category: letters(0, 64), manifest: orNil(octets(32)), territory: isUnit,
    due_day: orNil(DAY) }],
  13: ["Attested", { territory: isUnit, series: SERIES, day: DAY, content: octets(16), outcome: whole(0, 9),
    detail: whole(0, 255), began_at: orNil(INSTANT), played_ds: whole(0, 864000), means: whole(0, 2),
    said_by: letters(0, 120) }],
  14: ["FeedbackAnswered", { feedback: octets(16), territory: isUnit, state: whole(0, 1), text: letters(0, 2000),
    bulletin: orNil(octets(16)) }],
  15: ["DirectiveRead", { directive: octets(16), manifest: octets(32), territory: isUnit }],
  16: ["Acknowledged", {
    series: SERIES, day: DAY, content: octets(16), jitter_cs: whole(1 - 2 ** 31, 2 ** 31 - 1),
    played_ds: whole(0, 864000), outcome: whole(0, 9), detail: whole(0, 255), evidence: whole(0, 5),
    volume: whole(0, 100), clusters: orNil(octets(1, 64)),
  }],
  17: ["FeedbackReceived", { feedback: octets(16), category: letters(0, 64), text: letters(1, 2000), sender: letters(0, 120) }],
  18: ["DaySummary", {
    day: DAY, played: COUNT, missed: COUNT, syncs_ok: COUNT, syncs_failed: COUNT, bytes_up: COUNT,
    bytes_down: COUNT, hub_head: orNil(octets(32)),
  }],
  19: ["ClockStepped", { old_s: INSTANT, new_s: INSTANT, source: letters(0, 64) }],
  20: ["Refused", { event_id: octets(16), reason: letters(1, 64) }],
  21: ["WithdrawalSeen", { series: whole(0, 2 ** 31 - 1), bulletin: orNil(octets(16)), state: whole(0, 1) },
    (f) => ((f.series === 0) === (f.bulletin !== null) ? null : "bad-target")],
  22: ["KeyOffered", { subject_pub: octets(32), possession: octets(64), label: letters(1, 120), classes: whole(1, 2 ** 31 - 1) }],
  23: ["BoardShown", { board: letters(1, 32), bulletin: octets(16), content: octets(16), shown: octets(32), day: DAY,
    shown_s: whole(0, 86400), outcome: whole(0, 9), detail: whole(0, 255) }],
  24: ["ClustersListed", { names: letters(0, 6000) }, namesProblem],
  25: ["EmergencyProposed", { series: SERIES, kind: letters(1, 32), level: whole(1, 3), drill: isFlag,
    manifest: octets(32), text: letters(0, 2000), territory: isUnit, expires_at: INSTANT, max_plays: whole(1, 100),
    step: whole(0, 2), open_until: INSTANT, reason: REASON }, proposalProblem],
  64: ["Granted", {
    subject_pub: octets(32), classes: whole(1, 2 ** 31 - 1), territory: isUnit, not_before: INSTANT,
    not_after: INSTANT, depth: whole(0, 4), label: letters(0, 120),
  }, (f) => (f.not_after < f.not_before ? "backward-validity" : null)],
  65: ["Rotated", { territory: isUnit, new_pub: octets(32), possession: octets(64), ...CUT }],
  66: ["Revoked", { subject: octets(8), territory: isUnit, ...CUT, reason: letters(0, 120) }],
  67: ["RootsSet", { territory: isUnit, statement: octets(1, 5632), signatures: octets(72, 32 * 72) },
    (f) => (f.signatures.length % 72 ? "bad-signatures" : null)],
  68: ["UnitMerged", { unit: isUnit, into: orNil(isUnit), from_day: DAY, name: orNil(letters(1, 120)) }, mergerProblem],
};
// What a log says of itself (docs/spec/segments.md): ts is any integer, other numbers are not negative.
const natural = (v) => isInt(v) && v >= 0;
const JOURNAL = {
  0: ["LogOpened", { reason: natural, prev_log: octets(8), prev_next_seq: natural, prev_head: octets(32),
    boot_count: natural, software: letters(0, 40) }],
  80: ["Ingested", { key_id: octets(8), log_id: octets(8), first_seq: natural, count: natural,
    head_hash: octets(32) }],
  81: ["ForkFound", { evidence: octets(336) }],
};

// {type, name, ts, …fields} or {malformed: reason}
function parse(event) {
  let values;
  try { values = readEvent(event); } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { malformed: error.code };
  }
  const [type, ts, ...rest] = values;
  if (!isInt(type)) return { malformed: "bad-type" };
  const journal = Object.hasOwn(JOURNAL, type), known = journal || Object.hasOwn(TYPES, type);
  if (!known) return { malformed: "unknown-type" };
  const [name, fields, problem] = journal ? JOURNAL[type] : TYPES[type];
  const names = Object.keys(fields);
  if (rest.length !== names.length) return { malformed: journal ? "event-arity" : "bad-arity" };
  if (journal ? !isInt(ts) : !INSTANT(ts)) return { malformed: journal ? "event-field" : "bad-ts" };
  const fact = { type, kindName: name, ts };
  for (const [i, field] of names.entries()) {
    if (!fields[field](rest[i])) return { malformed: journal ? "event-field" : "bad-" + field.replaceAll("_", "-") };
    fact[field] = rest[i];
  }
  const contradiction = problem ? problem(fact) : null;
  return contradiction ? { malformed: contradiction } : fact;
}

// The states of receiver clusters (docs/spec/clusters.md): 0 unknown, 1 no answer, 2 silent, 3 playing, 4 another item.
function clustersOf(vector) {
  must(vector.length >= 1 && vector.length <= 64, "clusters-size");
  const states = [], form = [];
  for (const byte of vector) {
    must(byte < 125 || (byte >= 128 && byte < 208), "clusters-byte");
    if (byte < 125) states.push(Math.floor(byte / 25), Math.floor(byte / 5) % 5, byte % 5);
    else for (let n = byte & 15; n >= 0; n--) states.push((byte >> 4) - 8);
  }
  must(states.length <= 102, "clusters-many");
  must(states.some((state) => state !== 3), "clusters-agree");
  for (let at = 0, run; at < states.length; at += run) {
    for (run = 1; run < 16 && states[at + run] === states[at];) run += 1;
    if (run > 3 || states.length - at < 3) form.push(128 + states[at] * 16 + run - 1);
    else form.push(states[at] * 25 + states[at + 1] * 5 + states[at + (run = 3) - 1]);
  }
  must(same(vector, form), "clusters-form");
  return states;
}

const DECISIONS = new Set([1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 25, 64]);

// Who may sign what, where, when, and until where (docs/spec/authority.md): grants from the roots down, and what
// ends them. A statement here is {key: hex id of its signer, fact, places: [place, …]}, with its first place first.
"use strict";

const RIGHT = {
  DRAFT: 1, APPROVE: 2, SCHEDULE: 4, EMERGENCY: 8, CANCEL: 16, ACK: 32, RECEIPT: 64, INGEST: 128, GRANT: 256,
  ADMIN: 512, PROGRAMME: 1024, ATTEST: 2048, ISSUE: 4096, CORRESPOND: 8192,
};
const NEEDS = { 1: "APPROVE", 2: "SCHEDULE", 3: "EMERGENCY", 4: "CANCEL", 5: "ADMIN", 6: "DRAFT", 9: "ADMIN",
  10: "PROGRAMME", 11: "PROGRAMME", 12: "ISSUE", 13: "ATTEST", 14: "CORRESPOND", 15: "CORRESPOND", 17: "ACK",
  16: "ACK", 18: "ACK", 19: "ACK", 20: "ACK", 21: "ACK", 22: "ACK", 23: "ACK", 24: "ACK", 25: "EMERGENCY",
  64: "GRANT", 80: "INGEST", 81: "INGEST" };
const ROOT_DEPTH = 4;
const has = (held, wanted) => (held & wanted) === wanted; // 31 bits: safe for numbers

// In the order of the page: where the new grant goes beyond the one held.
const WIDENINGS = [
  ["grant-without-right", (held) => !has(held.classes, RIGHT.GRANT)],
  ["grant-wider-classes", (held, fact) => !has(held.classes, fact.classes)],
  ["grant-wider-territory", (held, fact) => !covers(held.territory, fact.territory)],
  ["grant-wider-window", (held, fact) => fact.not_before < held.not_before || fact.not_after > held.not_after],
  ["grant-too-deep", (held, fact) => fact.depth >= held.depth],
];
const REASONS = [...WIDENINGS.map(([code]) => code), "grant-key-ended"];
const carriesAt = (held, place) => held.ends.every((ending) => keeps(ending.kept, place));

class Authority {
  static async of(roots) {
    const authority = new Authority();
    authority.roots = await Roots.of(roots);
    authority.links = [];
    authority.endings = [];
    return authority;
  }

  // key id in hex → public key, or undefined
  key(id) { return this.roots.all.get(id) || this.held(id)[0]?.fact.subject_pub; }
  held(id) { return this.links.filter((link) => link.subject === id); }
  follow(fact) { return this.roots.follow(fact, (id) => this.key(id)); }

  // Accepts a grant and returns its link, or refuses.
  async apply({ key: issuer, fact, places }) {
    await refusedAs("grant-key-refused", () => checkKey(fact.subject_pub));
    const subject = hex(await keyId(fact.subject_pub)), known = this.key(subject);
    must(!known || same(known, fact.subject_pub), "grant-key-id-taken");
    must(subject !== issuer, "grant-to-itself");
    const above = this.carriers(issuer, fact, places);
    await refusedAs("grant-key-refused", () => proveOrder(fact.subject_pub));
    const link = { issuer, subject, fact, above, places, ends: [] };
    link.ends = await this.endsOf(link);
    this.links.push(link);
    return link;
  }

  // The issuer's grants that carry the new one; none for a root. Refuses with the reason of the nearest.
  carriers(issuer, fact, places) {
    if (places.some((place) => this.roots.isRoot(issuer, place))) {
      must(fact.depth < ROOT_DEPTH, "grant-too-deep");
      return [];
    }
    const steps = this.held(issuer).map((held) => {
      const wide = WIDENINGS.findIndex(([, beyond]) => beyond(held.fact, fact));
      return wide >= 0 ? wide : places.some((place) => carriesAt(held, place)) ? Infinity : WIDENINGS.length;
    });
    if (this.roots.all.has(issuer)) steps.push(WIDENINGS.length);
    must(steps.length, "grant-unknown-issuer");
    if (!steps.includes(Infinity)) refuse(REASONS[Math.max(...steps)]);
    return this.held(issuer).filter((_, i) => steps[i] === Infinity);
  }

  // -- what ends a grant --------------------------------------------------------------------------------------

  async endsOf(link) {
    const endings = this.endings.filter((one) => one.subject === link.subject && covers(one.territory, link.fact.territory));
    const ends = endings.filter((one) => !one.rotation && this.comesFromAbove(one, link)), own = [];
    for (const one of endings.filter(({ rotation }) => rotation)) {
      if (one.places.some((place) => ends.every((end) => keeps(end.kept, place)))
        && !(await unproven(one, link.fact.subject_pub))) own.push(one);
    }
    return [...ends, ...own.filter((one) => !own.some((other) => isAfter(one, other)))];
  }

  // Its signer is a root or in a chain that leads to the grant, and was so where it signed.
  comesFromAbove(ending, link) {
    const above = linksAbove(link).filter(({ subject }) => subject === ending.signer);
    return ending.places.some((place) =>
      this.roots.isRoot(ending.signer, place) || above.some((one) => carriesAt(one, place)));
  }

  // Judges everything anew; returns [statement, reason] for what does not count, in the order given.
  async judge(statements) {
    this.endings = statements.filter(({ fact }) => fact.type !== 64).map(endingOf);
    this.links = [];
    const grants = statements.filter(({ fact }) => fact.type === 64), refused = new Map();
    const attempt = async (one) => {
      try { await this.apply(one); } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refused.set(one, error.code);
      }
    };
    for (const one of [...grants].sort((a, b) => b.fact.depth - a.fact.depth)) await attempt(one);
    const nth = (link) => grants.findIndex((one) => one.places === link.places);
    this.links.sort((a, b) => nth(a) - nth(b));
    for (const link of this.links) link.above.sort((a, b) => nth(a) - nth(b));
    for (const one of [...refused.keys()]) await attempt(one); // a reason speaks of all that is held
    for (const one of statements.filter(({ fact }) => fact.type !== 64)) {
      const reason = await this.endsNothing(one);
      if (reason) refused.set(one, reason);
    }
    return statements.filter((one) => refused.has(one)).map((one) => [one, refused.get(one)]);
  }

  // Why a revocation or rotation ends nothing; null when it ends something.
  async endsNothing(statement) {
    const ending = endingOf(statement), known = this.roots.all.has(ending.subject);
    const within = this.held(ending.subject).filter((link) => covers(ending.territory, link.fact.territory));
    const name = ending.rotation ? "rotation" : "revocation";
    if (!ending.rotation && ending.subject === ending.signer) return "revocation-of-itself";
    if (!within.length) return known ? (ending.rotation ? "rotation-by-root" : "revocation-of-root") : `${name}-unknown-key`;
    if (ending.rotation) {
      const why = await unproven(ending, within[0].fact.subject_pub);
      if (why) return why;
    } else if (!this.roots.all.has(ending.signer)
      && !within.some((link) => linksAbove(link).some(({ subject }) => subject === ending.signer))) {
      return "revocation-not-above";
    }
    const { log, seq } = statement.places[0];
    return within.some((link) => link.ends.some((end) => end.places.some((place) => place.log === log && place.seq === seq)))
      ? null : `${name}-key-ended`;
  }

  // -- asking -------------------------------------------------------------------------------------------------

  may(id, right, territory, at, place = null) {
    return this.roots.isRoot(id, place)
      || this.held(id).some((link) => carries(link, right, territory, at) && carriesAt(link, place));
  }

  // The fewest links that give the key this right there and then; [] for a root. recorded: of a cut, for reports.
  chain(id, right, territory, at, place, recorded = () => false) {
    if (this.roots.isRoot(id, place)) return [];
    return fewest(this.held(id)
      .filter((link) => carries(link, right, territory, at)
        && link.ends.every((ending) => keeps(ending.kept, place) || recorded(ending.cut)))
      .map(chainTo));
  }

  // Nothing but an ending can have taken this right from the key.
  onlyEnded(id, right, territory, at) {
    return this.roots.all.has(id) || this.held(id).some((link) => carries(link, right, territory, at));
  }

  labelOf(id) { return this.roots.all.has(id) ? "root" : this.held(id).at(-1)?.fact.label ?? ""; }
}

function endingOf({ key, fact, places }) {
  const kept = readPairs(fact.exceptions), rotation = fact.type === 65;
  if (rotation) for (const { log, seq } of places) kept.set(log, seq); // of its own log all before it
  const cut = { hub: hex(fact.hub_key), log: hex(fact.hub_log), seq: BigInt(fact.hub_seq) };
  return { fact, kept, cut, places, rotation, signer: key, subject: rotation ? key : hex(fact.subject), territory: fact.territory };
}

// Why this is no rotation of the key oldPub; null when it is one.
async function unproven({ fact }, oldPub) {
  try { proveOrder(checkKey(fact.new_pub)); } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return "rotation-key-refused";
  }
  if (same(fact.new_pub, oldPub)) return "rotation-to-itself";
  try { await verify(fact.new_pub, "rotation", join(oldPub, fact.new_pub), fact.possession); } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return "rotation-possession";
  }
  return null;
}

// One stands behind the other in a log that both are in.
const isAfter = (one, other) =>
  one.places.some((mine) => other.places.some((theirs) => mine.log === theirs.log && mine.seq > theirs.seq));

// Every link in every chain that leads to this one.
const linksAbove = (link) => [...new Set(link.above.flatMap((one) => [one, ...linksAbove(one)]))];
// The fewest links from a root to this one, itself included.
const chainTo = (link) => [...(fewest(link.above.map(chainTo)) || []), link];

// null for a territory: the grant's own; for an instant: any.
const carries = ({ fact }, right, territory, at) =>
  has(fact.classes, right) && (territory === null || covers(fact.territory, territory))
  && (at === null || (fact.not_before <= at && at <= fact.not_after));

const fewest = (chains) => chains.reduce((best, chain) => (!best || chain.length < best.length ? chain : best), null);

// The statement in a segment of its own; refuses what is not alone or not well formed.
function loneStatement(segment) {
  must(segment.events.length === 1, "not-sealed-alone");
  const { head, events: [event] } = segment, fact = parse(event);
  if (fact.malformed) refuse(fact.malformed);
  return { key: hex(head.keyId), fact, event, places: [{ log: hex(head.logId), seq: head.firstSeq }] };
}

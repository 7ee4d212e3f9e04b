// Who may sign what, where, when (docs/spec/authority.md): grants accepted one by one from the roots down.
"use strict";

const RIGHT = {
  DRAFT: 1, APPROVE: 2, SCHEDULE: 4, EMERGENCY: 8, CANCEL: 16, ACK: 32, RECEIPT: 64, INGEST: 128, GRANT: 256,
  ADMIN: 512,
};
const NEEDS = { 1: "APPROVE", 2: "SCHEDULE", 3: "EMERGENCY", 4: "CANCEL", 5: "ADMIN", 6: "DRAFT", 9: "ADMIN",
  16: "ACK", 18: "ACK", 19: "ACK", 20: "ACK", 21: "ACK", 64: "GRANT", 80: "INGEST", 81: "INGEST" };
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
const widening = (held, fact) => WIDENINGS.findIndex(([, beyond]) => beyond(held, fact));

class Authority {
  constructor() { this.roots = new Map(); this.links = []; }

  static async of(roots) {
    const authority = new Authority();
    for (const raw of roots) authority.roots.set(hex(await keyId(checkKey(raw))), raw);
    return authority;
  }

  // key id in hex → public key, or undefined
  key(id) { return this.roots.get(id) || this.links.find((link) => link.subject === id)?.fact.subject_pub; }

  // Accepts a grant and returns its link, or refuses. issuer: key id in hex.
  async apply(issuer, fact) {
    const introduced = (check) => {
      try { check(fact.subject_pub); } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refuse("grant-key-refused", error.code);
      }
    };
    introduced(checkKey);
    const subject = hex(await keyId(fact.subject_pub));
    const known = this.key(subject);
    must(!known || same(known, fact.subject_pub), "grant-key-id-taken");
    must(subject !== issuer, "grant-to-itself");
    if (this.roots.has(issuer)) must(fact.depth < ROOT_DEPTH, "grant-too-deep");
    else {
      const steps = this.links.filter((held) => held.subject === issuer).map((held) => widening(held.fact, fact));
      must(steps.length, "grant-unknown-issuer");
      if (!steps.includes(-1)) refuse(WIDENINGS[Math.max(...steps)][0]);
    }
    introduced(proveOrder);
    const link = { issuer, subject, fact };
    this.links.push(link);
    return link;
  }

  may(id, right, territory, at) {
    return this.roots.has(id) || this.links.some((link) => link.subject === id && carries(link, right, territory, at));
  }

  // The fewest links from a root to this one, itself included; null when none lead to it.
  chainTo(link) {
    if (this.roots.has(link.issuer)) return link.fact.depth < ROOT_DEPTH ? [link] : null;
    const above = this.links.filter((held) => held.subject === link.issuer && widening(held.fact, link.fact) < 0);
    const best = fewest(above.map((held) => this.chainTo(held)));
    return best && [...best, link];
  }

  // The fewest links that give the key this right there and then; [] for a root.
  chain(id, right, territory, at) {
    if (this.roots.has(id)) return [];
    const ends = this.links.filter((link) => link.subject === id && carries(link, right, territory, at));
    return fewest(ends.map((link) => this.chainTo(link)));
  }

  labelOf(id) {
    return this.roots.has(id) ? "root" : this.links.filter((link) => link.subject === id).at(-1)?.fact.label ?? "";
  }
}

// null for a territory: the grant's own; for an instant: any.
const carries = ({ fact }, right, territory, at) =>
  has(fact.classes, right) && (territory === null || covers(fact.territory, territory))
  && (at === null || (fact.not_before <= at && at <= fact.not_after));

const fewest = (chains) =>
  chains.filter(Boolean).reduce((best, chain) => (!best || chain.length < best.length ? chain : best), null);

// The fact of a grant in its segment; refuses what is no lone, well-formed grant.
function loneGrant(segment) {
  must(segment.events.length === 1, "not-sealed-alone");
  const fact = parse(segment.events[0]);
  if (fact.malformed) refuse(fact.malformed);
  return fact;
}

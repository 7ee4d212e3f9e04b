// Puts the rounds of sync.json to both ends in another language (tests/second/hub.js, tests/second/station.js).
"use strict";

(() => {
  const { Hub, Station, signer } = second;

  const ring = async (v) => {
    const keys = new Map();
    for (const raw of v.trusted.map(unhex)) keys.set(hex(await keyId(raw)), raw);
    return keys;
  };
  const whole = (c, raw) => join(unhex(raw), new Uint8Array(Math.max(0, (c.zeros_to || 0) - raw.length / 2)));

  async function hubAfter(v, steps) {
    const hub = new Hub(await signer(unhex(v.hub_seed)), v.hub_logs.map(unhex), v.software, await ring(v), v.stations, v.hubs);
    const images = [hub.snapshot()];
    for (const step of steps) {
      if (step.request) await hub.answer(unhex(step.request), step.now);
      else if (step.restart) hub.boot();
      else hub.restore(images[step.restored]);
      images.push(hub.snapshot());
    }
    return hub;
  }
  const reply = async (v, c) => hex(await (await hubAfter(v, c.before || [])).answer(whole(c, c.request), c.now ?? v.now));

  putToThePage.readers.central = async (v, run) => {
    for (const c of [...v.accepts, ...v.rejects]) {
      if (c.reply) await run.case(c.name, () => reply(v, c), c.reply);
      else await run.refused(c.name, () => reply(v, c), c.code);
    }
  };

  putToThePage.readers.sync = async (v, run) => {
    const keys = await ring(v);
    for (const c of v.accepts) await run.case(c.name, () => reply(v, c), c.reply);
    for (const c of v.rejects) await run.refused(c.name, () => reply(v, c), c.code);
    const station = async (steps) => {
      const one = new Station(await signer(unhex(v.station_seed)), unhex(v.hub), v.station_logs.map(unhex), v.software, keys);
      for (const step of steps) {
        if (step.append) step.append.forEach((event) => one.append(unhex(event)));
        else if (step.ask) await asks(one, step);
        else if (step.restart) one.boot();
        else await one.accept(unhex(step.reply), v.now);
      }
      return one;
    };
    const asks = async (one, { ask, nonce }) => {
      const asked = hex(await one.ask(unhex(nonce), v.now));
      await run.case("what it asks", () => asked, ask);
    };
    for (const c of v.reply_accepts) {
      const one = await station(c.before);
      await run.case(c.name, () => one.accept(unhex(c.reply), v.now), c.then);
      await asks(one, c.next);
    }
    for (const c of v.reply_rejects) {
      const one = await station(c.before), before = state(one);
      await run.refused(c.name, () => one.accept(whole(c, c.reply), v.now), c.code);
      await run.case(`${c.name}: nothing changed`, () => state(one), before);
    }
  };
  const state = (one) => JSON.stringify(one.state, (_, v) => (typeof v === "bigint" ? String(v) : isBytes(v) ? hex(v) : v));
})();

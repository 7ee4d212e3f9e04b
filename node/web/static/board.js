/* A board's screen: asks the station what to show, shows it, and tells what it showed.

   Each thing comes with the seconds after which it must not be seen. They are counted here, by the clock that
   has run further, so a screen whose cable is pulled, that slept, or whose station is gone takes down what has
   ended and goes on with the rest. What is told is the hash of what stands in the page, computed here: over
   http on a local network a browser gives no hash of its own. */
(function () {
  "use strict";
  var POLL_MS = 3000, TELL_MS = 15000, FIRST_TELL_MS = 2000, STEP_MS = 500, QUIET_MS = 20000, ANSWER_MS = 15000;
  var DWELL_MS = 8000, DWELL_CHAR_MS = 45, PAGE_MS = 6000, WORDS_MIN_PX = 11, CLAIMS = 64, PENDING_MAX_MS = 86400000;
  var VIETNAM_MS = 7 * 3600 * 1000;

  var body = document.body, box = document.getElementById("box");
  var path = "/board/" + encodeURIComponent(body.dataset.board);
  var faces = [], images = {}, pending = {}, csrf = "", told_at = -1e9, fresh = false;
  var current = null, turned_at = 0, dwell_ms = 0, page_at = 0, up_at = null, answered_at = null, clock = null;

  // ---- time: what the station said is counted by whichever clock ran further -------------------------------

  function stamp() { return {mono: performance.now(), wall: Date.now()}; }
  function since(then) { return Math.max(performance.now() - then.mono, Date.now() - then.wall); }
  function is_over(face) { return since(face.asked) >= face.left_ms; }

  // ---- SHA-256 (FIPS 180-4) ----------------------------------------------------------------------------------

  var K = (function () {
    var k = [], n = 2, root = function (x, p) { var r = Math.pow(x, 1 / p); return (r - Math.floor(r)) * 4294967296 | 0; };
    for (; k.length < 64; n++) {
      for (var d = 2, prime = true; d * d <= n; d++) { if (n % d === 0) { prime = false; break; } }
      if (prime) { k.push([root(n, 3), root(n, 2)]); }
    }
    return k;
  })();

  function sha256(bytes) {
    var h = K.slice(0, 8).map(function (one) { return one[1]; }), w = new Int32Array(64);
    var length = bytes.length, padded = new Uint8Array((length + 72 >> 6) << 6);
    padded.set(bytes);
    padded[length] = 128;
    var view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(length / 536870912));
    view.setUint32(padded.length - 4, length << 3 >>> 0);
    for (var at = 0; at < padded.length; at += 64) {
      var a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], i = h[7], n, x, y;
      for (n = 0; n < 64; n++) {
        if (n < 16) { w[n] = view.getInt32(at + 4 * n); } else {
          x = w[n - 15]; y = w[n - 2];
          w[n] = w[n - 16] + w[n - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
            + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
        }
        x = i + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[n][0] + w[n] | 0;
        y = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
        i = g; g = f; f = e; e = d + x | 0; d = c; c = b; b = a; a = x + y | 0;
      }
      [a, b, c, d, e, f, g, i].forEach(function (part, m) { h[m] = h[m] + part | 0; });
    }
    return h.map(function (part) { return ("0000000" + (part >>> 0).toString(16)).slice(-8); }).join("");
  }

  // ---- on the screen -----------------------------------------------------------------------------------------

  function clear() {
    box.textContent = "";
    current = null;
    up_at = null;
    body.className = "empty";
  }

  /* Puts a face up; false when what stands there is not what was approved. */
  function put(face) {
    var shown, node;
    if (face.kind === "text") {
      node = document.createElement("div");
      node.id = "words";
      face.text.split("\n").forEach(function (line) {
        node.appendChild(document.createElement("p")).textContent = line;
      });
      box.textContent = "";
      box.appendChild(node);
      shown = sha256(new TextEncoder().encode(
        [].map.call(node.children, function (line) { return line.textContent; }).join("\n")));
    } else {
      node = images[face.shown] && images[face.shown].node;
      if (!node) { return false; }
      box.textContent = "";
      box.appendChild(node);
      shown = images[face.shown].shown;
    }
    if (shown !== face.shown) { return false; }
    body.className = face.drill ? "drill" : face.alarm ? "alarm" : "notice";
    box.className = "fitted";
    if (face.kind === "text") { fit(node); }
    box.scrollTop = 0;
    current = face;
    up_at = stamp();
    turned_at = page_at = performance.now();
    dwell_ms = DWELL_MS + DWELL_CHAR_MS * face.text.length;
    fresh = fresh || !pending[key(face)];
    return true;
  }

  /* The largest letters with which all words stand on the screen; below the smallest it is turned in pages. */
  function fit(node) {
    var low = WORDS_MIN_PX, high = Math.max(low, Math.floor(box.clientHeight)), middle;
    var room_w = function () { return node.scrollWidth <= node.clientWidth; };
    while (low < high) {
      middle = Math.ceil((low + high) / 2);
      node.style.fontSize = middle + "px";
      if (box.scrollHeight <= box.clientHeight && room_w()) { low = middle; } else { high = middle - 1; }
    }
    node.style.fontSize = low + "px";
  }

  /* A page of a text that does not fit: as many whole lines as stand on the screen. */
  function whole_lines() {
    var line = parseFloat(getComputedStyle(document.getElementById("words")).lineHeight);
    return Math.max(1, Math.floor(box.clientHeight / line)) * line;
  }

  function turn() {
    var valid = faces.filter(function (face) { return !is_over(face); }), tries, next;
    if (!valid.length) { clear(); return; }
    next = current ? faces.indexOf(current) + 1 : 0;
    for (tries = 0; tries < faces.length; tries++, next++) {
      var face = faces[next % faces.length];
      if (is_over(face)) { continue; }
      if (face === current && valid.length === 1) { turned_at = performance.now(); return; }
      if (put(face)) { return; }
    }
    clear();
  }

  function same(a, b) { return a.bulletin === b.bulletin && a.shown === b.shown && a.alarm === b.alarm; }
  function key(face) { return face.bulletin + ":" + face.shown; }

  /* Counts the time that has passed with the current face on the screen. */
  function count() {
    if (!current || !up_at) { return; }
    var passed = since(up_at);
    up_at = stamp();
    if (document.visibilityState === "visible" && passed < 60000) {
      pending[key(current)] = Math.min(PENDING_MAX_MS, (pending[key(current)] || 0) + passed);
    }
  }

  // ---- with the station --------------------------------------------------------------------------------------

  function send(url, options) {
    var stop = new AbortController(), timer = setTimeout(function () { stop.abort(); }, ANSWER_MS);
    options.signal = stop.signal;
    options.cache = "no-store";
    options.credentials = "same-origin";
    return fetch(url, options).then(function (answer) {
      clearTimeout(timer);
      if (!answer.ok) { throw new Error(answer.status); }
      return answer;
    }, function (error) { clearTimeout(timer); throw error; });
  }

  function take(said, asked) {
    if (said.version !== body.dataset.version) { location.reload(); return; }
    csrf = said.csrf;
    answered_at = stamp();
    clock = said.utc === null ? null : {utc_ms: said.utc * 1000, at: stamp()};
    faces = said.faces.map(function (face) {
      var known = faces.filter(function (one) { return same(one, face); })[0] || face;
      known.left_ms = face.left * 1000;
      known.asked = asked;
      return known;
    });
    var wanted = {};
    faces.forEach(function (face) { if (face.kind === "image") { wanted[face.shown] = true; load(face.shown); } });
    Object.keys(images).forEach(function (shown) {
      if (!wanted[shown]) { URL.revokeObjectURL(images[shown].url); delete images[shown]; }
    });
    count();
    if (!current || faces.indexOf(current) < 0) { current = null; turn(); }
    show_frame();
  }

  /* Fetches an image once; what is shown afterwards are exactly the bytes that were hashed here. */
  function load(shown) {
    if (images[shown]) { return; }
    var image = images[shown] = {node: null, shown: "", url: ""}, type;
    send(path + "/" + shown, {}).then(function (answer) {
      type = answer.headers.get("Content-Type");
      return answer.arrayBuffer();
    }).then(function (data) {
      image.shown = sha256(new Uint8Array(data));
      if (image.shown !== shown) { throw new Error("another image"); }
      image.url = URL.createObjectURL(new Blob([data], {type: type}));
      var node = new Image();
      node.id = "picture";
      node.alt = "";
      node.src = image.url;
      return node.decode().then(function () { image.node = node; if (!current) { turn(); } });
    }).catch(function () {
      if (images[shown] === image) { URL.revokeObjectURL(image.url); delete images[shown]; }
    });
  }

  function poll() {
    var asked = stamp();
    send(path + "/now", {}).then(function (answer) { return answer.json(); }).then(function (said) {
      take(said, asked);
    }).catch(function () {}).then(function () { setTimeout(poll, POLL_MS); });
  }

  function tell() {
    var keys = Object.keys(pending).filter(function (one) { return pending[one] >= 1; }).slice(0, CLAIMS);
    if (!keys.length || !csrf) { return; }
    told_at = performance.now();
    fresh = false;
    var form = new URLSearchParams(), said = {};
    form.append("csrf", csrf);
    keys.forEach(function (one) { said[one] = Math.floor(pending[one]); form.append("seen", one + ":" + said[one]); });
    send(path + "/seen", {method: "POST", body: form}).then(function () {
      keys.forEach(function (one) {
        pending[one] -= said[one];
        if (!faces.some(function (face) { return key(face) === one; })) { delete pending[one]; }
      });
    }).catch(function () {});
  }

  // ---- each half second --------------------------------------------------------------------------------------

  function show_frame() {
    var link = document.getElementById("link"), time = document.getElementById("clock"), now;
    link.hidden = answered_at !== null && since(answered_at) < QUIET_MS;
    if (!clock) { time.textContent = ""; return; }
    now = new Date(clock.utc_ms + since(clock.at) + VIETNAM_MS).toISOString();
    time.textContent = now.slice(11, 16) + " · " + now.slice(8, 10) + "/" + now.slice(5, 7) + "/" + now.slice(0, 4);
  }

  function step() {
    var now = performance.now();
    count();
    if (current && is_over(current)) { current = null; turn(); }
    else if (current && box.scrollTop + box.clientHeight < box.scrollHeight - 1) {
      if (now - page_at >= PAGE_MS) { box.scrollTop += whole_lines(); page_at = turned_at = now; dwell_ms = PAGE_MS; }
    } else if (current && now - turned_at >= dwell_ms) { turn(); }
    if (now - told_at >= (fresh ? FIRST_TELL_MS : TELL_MS)) { tell(); }
    show_frame();
  }

  window.addEventListener("resize", function () {
    var words = document.getElementById("words");
    if (words && current) { fit(words); }
  });
  clear();
  poll();
  setInterval(step, STEP_MS);
})();

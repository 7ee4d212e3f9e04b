// Niceties only; every act works without this file. No key is bound: Telex types with letters.
(function () {
  "use strict";
  // Leaving with unsaved text asks first.
  var touched = false;
  document.querySelectorAll("form[data-keep]").forEach(function (form) {
    form.addEventListener("input", function () { touched = true; });
    form.addEventListener("submit", function () { touched = false; });
  });
  window.addEventListener("beforeunload", function (e) { if (touched) { e.preventDefault(); e.returnValue = ""; } });
  // A refused form says so to whoever listens.
  var problems = document.getElementById("problems");
  if (problems) { problems.focus(); }
  // A live list asks for its own small piece of the page; an unchanged answer is a 304 without a body.
  document.querySelectorAll("[data-live]").forEach(function (box) {
    var tag = "";
    setInterval(function () {
      if (document.hidden || box.contains(document.activeElement) && document.activeElement !== box) { return; }
      fetch(box.dataset.live, { headers: tag ? { "If-None-Match": tag } : {}, credentials: "same-origin" }).then(function (r) {
        if (r.status === 200 && !r.redirected) { tag = r.headers.get("ETag") || ""; return r.text().then(function (t) {
          // The answer is this site's own escaped markup; parsed inert, then moved in.
          var parsed = new DOMParser().parseFromString(t, "text/html");
          // What a reader has opened stays open.
          box.querySelectorAll("details[id]").forEach(function (old) {
            var fresh = parsed.getElementById(old.id);
            if (fresh) { fresh.open = old.open; }
          });
          box.replaceChildren.apply(box, Array.from(parsed.body.childNodes));
        }); }
      }).catch(function () { /* the link is down; the page keeps its own "as of" */ });
    }, 5000);
  });
  // A file goes ahead of its form, in pieces: a cut line costs one piece, and a form that is refused keeps its files.
  var PATIENCE_MS = 60000, LONG_MS = 900000, AGAIN_MS = [1000, 2000, 5000, 10000, 15000];
  var TABLE = []; for (var n = 0; n < 256; n++) { for (var c = n, k = 0; k < 8; k++) { c = c & 1 ? c >>> 1 ^ 0xEDB88320 : c >>> 1; } TABLE[n] = c; }
  function crc_of(file) {
    var at = 0, crc = -1;
    function on() {
      if (at >= file.size) { return Promise.resolve((crc ^ -1) >>> 0); }
      return file.slice(at, at += 1048576).arrayBuffer().then(function (part) {
        new Uint8Array(part).forEach(function (byte) { crc = TABLE[(crc ^ byte) & 255] ^ crc >>> 8; });
        return on();
      });
    }
    return on();
  }
  function wait(ms) { return new Promise(function (go) { setTimeout(go, ms); }); }
  // The answer as an object; a refusal of the hub is thrown with `said`, a broken line without.
  function ask(form, method, path, body, patience) {
    var stop = new AbortController(), timer = setTimeout(function () { stop.abort(); }, patience || PATIENCE_MS);
    var head = method === "POST" ? { "X-CSRFToken": form.elements.csrf_token.value } : {};
    if (body instanceof Blob) { head["Content-Type"] = "application/octet-stream"; }
    return fetch(path, { method: method, headers: head, body: body, credentials: "same-origin", signal: stop.signal }).then(function (r) {
      if (r.status >= 500) { throw new Error("again"); }
      return r.json().catch(function () { return { error: form.dataset.lost }; }).then(function (told) {
        if (!r.ok || told.error) { var no = new Error("refused"); no.said = told.error || form.dataset.lost; throw no; }
        return told;
      });
    }).finally(function () { clearTimeout(timer); });
  }
  function fields(of) { var f = new FormData(); Object.keys(of).forEach(function (name) { f.append(name, of[name]); }); return f; }
  document.querySelectorAll("input[type=file][data-to]").forEach(function (field) {
    var form = field.form, slot = field.parentNode, note = slot.querySelector(".up"), turn = 0, name = field.name;
    form.sending = form.sending || 0;
    function say(text, bad) { note.textContent = text; note.classList.toggle("bad", !!bad); }
    function forget() { slot.querySelectorAll("[name^=up_], .new").forEach(function (old) { (old.closest("label") || old).remove(); }); }
    function done(told, called) {
      forget();
      var kept = document.createElement("input");
      kept.type = "hidden"; kept.name = "up_" + name; kept.value = told.id;
      slot.appendChild(kept);
      if (field.dataset.kind === "audio") {
        slot.querySelectorAll("audio").forEach(function (old) { old.remove(); });
        var sound = document.createElement("audio");
        sound.className = "new"; sound.controls = true; sound.preload = "none"; sound.src = field.dataset.to + "/" + told.id + "/xem";
        slot.appendChild(sound);
      }
      field.removeAttribute("name"); // what has arrived is not sent again with the form
      say("✓ " + form.dataset.done + " " + called + " (" + told.about + "). " + told.told);
    }
    function send(file, mine) {
      var to = field.dataset.to, failed = 0, crc, told;
      function over() { return mine !== turn; }
      // Tries until the line holds: after a failure it asks how far the hub is and goes on from there.
      function held(act) {
        return act().then(function (found) { failed = 0; return found; }, function (why) {
          if (why.said || over()) { throw why; }
          say(form.dataset.cut + (told ? " " + Math.floor(100 * told.got / file.size) + "%" : ""));
          return wait(AGAIN_MS[Math.min(failed++, AGAIN_MS.length - 1)]).then(function () {
            if (over()) { throw why; }
            return told ? held(function () { return ask(form, "GET", to + "/" + told.id); }) : held(act);
          });
        });
      }
      function on(found) {
        told = found;
        if (over()) { return ask(form, "POST", to + "/" + told.id + "/bo").catch(function () {}); }
        if (told.ready) { return done(told, file.name); }
        if (told.got >= file.size) {
          say(form.dataset.look);
          return held(function () { return ask(form, "POST", to + "/" + told.id + "/xong", fields({ crc: crc }), LONG_MS); }).then(on);
        }
        say(form.dataset.going + " " + Math.floor(100 * told.got / file.size) + "%");
        return held(function () { return ask(form, "POST", to + "/" + told.id + "/" + told.got, file.slice(told.got, told.got + told.piece)); }).then(on);
      }
      say(form.dataset.going + " 0%");
      return crc_of(file).then(function (counted) {
        crc = counted;
        return held(function () {
          return ask(form, "POST", to, fields({ kind: field.dataset.kind, name: file.name, size: file.size, mark: file.lastModified + ":" + file.name }));
        });
      }).then(on);
    }
    field.addEventListener("change", function () {
      var file = field.files[0], mine = ++turn;
      field.name = name;
      if (!file) { forget(); say(""); return; }
      form.sending++;
      send(file, mine).catch(function (why) { if (mine === turn) { field.value = ""; say(why.said || form.dataset.lost, true); form.pressed = null; } }).finally(function () {
        form.sending--;
        if (!form.sending && form.pressed) { var button = form.pressed; form.pressed = null; form.requestSubmit(button); }
      });
    });
  });
  document.querySelectorAll("form[data-going]").forEach(function (form) {
    form.addEventListener("submit", function (e) {
      if (!form.sending) { return; }
      e.preventDefault(); touched = true; form.pressed = e.submitter;
      form.querySelectorAll(".up").forEach(function (note) { if (note.textContent && note.textContent.slice(0, 1) !== "✓") { note.textContent += " " + form.dataset.then; } });
    });
  });
  document.querySelectorAll("[data-print]").forEach(function (b) { b.hidden = false; b.addEventListener("click", function () { window.print(); }); });
})();

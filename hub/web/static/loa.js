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
          box.replaceChildren.apply(box, Array.from(parsed.body.childNodes));
        }); }
      }).catch(function () { /* the link is down; the page keeps its own "as of" */ });
    }, 5000);
  });
  document.querySelectorAll("[data-print]").forEach(function (b) { b.hidden = false; b.addEventListener("click", function () { window.print(); }); });
})();

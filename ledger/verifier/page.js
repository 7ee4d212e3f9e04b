// The page itself: a file and root keys in, a verdict out. Whatever a stranger wrote is shown as text only.
"use strict";

const $ = (id) => document.getElementById(id);
const ZONE_S = 25200; // +07:00, no summer time

// An element with attributes and children; strings are text, pairs are both languages.
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat().map((child) => (child instanceof Node ? child : String(child))));
  return made;
}
const both = ([vi, en]) => [el("span", { lang: "vi" }, vi), el("span", { lang: "en" }, en)];
// A stranger's text: without controls and without characters that turn the reading direction.
const plain = (text) => el("bdi", {}, text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd"));
const two = (n) => String(n).padStart(2, "0");

function dateOf(day) {
  const date = new Date(day * 86400000);
  return `${two(date.getUTCDate())}/${two(date.getUTCMonth() + 1)}/${date.getUTCFullYear()}`;
}
function when(ts) {
  const s = Number(ts) + ZONE_S;
  if (!(Math.abs(s) < 8e12)) return `UTC ${ts} s`;
  const rest = ((s % 86400) + 86400) % 86400;
  return `${dateOf(Math.floor(s / 86400))} ${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)} +07`;
}

function rightsOf(classes) {
  const names = Object.keys(RIGHT).filter((name) => has(classes, RIGHT[name]));
  const newer = names.reduce((left, name) => left & ~RIGHT[name], classes);
  const all = [...names.map((name) => RIGHT_WORDS[name]), ...(newer ? [[`+${newer}`, `+${newer}`]] : [])];
  return both([0, 1].map((lang) => all.map((words) => words[lang]).join(", ")));
}

function valueOf(name, value) {
  if (value === null) return "–";
  if (name === "clusters") return shownClusters(value);
  if (isBytes(value)) return el("code", {}, hex(value));
  if (typeof value === "boolean") return both(value ? ["có", "yes"] : ["không", "no"]);
  if (typeof value === "string") return plain(value);
  if (/(^|_)day$/.test(name)) return dateOf(value);
  if (["not_before", "not_after", "expires_at", "old_s", "new_s"].includes(name)) return when(value);
  if (/minute$/.test(name)) return `${two(Math.floor(value / 60))}:${two(value % 60)}`;
  if (name === "classes") return rightsOf(value);
  const unit = { played_ds: 10, jitter_cs: 100, length_s: 1 }[name];
  if (unit) return both([`${String(value / unit).replace(".", ",")} giây`, `${value / unit} s`]);
  const words = { outcome: OUTCOMES, evidence: LEVELS, klass: CLASSES }[name]?.[value];
  return words ? both(words) : String(value);
}

// How many were in each state, and which numbers were not playing.
function shownClusters(vector) {
  let states;
  try { states = clustersOf(vector); } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [el("code", {}, hex(vector)), " ", ...both(["không đọc được", "cannot be read"])];
  }
  const which = (state) => states.flatMap((one, n) => (one === state ? [n + 1] : []));
  const told = [3, 4, 1, 2, 0].filter((state) => state === 3 || which(state).length);
  return told.flatMap((state, n) => [n ? "; " : `${which(3).length}/${states.length} `, ...both(CLUSTERS[state]),
    state === 3 ? "" : `: ${which(state).map((one) => `#${one}`).join(", ")}`]);
}

const row = (name, ...value) => [el("dt", {}, ...(Array.isArray(name) ? both(name) : [name])), el("dd", {}, ...value)];
const card = (title, ...inside) => el("section", { class: "card" }, el("h2", {}, ...both(title)), ...inside);
const named = (label, id) => [plain(label || "?"), " ", el("code", { class: "soft" }, id)];
const rootWord = (id) => [...both(["Khóa gốc", "Root"]), " ", el("code", { class: "soft" }, id)];

const TICK = "M5 13l5 5L20 7", CROSS = "M6 6l12 12M18 6L6 18";
function verdict(kind, path, title, ...text) {
  const drawn = (name) => document.createElementNS("http://www.w3.org/2000/svg", name), svg = drawn("svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(drawn("path"));
  svg.firstChild.setAttribute("d", path);
  return el("section", { class: `card verdict ${kind}` }, svg, el("div", {}, el("strong", {}, ...both(title)), ...text));
}

function shownFinding(found) {
  const { fact, chain, witnesses } = found;
  const known = !fact.malformed;
  const kind = known ? titleOf(fact) : ["Sự kiện không có hiệu lực", "An event without effect"];
  const id = chain.length ? chain.at(-1).subject : found.root;
  const skip = new Set(["type", "kindName", "ts", "bulletin", "prev_head", "prev_log", "subject_pub"]);
  const order = Object.keys(FIELDS), place = (name) => (order.indexOf(name) + 1 || 99);
  const fields = !known ? [] : Object.entries(fact).sort(([a], [b]) => place(a) - place(b))
    .filter(([name, value]) => !skip.has(name) && !(name === "detail" && !value) && !(name === "clusters" && value === null));
  return [
    verdict(known ? "good" : "half", TICK, ["Đúng", "True"], el("p", {}, ...both([
      "Chữ ký và chuỗi cấp quyền đều khớp với khóa gốc bạn đưa vào.",
      "The signature and the chain of grants hold under the root key you entered."]))),
    card(kind, el("dl", {},
      row(["Người ký", "Signed by"], el("span", { class: "big" }, chain.length ? plain(found.label) : both(["Khóa gốc", "Root"])),
        " ", el("code", { class: "soft" }, id)),
      known ? fields.flatMap(([name, value]) => row(FIELDS[name] || name, valueOf(name, value)))
        : row(["Vì sao", "Why"], el("code", {}, fact.malformed)),
      known ? row(["Đồng hồ người ký", "Signer's clock"], when(fact.ts)) : [])),
    card(["Theo quyền nào", "By which right"],
      el("p", {}, ...(found.right === null ? both(["Loại sự kiện này không cần quyền riêng; chuỗi cho biết khóa là của ai.",
        "This type of event needs no right of its own; the chain says whose key it is."])
        : [...rightsOf(found.right), " · ", el("code", {}, found.territory ?? "–")])),
      el("ol", { class: "line" }, el("li", {}, ...rootWord(found.root)), chain.map(shownLink))),
    card(["Có từ khi nào", "Since when"], witnesses.length
      ? el("dl", {}, row(["Chậm nhất", "Existed by"], el("span", { class: "big" }, when(found.existed))),
        witnesses.flatMap((seen) => row(seen.kind === "journal" ? ["Sổ tiếp nhận", "Hub's journal"] : ["Biên nhận", "Hub's receipt"],
          when(seen.at), " · ", ...(seen.chain.length ? named(seen.chain.at(-1).fact.label, seen.hub) : rootWord(seen.hub)))))
      : el("p", {}, ...both(["Không bên thứ ba nào xác nhận thời điểm.", "No third party says when."]))),
    ...(found.endings.length ? [card(["Khóa đã kết thúc; sự kiện này vẫn giữ giá trị", "Keys that ended; this event stays"],
      el("ul", {}, found.endings.map(shownEnding)))] : []),
    el("section", { class: "card open" }, el("h2", {}, ...both(["Tệp này KHÔNG chứng minh", "NOT proven by this file"])),
      el("ul", {}, found.open.map((name) => el("li", {}, ...both(QUESTIONS[name]),
        ...(name === "revoked" ? readSoFar(found.known) : []))))),
    el("details", { class: "card" }, el("summary", {}, ...both(["Chi tiết kỹ thuật", "Technical details"])), el("dl", {},
      row(["Khóa người ký", "Signer's key"], el("code", {}, hex(found.key))),
      row(["Sổ · số", "Log · number"], el("code", {}, `${hex(found.logId)} · ${found.seq}`)),
      row(["Sự kiện", "Event"], el("code", {}, hex(found.event))))),
  ];
}

function shownLink({ subject, fact }) {
  return el("li", {}, el("b", {}, ...named(fact.label, subject)), ...rightsOf(fact.classes),
    el("br"), el("span", { class: "soft" }, el("code", {}, fact.territory), " · ", when(fact.not_before).slice(0, 10), " – ",
      when(fact.not_after).slice(0, 10)));
}

function shownEnding({ key, fact }) {
  const [vi, en] = { 65: ["đổi sang khóa khác", "changed to another key"], 66: ["hủy khóa", "revoked key"],
    67: ["bộ khóa gốc mới", "new root set"] }[fact.type];
  const more = fact.type === 66 ? [" ", el("code", { class: "soft" }, hex(fact.subject)), " · ", plain(fact.reason)] : [];
  return el("li", {}, when(fact.ts), " · ", el("code", { class: "soft" }, key), " ", ...both([vi, en]), ...more);
}

// How far the maker of the file had read a hub's journal.
const readSoFar = (known) => (known ? [" ", ...both(["Người lập tệp đã đọc sổ máy chủ", "Its maker had read the journal of hub"]), " ",
  el("code", { class: "soft" }, known.hub), ...both([" đến số ", " up to number "]), `${known.seq}, ${when(known.at)}.`]
  : [" ", ...both(["Tệp không cho biết người lập đã đọc sổ máy chủ đến đâu.", "It does not say how far its maker had read any hub's journal."])]);

function shownRefusal(error) {
  const words = REFUSALS.find(([start]) => error.code.startsWith(start)).slice(1);
  return [verdict("bad", CROSS, ["Không đúng", "Not true"], el("p", {}, ...both(words)),
    el("p", {}, el("code", {}, error.message)))];
}

function rootsTyped() {
  const keys = $("roots").value.split(/[\s,;]+/).filter(Boolean);
  return keys.length && keys.every((key) => /^[0-9a-f]{64}$/i.test(key)) ? keys.map(unhex) : null;
}

async function run() {
  const complain = (words) => $("error").replaceChildren(...both(words));
  $("error").replaceChildren();
  $("result").replaceChildren();
  const file = $("file").files[0], roots = rootsTyped(), lacking = await missing();
  if (lacking) return complain([`Trình duyệt này thiếu ${lacking}, không kiểm được chữ ký. Hãy dùng Chrome, Edge, Firefox hoặc Safari bản mới.`,
    `This browser lacks ${lacking}. Use a current Chrome, Edge, Firefox or Safari.`]);
  if (!file) return complain(["Hãy chọn tệp bằng chứng.", "Choose the evidence file."]);
  if (!roots) return complain(["Khóa gốc gồm đúng 64 chữ số thập lục phân (0–9, a–f).", "A root key is exactly 64 hexadecimal digits (0–9, a–f)."]);
  let shown;
  try {
    const bytes = new Uint8Array(await file.slice(0, EVIDENCE_BYTES_MAX + 1).arrayBuffer());
    shown = shownFinding(await examine(bytes, roots));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    shown = shownRefusal(error);
  }
  $("result").replaceChildren(...shown);
  $("result").focus({ preventScroll: true });
  $("result").scrollIntoView({ block: "start" });
}

const showChosen = () => $("file").files[0] && $("chosen").replaceChildren(plain($("file").files[0].name));
$("file").addEventListener("change", showChosen);
$("form").addEventListener("submit", (event) => { event.preventDefault(); run(); });
$("language").addEventListener("click", () => {
  const root = document.documentElement;
  root.lang = root.lang === "vi" ? "en" : "vi";
  document.title = root.lang === "vi" ? "Loa · Kiểm chứng bằng chứng" : "Loa · Evidence verifier";
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) { $("file").files = event.dataTransfer.files; showChosen(); }
  });
}

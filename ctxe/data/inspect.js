"use strict";
// The page of one session: point at a request to see its account, click it to read it. Text is only ever text nodes.
const { rows, texts, requests } = JSON.parse(document.getElementById("data").textContent);
const [SECTION, CHUNK, KIND, ASKED, GIVEN, TIER, WHY, TEXT] = rows.length ? [0, 1, 2, 3, 4, 5, 6, 7] : [];
const at = (id) => document.getElementById(id);
const number = (value) => Math.round(value).toLocaleString("en-US");
const percent = (part, whole) => (!whole || !part ? "0%" : part / whole < 0.01 ? "<1%"
  : `${part < whole ? Math.min(99, Math.round((100 * part) / whole)) : Math.round((100 * part) / whole)}%`);
const dollars = (usd) => (usd === null ? "no price" : usd < 0.00005 && usd > 0 ? "<$0.0001" : `$${usd.toFixed(usd < 1 ? 4 : 2)}`);
let chosen = -1;

function make(tag, { text = "", kind = "", ...more } = {}, ...inner) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  for (const [name, value] of Object.entries(more)) made.setAttribute(name, value);
  made.append(...inner);
  return made;
}

// Rows of a request in the order of the wire, parted where the section changes: [[section, [[row, cached]…]]…].
function runs(request) {
  const found = [];
  request.rows.slice(0, request.kept).forEach((place, n) => {
    const row = rows[place];
    if (!found.length || found[found.length - 1][0] !== row[SECTION]) found.push([row[SECTION], []]);
    found[found.length - 1][1].push([row, n < request.held]);
  });
  return found;
}

function sections(request) {
  const found = new Map();
  for (const place of request.rows.slice(0, request.kept)) {
    const row = rows[place], known = found.get(row[SECTION]) || { kind: row[KIND], tokens: 0 };
    known.tokens += row[GIVEN];
    found.set(row[SECTION], known);
  }
  return found;
}

const when = (request) => request.at.slice(11, 19);
const name = (request) => `Request ${request.n} · turn ${request.turn}, step ${request.step}`;

function facts(request) {
  const said = [`${number(request.used)} of ${number(request.usable)} tokens (${percent(request.used, request.usable)})`,
    `${number(request.cached)} held by the cache (${percent(request.cached, request.used)})`];
  if (request.usage) {
    const [input, output, read] = request.usage;
    said.push(`provider counted ${number(input)} in (${percent(read, input)} from its cache), ${number(output)} out`);
  }
  const money = request.usd === null ? "no price known" : `cost ${dollars(request.usd)}`;
  return [said.join(" · "), [money, request.plain ? `${dollars(request.plain)} without a cache` : "", `${request.seconds} s`,
    request.model].filter(Boolean).join(" · ")];
}

function signs(request) {
  const said = [];
  const sizes = request.fold ? ` · ${number(request.fold[0])} → ${number(request.fold[1])} tokens` : "";
  if (request.began) said.push(["fold", `a new epoch: ${request.began}${sizes}`]);
  if (request.broke) said.push(["loud", `cache broken at ${request.broke}`]);
  if (request.missed) said.push(["loud", `cache forgotten: ${request.missed}`]);
  if (!request.reply) said.push(["loud", "no answer came"]);
  return said;
}

function point(event) {
  const request = requests[Number(event.target.dataset.n)], tip = at("tip");
  const box = event.target.ownerSVGElement.getBoundingClientRect();
  const tall = event.target.ownerSVGElement.id === "context";
  const under = tall ? sectionAt(event, request) : "";
  const lines = [...sections(request)].map(([section, { kind, tokens }]) => make("tr", { kind: section === under ? "here" : "" },
    make("td", { kind: `k-${kind}` }, make("i"), section), make("td", { text: number(tokens) }), make("td", { text: percent(tokens, request.used) })));
  tip.replaceChildren(make("b", { text: `${name(request)} · ${when(request)}` }), ...facts(request).map((text) => make("p", { text })),
    ...signs(request).map(([, text]) => make("p", { text })), make("table", {}, ...lines.reverse()));
  tip.hidden = false;
  const left = event.clientX + 16 + tip.offsetWidth > innerWidth ? event.clientX - tip.offsetWidth - 16 : event.clientX + 16;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, Math.min(event.clientY + 12, innerHeight - tip.offsetHeight - 8, box.bottom))}px`;
}

// The section whose area is under the pointer: the one whose outline holds that place.
function sectionAt(event, request) {
  const under = document.elementsFromPoint(event.clientX, event.clientY).find((one) => one.classList.contains("area"));
  return under ? under.querySelector("title").textContent : "";
}

function textOf(row) {
  return row[TEXT] < 0 ? [] : texts[row[TEXT]].map(([who, text]) => make("pre", { text, "data-who": who }));
}

function drawn([row, cached], sought) {
  const state = row[GIVEN] ? (cached ? "cached" : "new") : "left out";
  const count = number(row[GIVEN] || row[ASKED]);
  const tier = row[TIER] === "full" ? "" : ` · ${row[TIER]}`;
  const item = make("details", { kind: row[GIVEN] ? "row" : "row out" }, make("summary", {},
    make("b", { text: row[CHUNK], title: row[CHUNK] }), make("span", { kind: "count", text: count }),
    make("span", { kind: state, text: state }), make("span", { text: row[WHY] + tier, title: row[WHY] })));
  item.addEventListener("toggle", () => {
    if (item.open && item.children.length === 1) { item.append(...textOf(row)); mark(item, sought); }
  });
  item.open = row[TEXT] >= 0 && Boolean(sought || at("whole").checked || (at("fresh").checked && !cached));
  return item;
}

function mark(item, sought) {
  if (!sought) return;
  for (const block of item.querySelectorAll("pre")) {
    const text = block.textContent, parts = [], low = text.toLowerCase();
    let from = 0;
    for (let place = low.indexOf(sought); place >= 0; place = low.indexOf(sought, from)) {
      parts.push(text.slice(from, place), make("mark", { text: text.slice(place, place + sought.length) }));
      from = place + sought.length;
    }
    block.replaceChildren(...parts, text.slice(from));
  }
}

function holds(row, sought) {
  if (!sought) return true;
  const inside = row[TEXT] >= 0 && texts[row[TEXT]].some(([, text]) => text.toLowerCase().includes(sought));
  return inside || `${row[SECTION]} ${row[CHUNK]} ${row[WHY]}`.toLowerCase().includes(sought);
}

function show() {
  const request = requests[chosen], sought = at("find").value.toLowerCase(), fresh = at("fresh").checked;
  at("which").textContent = `${name(request)} · ${when(request)}`;
  at("facts").replaceChildren(...facts(request).map((text) => make("p", { text })),
    ...signs(request).map(([kind, text]) => make("p", { kind, text })), make("p", { kind: "words", text: `› ${request.words}` }));
  const parts = [];
  for (const [section, items] of runs(request)) {
    const shown = items.filter(([row, cached]) => holds(row, sought) && !(fresh && cached));
    if (!shown.length) continue;
    const tokens = items.reduce((sum, [row]) => sum + row[GIVEN], 0);
    parts.push(make("div", { kind: `run k-${items[0][0][KIND]}` }, make("h3", { text: section },
      make("small", { text: `${number(tokens)} tokens, ${percent(tokens, request.used)}` })), ...shown.map((item) => drawn(item, sought))));
  }
  const out = request.rows.slice(request.kept).map((place) => [rows[place], false]).filter(([row]) => holds(row, sought));
  if (out.length) parts.push(make("div", { kind: "run" }, make("h3", { text: "left out" }), ...out.map((item) => drawn(item, ""))));
  const reply = (request.reply || []).map(([who, text]) => make("pre", { text, "data-who": who }));
  if (reply.length && !sought) parts.push(make("div", { kind: "run" }, make("h3", { text: "the reply" }), ...reply));
  at("request").replaceChildren(...(parts.length ? parts : [make("p", { kind: "none", text: "nothing in it matches" })]));
}

function choose(place, scroll = false) {
  if (!requests.length) return;
  chosen = Math.max(0, Math.min(requests.length - 1, place));
  for (const hit of document.querySelectorAll(".hit")) hit.classList.toggle("chosen", Number(hit.dataset.n) === chosen);
  at("back").disabled = chosen === 0;
  at("on").disabled = chosen === requests.length - 1;
  history.replaceState(null, "", `#request-${chosen + 1}`);
  show();
  if (scroll) at("detail").scrollIntoView({ block: "nearest", behavior: "smooth" });
}

// The request that the address names (#request-7), else the last.
function asked() {
  return Number((location.hash.match(/^#request-(\d+)$/) || [])[1] || requests.length) - 1;
}

for (const hit of document.querySelectorAll(".hit")) {
  hit.addEventListener("mousemove", point);
  hit.addEventListener("mouseleave", () => { at("tip").hidden = true; });
  hit.addEventListener("click", () => choose(Number(hit.dataset.n), true));
}
if (requests.length) {
  at("back").addEventListener("click", () => choose(chosen - 1));
  at("on").addEventListener("click", () => choose(chosen + 1));
  at("fresh").addEventListener("change", show);
  at("whole").addEventListener("change", show);
  at("find").addEventListener("input", show);
  document.addEventListener("keydown", (event) => {
    if (event.target.type === "search" || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft") choose(chosen - 1);
    if (event.key === "ArrowRight") choose(chosen + 1);
  });
  addEventListener("hashchange", () => choose(asked()));
  choose(asked());
}

// The episode viewer: two policies in one episode, frame by frame. Nothing is fetched and nothing is stored. `unpack.js`
// and `draw.js` stand before it in one function of the page.

const root = document.getElementById("episode");
const book = JSON.parse(document.getElementById("episode-data").textContent);
const find = (selector) => root.querySelector(selector);
const [picker, slider, player, clock] = ["#pick", "#scrub", "#play", "#clock"].map(find);
const [columns, ledger, reason, status] = ["#columns", "#now tbody", "#reason", "#told"].map(find);
const FRAMES_PER_SECOND = 24;
let shown = null; // the episode on the page: { duel, tracks, panels, price, end }
let frame = 0;
let timer = 0;

// ---- The page's elements.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function plot(parent, track, kind, height, description, draw, gutter = GUTTER) {
  const canvas = element("canvas", { role: "img", "aria-label": description, style: `height:${height}px` });
  const cursor = element("i", { class: "cursor" });
  const later = element("i", { class: "later" });
  const wrap = element("div", { class: `plot ${kind}` }, canvas, later, cursor);
  parent.append(wrap);
  return { track, canvas, cursor, later, draw, gutter };
}

function column(track, side) {
  const titled = (title, note) => element("p", { class: "plot-title" }, element("b", {}, title), " ", note);
  const box = element("article", { class: "column" }, element("h3", {}, element("span", { class: "side" }, side), track.name, " ", element("small", {}, `on ${track.preset}, return ${three(track.total)}`)));
  const panels = [];
  const add = (title, note, ...rest) => {
    box.append(titled(title, note));
    panels.push(plot(box, track, ...rest));
  };
  add("Price, over the book’s depth", "dollars; mark solid, fundamental dashed, ▾ auto-deleveraging", "wide", 230, `Price and depth under ${track.name}`, priceAndDepth);
  add("Who would be liquidated where", "dollars; notional per 1 % of price", "wide", 190, `Liquidation density under ${track.name}`, liquidationMap);
  add("Volume of each decision", "forced below, natural above", "wide", 110, `Forced and natural volume under ${track.name}`, flows);
  add("Insurance fund and bad debt so far", "fund solid, bad debt dashed", "wide", 110, `Insurance fund under ${track.name}`, fund);
  box.append(titled("Parameters", "from lowest to highest value allowed; the line is neutral"));
  const table = element("div", { class: "parameters" });
  const values = book.parameters.map((parameter, place) => {
    table.append(element("span", { title: parameter.meaning }, parameter.name.replaceAll("_", " ")));
    const none = { left: 0, right: 0, top: 0, bottom: 0 };
    const panel = plot(table, track, "spark", 20, `${parameter.name} under ${track.name}`, parameterLine, none);
    Object.assign(panel, { parameter, place });
    panels.push(panel);
    const value = element("output", { title: parameter.unit });
    table.append(value);
    return value;
  });
  box.append(table);
  columns.append(box);
  return { panels, values };
}

const ROWS = [
  ["mark price", (t, k) => `$${grouped(t.mark[k], 0)}`],
  ["mark off fundamental", (t, k) => `${grouped((t.mark[k] / t.fundamental[k] - 1) * 1e4, 0)} bp`],
  ["depth within 1 %", (t, k) => money(t.depth[k])],
  ["forced flow, this decision", (t, k) => money(t.forced[k])],
  ["liquidated so far", (t, k) => money(t.liquidated_total[k])],
  ["bad debt so far", (t, k) => money(t.bad_debt_total[k])],
  ["auto-deleveraged so far", (t, k) => money(t.deleveraged_total[k])],
  ["insurance fund", (t, k) => money(t.fund[k])],
  ["open interest", (t, k) => money(t.open_interest[k])],
  ["initial margin, × neutral", (t, k) => three(t.margin[k])],
];

// ---- State.

const span = (lists, start = [Infinity, -Infinity]) => lists.reduce(([low, high], list) => list.reduce(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [low, high]), start);

async function show(index) {
  stop();
  const duel = book.duels[index];
  const tracks = await Promise.all(duel.tracks.map(unpack));
  const [low, high] = span(tracks.flatMap((track) => [track.mark, track.fundamental]));
  const room = Math.max(0.012 * high, 0.15 * (high - low));
  const [poor, rich] = span(tracks.flatMap((track) => [track.fund, track.bad_debt_total]), [0, 0]);
  const volumes = tracks.map((track) => track.forced.map((value, k) => value + track.natural[k]));
  shown = {
    duel, tracks,
    price: { low: low - room, high: high + room },
    money: { low: poor - 0.06 * (rich - poor), high: rich + 0.06 * (rich - poor) },
    flow: span(volumes, [0, 0])[1],
    end: Math.max(...tracks.map((track) => track.seconds[track.count - 1]), 1),
    longest: tracks.reduce((a, b) => (b.count > a.count ? b : a)),
  };
  columns.replaceChildren();
  shown.columns = tracks.map((track, k) => column(track, "AB"[k]));
  ledger.replaceChildren(...ROWS.map(([name]) => element("tr", {}, element("th", { scope: "row" }, name), element("td"), element("td"))));
  find("#name-a").textContent = tracks[0].name;
  find("#name-b").textContent = tracks[1].name;
  reason.textContent = duel.reason;
  find("#density-cap").textContent = `${three(duel.density_cap)} %`;
  slider.max = shown.longest.count - 1;
  draw();
  seek(Math.min(frame, shown.longest.count - 1));
}

function draw() {
  if (!shown) return;
  for (const { panels } of shown.columns) for (const panel of panels) panel.draw(panel);
  mark();
}

// The last frame of a track at or before a moment: an episode that ended early stays at its end.
function frameAt(track, seconds) {
  let k = Math.min(frame, track.count - 1);
  while (k > 0 && track.seconds[k] > seconds + 1e-3) k--;
  while (k + 1 < track.count && track.seconds[k + 1] <= seconds + 1e-3) k++;
  return k;
}

function seek(to) {
  frame = Math.max(0, Math.min(to, shown.longest.count - 1));
  mark();
}

function mark() {
  const seconds = shown.longest.seconds[frame];
  const places = shown.tracks.map((track) => frameAt(track, seconds));
  slider.value = frame;
  slider.setAttribute("aria-valuetext", `${time(seconds)} of ${time(shown.end)}`);
  clock.textContent = `${time(seconds)} of ${time(shown.end)}, frame ${frame} of ${shown.longest.count - 1}`;
  ROWS.forEach(([, text], row) => {
    places.forEach((place, k) => { ledger.rows[row].cells[k + 1].textContent = text(shown.tracks[k], place); });
  });
  shown.columns.forEach(({ panels, values }, k) => {
    for (const { canvas, cursor, later, gutter } of panels) {
      const width = canvas.clientWidth - gutter.left - gutter.right;
      const x = gutter.left + (seconds / shown.end) * width;
      cursor.style.left = `${x}px`;
      later.style.left = `${x}px`;
      later.style.right = `${gutter.right}px`;
    }
    values.forEach((value, place) => { value.textContent = three(shown.tracks[k].controls[place][places[k]]); });
  });
  root.dataset.frame = frame;
}

function stop() {
  clearInterval(timer);
  timer = 0;
  player.textContent = "Play";
  player.setAttribute("aria-pressed", "false");
}

function toggle() {
  if (timer) { stop(); return announce(); }
  if (frame >= shown.longest.count - 1) seek(0);
  player.textContent = "Pause";
  player.setAttribute("aria-pressed", "true");
  // Twenty seconds for an episode, whatever its length.
  const step = Math.max(1, Math.round(shown.longest.count / (20 * FRAMES_PER_SECOND)));
  timer = setInterval(() => {
    seek(frame + step);
    if (frame >= shown.longest.count - 1) stop();
  }, 1000 / FRAMES_PER_SECOND);
}

function announce() {
  const cells = [...ledger.rows].map((row) => `${row.cells[0].textContent}: ${row.cells[1].textContent} and ${row.cells[2].textContent}`);
  status.textContent = `${clock.textContent}. ${cells.join("; ")}.`;
}

const EVENTS = {
  low: () => argmin(shown.tracks[0].mark),
  liquidation: () => shown.tracks[0].liquidated_total.findIndex((total) => total > 0),
  debt: () => shown.tracks[0].bad_debt_total.findIndex((total) => total > 0),
};
const argmin = (values) => values.indexOf(Math.min(...values));

function fromAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (!wanted.has("frame") && !wanted.has("episode")) return false;
  const episode = Number(wanted.get("episode") || 0);
  frame = Math.max(0, Math.trunc(Number(wanted.get("frame") || 0)) || 0);
  picker.value = String(book.duels[episode] ? episode : 0);
  return true;
}

// ---- Wiring.

book.duels.forEach((duel, index) => picker.append(element("option", { value: index }, `${duel.scenario}${book.several ? `, ${duel.study}` : ""}`)));
picker.addEventListener("change", () => { frame = 0; show(Number(picker.value)); });
slider.addEventListener("input", () => { stop(); seek(Number(slider.value)); });
slider.addEventListener("change", announce);
player.addEventListener("click", toggle);
for (const button of root.querySelectorAll("[data-jump]")) {
  button.addEventListener("click", () => {
    stop();
    const place = EVENTS[button.dataset.jump]();
    if (place >= 0) seek(place);
    announce();
  });
}
root.addEventListener("keydown", (event) => {
  if (!shown || event.target === picker || event.altKey || event.ctrlKey || event.metaKey) return;
  const far = event.shiftKey ? 10 : 1;
  const moves = { ArrowRight: frame + far, ArrowLeft: frame - far, Home: 0, End: shown.longest.count - 1 };
  if (event.key in moves) {
    stop();
    seek(moves[event.key]);
    announce();
  } else if (event.key === " " && event.target.tagName !== "BUTTON") {
    toggle();
  } else {
    return;
  }
  event.preventDefault();
});
const drag = (event) => {
  const canvas = event.target.closest(".plot.wide")?.querySelector("canvas");
  if (!canvas || !shown || (event.type === "pointermove" && event.buttons === 0)) return;
  stop();
  const { left, width } = canvas.getBoundingClientRect();
  const share = (event.clientX - left - GUTTER.left) / (width - GUTTER.left - GUTTER.right);
  const seconds = Math.max(0, Math.min(1, share)) * shown.end;
  frame = shown.longest.count - 1;
  seek(frameAt(shown.longest, seconds));
};
columns.addEventListener("pointerdown", drag);
columns.addEventListener("pointermove", drag);
window.addEventListener("hashchange", () => { if (fromAddress()) show(Number(picker.value)); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
let width = root.clientWidth;
new ResizeObserver(() => { if (root.clientWidth !== width) { width = root.clientWidth; draw(); } }).observe(root);
const addressed = fromAddress();
show(Number(picker.value)).then(() => {
  root.dataset.ready = "true";
  if (addressed) root.scrollIntoView();
});

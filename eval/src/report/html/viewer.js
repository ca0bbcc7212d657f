// The episode viewer: two policies in one episode, frame by frame. Undoes what `recording.rs` packs, draws each panel
// once on a canvas, and moves a cursor over them; nothing is fetched and nothing is stored.
"use strict";
(() => {
  const root = document.getElementById("episode");
  const source = document.getElementById("episode-data");
  if (!root || !source) return;
  const book = JSON.parse(source.textContent);
  const find = (selector) => root.querySelector(selector);
  const [picker, slider, player, clock] = ["#pick", "#scrub", "#play", "#clock"].map(find);
  const [columns, ledger, reason, status] = ["#columns", "#now tbody", "#reason", "#told"].map(find);
  const FRAMES_PER_SECOND = 24;
  let shown = null; // the episode on the page: { duel, tracks, panels, price, end }
  let frame = 0;
  let timer = 0;

  // ---- Unpacking: base 64, deflate, differences, levels.

  async function inflate(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  async function unpack(track) {
    const bytes = await inflate(track.data);
    const count = track.frames;
    let at = 0;
    const wide = track.ranges.map(([low, high]) => {
      const values = new Float64Array(count);
      let level = 0;
      for (let k = 0; k < count; k++) {
        level = (level + bytes[at + k] + 256 * bytes[at + count + k]) & 0xffff;
        values[k] = low + (level / 65535) * (high - low);
      }
      at += 2 * count;
      return values;
    });
    const narrow = (bands) => Array.from({ length: bands }, () => {
      const levels = bytes.slice(at, at + count);
      for (let k = 1; k < count; k++) levels[k] += levels[k - 1];
      at += count;
      return levels;
    });
    const unpacked = { name: track.name, preset: track.preset, total: track.return, count };
    book.channels.forEach((name, k) => { unpacked[name] = wide[k]; });
    unpacked.controls = wide.slice(book.channels.length);
    unpacked.depthBands = narrow(2 * book.depth_bp.length);
    unpacked.densityBands = narrow(2 * book.moves_bp.length);
    for (const name of ["forced", "natural", "deleveraged"]) {
      unpacked[name] = unpacked[`${name}_total`].map((total, k, all) => (k > 0 ? total - all[k - 1] : total));
    }
    return unpacked;
  }

  // ---- Numbers.

  const grouped = (value, digits = 0) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
  function money(value) {
    const size = Math.abs(value);
    const [by, unit] = size >= 1e9 ? [1e9, " bn"] : size >= 1e6 ? [1e6, " m"] : size >= 1e3 ? [1e3, " k"] : [1, ""];
    const scaled = value / by;
    return `$${grouped(scaled, Math.abs(scaled) < 10 && by > 1 ? 2 : Math.abs(scaled) < 100 && by > 1 ? 1 : 0)}${unit}`.replace("$−", "−$");
  }
  function time(seconds) {
    const two = (value) => String(value).padStart(2, "0");
    const whole = Math.round(seconds);
    return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  }
  const three = (value) => (Math.abs(value) >= 100 ? grouped(value) : String(Number(value.toPrecision(3))).replace("-", "−"));

  // ---- Colours, from the style sheet so that light and dark are decided in one place.

  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  function ramp(prefix) {
    const stops = [0, 1, 2].map((k) => parts(colour(`--${prefix}${k}`)));
    return Array.from({ length: 256 }, (_, level) => {
      const place = (level / 255) * 2;
      const [from, to] = place < 1 ? [stops[0], stops[1]] : [stops[1], stops[2]];
      const share = place < 1 ? place : place - 1;
      return from.map((part, k) => Math.round(part + share * (to[k] - part)));
    });
  }

  // ---- Drawing. A plot is a canvas with a gutter for the axis on its left and one for time below.

  const GUTTER = { left: 56, right: 8, top: 8, bottom: 18 };

  function prepare(panel) {
    const { canvas } = panel;
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `11px ${getComputedStyle(root).fontFamily}`;
    const inner = { left: GUTTER.left, top: GUTTER.top, right: width - GUTTER.right, bottom: height - GUTTER.bottom };
    return { pen, ...inner, x: (seconds) => inner.left + (seconds / shown.end) * (inner.right - inner.left) };
  }

  function ticks(low, high, count) {
    const raw = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= raw * 0.999);
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) found.push(value);
    return found;
  }

  function timeAxis(area) {
    const { pen } = area;
    const hours = shown.end / 3600;
    const steps = [60, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
    const step = steps.find((candidate) => shown.end / candidate <= 6) || 86400 * Math.ceil(hours / 24 / 6);
    pen.fillStyle = colour("--muted");
    pen.textBaseline = "top";
    for (let seconds = 0; seconds <= shown.end; seconds += step) {
      const x = area.x(seconds);
      pen.textAlign = seconds === 0 ? "left" : x > area.right - 14 ? "right" : "center";
      pen.fillText(time(seconds).replace(/:00$/, ""), x, area.bottom + 5);
    }
  }

  function valueAxis(area, low, high, text, lines = true) {
    const { pen } = area;
    const y = (value) => area.bottom - ((value - low) / (high - low)) * (area.bottom - area.top);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const value of ticks(low, high, Math.max(2, (area.bottom - area.top) / 45))) {
      pen.fillStyle = colour("--muted");
      pen.fillText(text(value), area.left - 6, y(value));
      if (lines) {
        pen.fillStyle = colour("--rule");
        pen.fillRect(area.left, Math.round(y(value)), area.right - area.left, 1);
      }
    }
    return y;
  }

  function curve(area, track, values, y, { stroke, width = 1.5, dash = [], halo = false }) {
    const { pen } = area;
    pen.save();
    pen.beginPath();
    values.forEach((value, k) => pen[k ? "lineTo" : "moveTo"](area.x(track.seconds[k]), y(value)));
    pen.lineJoin = "round";
    if (halo) {
      pen.strokeStyle = colour("--bg");
      pen.globalAlpha = 0.75;
      pen.lineWidth = width + 2.5;
      pen.stroke();
      pen.globalAlpha = 1;
    }
    pen.strokeStyle = stroke;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.stroke();
    pen.restore();
  }

  // One column of pixels for each frame, one row for each step of price. `centre` is what distances are measured from.
  function heat(area, track, { bands, edges, centre, colours }) {
    const rows = 180;
    const { low, high } = shown.price;
    const image = new ImageData(track.count, rows);
    for (let k = 0; k < track.count; k++) {
      for (let row = 0; row < rows; row++) {
        const price = high - ((row + 0.5) / rows) * (high - low);
        const distance = (price / centre[k] - 1) * 1e4;
        const edge = edges.findIndex((bound) => Math.abs(distance) <= bound);
        const band = edge < 0 ? null : bands[edge + (distance > 0 ? edges.length : 0)];
        const [red, green, blue] = colours[band ? band[k] : 0];
        image.data.set([red, green, blue, 255], 4 * (row * track.count + k));
      }
    }
    const sheet = new OffscreenCanvas(track.count, rows);
    sheet.getContext("2d").putImageData(image, 0, 0);
    area.pen.imageSmoothingEnabled = false;
    const right = area.x(track.seconds[track.count - 1]);
    area.pen.drawImage(sheet, area.left, area.top, right - area.left, area.bottom - area.top);
  }

  function priceAndDepth(panel) {
    const { track } = panel;
    const area = prepare(panel);
    heat(area, track, { bands: track.depthBands, edges: book.depth_bp, centre: track.mid, colours: ramp("depth") });
    const y = valueAxis(area, shown.price.low, shown.price.high, (value) => grouped(value), false);
    curve(area, track, track.fundamental, y, { stroke: colour("--fundamental"), width: 1.5, dash: [5, 3], halo: true });
    curve(area, track, track.mark, y, { stroke: colour("--ink"), width: 1.6, halo: true });
    area.pen.fillStyle = colour("--adl");
    track.deleveraged.forEach((amount, k) => {
      if (amount <= 0) return;
      const x = area.x(track.seconds[k]);
      area.pen.beginPath();
      area.pen.moveTo(x - 3.5, area.top);
      area.pen.lineTo(x + 3.5, area.top);
      area.pen.lineTo(x, area.top + 8);
      area.pen.fill();
    });
    timeAxis(area);
  }

  function liquidationMap(panel) {
    const { track } = panel;
    const area = prepare(panel);
    heat(area, track, { bands: track.densityBands, edges: book.moves_bp, centre: track.mark, colours: ramp("liq") });
    const y = valueAxis(area, shown.price.low, shown.price.high, (value) => grouped(value), false);
    curve(area, track, track.mark, y, { stroke: colour("--ink"), width: 1.6, halo: true });
    timeAxis(area);
  }

  function flows(panel) {
    const { track } = panel;
    const area = prepare(panel);
    const y = valueAxis(area, 0, shown.flow || 1, money);
    const width = Math.max(1, (area.right - area.left) / track.count);
    const bars = (values, from, fill) => {
      area.pen.fillStyle = fill;
      values.forEach((value, k) => {
        const base = from ? from[k] : 0;
        area.pen.fillRect(area.x(track.seconds[k]) - width, y(base + value), width, y(base) - y(base + value));
      });
    };
    bars(track.forced, null, colour("--forced"));
    bars(track.natural, track.forced, colour("--natural"));
    timeAxis(area);
  }

  function fund(panel) {
    const { track } = panel;
    const area = prepare(panel);
    const { low, high } = shown.money;
    const y = valueAxis(area, low, high > low ? high : low + 1, money);
    curve(area, track, track.bad_debt_total, y, { stroke: colour("--forced"), dash: [5, 3] });
    curve(area, track, track.fund, y, { stroke: colour("--s0"), width: 1.8 });
    timeAxis(area);
  }

  // Position of a value within its parameter's bounds, from zero to one.
  function within(parameter, value) {
    const { low, high, log } = parameter;
    return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  }

  function parameterLine(panel) {
    const { track, parameter, canvas } = panel;
    const area = prepare(panel);
    Object.assign(area, { left: 0, right: canvas.clientWidth, top: 2, bottom: canvas.clientHeight - 2 });
    area.x = (seconds) => (seconds / shown.end) * area.right;
    const y = (share) => area.bottom - share * (area.bottom - area.top);
    area.pen.fillStyle = colour("--rule");
    area.pen.fillRect(0, Math.round(y(within(parameter, parameter.neutral))), area.right, 1);
    const shares = track.controls[panel.place].map((value) => within(parameter, value));
    curve(area, track, shares, y, { stroke: colour("--ink"), width: 1.2 });
  }

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
})();

// The viewer's panels: each is drawn once on a canvas; a cursor of its own element moves over it.

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
  for (const value of ticks(low, high, Math.max(2, (area.bottom - area.top) / 34))) {
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

// What `recording.rs` packs, unpacked: base 64, deflate, differences, levels; and how numbers are printed.

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
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative" }).replace("-", "−");
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

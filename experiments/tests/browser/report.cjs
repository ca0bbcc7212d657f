// The page of `seawall report` in a real browser: node report.cjs PAGE.html [FOLDER for screenshots].
// Needs playwright-core on NODE_PATH and a Chromium, /usr/bin/chromium or what CHROMIUM names.
"use strict";
const assert = require("node:assert/strict");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");

const [file, shots] = process.argv.slice(2);
const address = pathToFileURL(path.resolve(file)).href;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
let checks = 0;
const is = (found, expected, what) => { assert.deepEqual(found, expected, what); checks += 1; };
const holds = (condition, what) => { assert.ok(condition, what); checks += 1; };

async function open(browser, width, colorScheme, fragment = "") {
  const context = await browser.newContext({ viewport: { width, height: 850 }, colorScheme });
  const page = await context.newPage();
  const heard = [];
  page.on("console", (message) => heard.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => heard.push(`error: ${error.message}`));
  page.on("request", (request) => { if (!/^(file|data|blob):/.test(request.url())) heard.push(`request: ${request.url()}`); });
  await page.goto(address + fragment);
  await page.waitForSelector("#episode[data-ready=true]", { timeout: 30_000 });
  return { page, heard, close: () => context.close() };
}

const frame = (page) => page.$eval("#episode", (section) => Number(section.dataset.frame));
const moment = (page) => page.$eval("#now", (table) => table.innerText);
const cursor = (page) => page.$eval(".plot.wide .cursor", (line) => line.getBoundingClientRect().left);
// A digest of what stands on a canvas, and how many colours it has.
const painted = (page, place) => page.evaluate((at) => {
  const canvas = document.querySelectorAll(".plot.wide canvas")[at];
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  let digest = 0;
  for (let k = 0; k < data.length; k += 4) {
    const colour = (data[k] << 16) | (data[k + 1] << 8) | data[k + 2];
    colours.add(colour);
    digest = (Math.imul(digest, 31) + colour) | 0;
  }
  return { digest, colours: colours.size };
}, place);

// Waits until the first plot shows something else, however busy the machine is; returns the new digest.
async function repainted(page, before, what) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { digest } = await painted(page, 0);
    if (digest !== before) { checks += 1; return digest; }
    await page.evaluate(() => new Promise((next) => requestAnimationFrame(next)));
  }
  return assert.fail(what);
}

async function looks(browser) {
  const backgrounds = new Set();
  for (const width of [1280, 390]) {
    for (const scheme of ["light", "dark"]) {
      const { page, heard, close } = await open(browser, width, scheme);
      const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      holds(wide <= room, `${width} ${scheme}: the page is ${wide} wide`);
      backgrounds.add(await page.$eval("body", (body) => getComputedStyle(body).backgroundColor));
      if (shots) await page.screenshot({ path: path.join(shots, `report-${width}-${scheme}.png`), fullPage: true });
      is(heard, [], `${width} ${scheme}: console and network`);
      await close();
    }
  }
  is(backgrounds.size, 2, "light and dark differ");
}

async function names(page) {
  const nameless = await page.evaluate(() => {
    const named = (node) => node.getAttribute("aria-label") || node.closest("label")?.innerText || node.innerText;
    return [...document.querySelectorAll("button, select, input, canvas, svg")].filter((node) => !named(node)).map((node) => node.outerHTML.slice(0, 80));
  });
  is(nameless, [], "everything to see or to use has a name");
}

async function scrubbing(page) {
  is(await frame(page), 3, "the address says which frame");
  const [before, at] = [await moment(page), await cursor(page)];
  const last = Number(await page.$eval("#scrub", (slider) => slider.max));
  holds(last > 5, `${last} frames`);
  await page.focus("#scrub");
  await page.keyboard.press("End");
  is(await frame(page), last, "End");
  holds((await moment(page)) !== before, "scrubbing changes what is said");
  holds((await cursor(page)) > at, "scrubbing moves the cursor");
  await page.keyboard.press("Home");
  is(await frame(page), 0, "Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  is(await frame(page), 1, "arrows");
  holds(await page.$eval("#scrub", (slider) => slider.matches(":focus-visible") && getComputedStyle(slider).outlineStyle !== "none"), "focus is visible");
  await page.focus("#episode");
  await page.keyboard.press("Shift+ArrowRight");
  is(await frame(page), Math.min(11, last), "ten frames at once");
  await page.keyboard.press("Home");
  await page.keyboard.press("Space");
  await page.waitForFunction(() => Number(document.getElementById("episode").dataset.frame) > 1, null, { timeout: 10_000 });
  checks += 1;
  // A short episode may have played to its end by now, and then has stopped by itself.
  if ((await page.getAttribute("#play", "aria-pressed")) === "true") await page.keyboard.press("Space");
  await page.waitForFunction(() => document.getElementById("play").getAttribute("aria-pressed") === "false", null, { timeout: 10_000 });
  checks += 1;
  const plot = await page.$(".plot.wide canvas");
  const box = await plot.boundingBox();
  await plot.click({ position: { x: box.width - 10, y: box.height / 2 } });
  // A busy machine may take a moment to handle the click.
  await page.waitForFunction((least) => Number(document.getElementById("episode").dataset.frame) >= least, Math.floor(0.95 * last), { timeout: 10_000 });
  checks += 1;
}

async function pictures(page) {
  for (const place of [0, 1, 2, 3]) {
    const { colours } = await painted(page, place);
    holds(colours > 3, `plot ${place} has ${colours} colours`);
  }
  const [before, reason] = [(await painted(page, 0)).digest, await page.innerText("#reason")];
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await repainted(page, before, "the plots follow light and dark");
  await page.selectOption("#pick", "1");
  await page.waitForFunction((old) => document.getElementById("reason").innerText !== old, reason, { timeout: 10_000 });
  await repainted(page, dark, "another episode, another picture");
}

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: FLAGS });
  try {
    await looks(browser);
    const { page, heard } = await open(browser, 1280, "light", "#frame=3");
    await names(page);
    await scrubbing(page);
    await pictures(page);
    is(heard, [], "console and network");
    console.log(`${checks} checks of the page passed`);
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});

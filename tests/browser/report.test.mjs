// SPDX-License-Identifier: Apache-2.0
// The reports as a reader meets them: light, dark, printed, with a keyboard, with a screen reader's eyes (axe-core),
// and with names that an attacker chose. Screenshots lie beside the pages, for people to look at.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const pages = process.env.AUDITSHIFT_PAGES;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const reports = readdirSync(pages).filter((name) => name.endsWith(".html"));
let browser;

// Opens a report; what the browser complains about and everything it asks for is kept.
async function open(name, scheme = "light") {
  const page = await browser.newPage();
  const seen = { console: [], requests: [] };
  page.on("console", (message) => seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.console.push(String(error)));
  page.on("dialog", (dialog) => {
    seen.console.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => seen.requests.push(request.url()));
  await page.setViewport({ width: 1200, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(pathToFileURL(path.join(pages, name)).href);
  return { page, seen };
}

async function violations(page) {
  await page.evaluate(axeSource);
  const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`);
}

before(async () => {
  browser = await puppeteer.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
});
after(() => browser.close());

test("there are reports to look at", () => assert.ok(reports.length > 5, reports.join()));

for (const name of reports) {
  describe(name, () => {
    for (const scheme of ["light", "dark"]) {
      test(`is quiet, asks for nothing and is accessible in ${scheme}`, async () => {
        const { page, seen } = await open(name, scheme);
        await page.screenshot({ path: path.join(pages, `${name}.${scheme}.png`), fullPage: true });
        assert.deepEqual(seen.requests, [page.url()]);
        assert.deepEqual(await violations(page), []);
        assert.deepEqual(seen.console, []);
        await page.close();
      });
    }
    test("says the verdict first, and prints whole", async () => {
      const { page } = await open(name);
      const top = await page.evaluate(() => document.querySelector(".verdict").getBoundingClientRect().top);
      assert.ok(top < 300, `the verdict begins at ${top}`);
      await page.emulateMediaType("print");
      const hidden = await page.evaluate(() =>
        // A fleet's hosts are a line each on paper.
        [...document.querySelectorAll("article, tbody tr, details > :not(summary), .hosts > li")].filter(
          (element) => !element.closest(".hosts details"),
        ).filter(
          (element) => element.getClientRects().length === 0 || !element.checkVisibility({ contentVisibilityAuto: true }),
        ).length,
      );
      assert.equal(hidden, 0, "elements that paper would not show");
      await page.screenshot({ path: path.join(pages, `${name}.print.png`), fullPage: true });
      await page.close();
    });
  });
}

test("the rule filters work without a script, by keyboard", async () => {
  const { page } = await open("rhel-8-immutable-cis.html");
  const visible = () =>
    page.evaluate(() => {
      const rows = [...document.querySelectorAll(".rules tbody tr")];
      const shown = rows.filter((row) => row.getClientRects().length > 0);
      return { all: rows.length, shown: shown.map((row) => row.className.split(" ")[0]) };
    });
  const first = await visible();
  assert.equal(first.shown.length, first.all);
  await page.focus("#show-all");
  await page.keyboard.press("ArrowRight");
  const defender = await visible();
  assert.ok(defender.shown.length > 0 && defender.shown.length < first.all);
  assert.deepEqual([...new Set(defender.shown)], ["o-defender"]);
  await page.focus("#show-all");
  await page.keyboard.press("Space");
  assert.equal((await visible()).shown.length, first.all);
  assert.equal(await page.evaluate(() => document.scripts.length), 0);
  await page.close();
});

test("the hosts of a fleet can be filtered and opened without a script", async () => {
  const { page } = await open("fleet.html");
  const shown = () =>
    page.evaluate(() => {
      const all = [...document.querySelectorAll(".hosts > li")];
      return { all: all.length, classes: all.filter((li) => li.getClientRects().length > 0).map((li) => li.className) };
    });
  const first = await shown();
  assert.equal(first.all, 61);
  assert.equal(first.classes.length, first.all);
  await page.focus("#v-ready");
  await page.keyboard.press("ArrowRight");
  const waiting = await shown();
  assert.ok(waiting.classes.length > 0 && waiting.classes.length < first.all);
  assert.ok(waiting.classes.every((name) => name.startsWith("v-ready-after-reboot")));
  await page.focus("#v-all");
  await page.keyboard.press("Space");
  await page.focus(".hosts summary");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.querySelector(".hosts details").open), true);
  await page.evaluate(() => document.querySelector(".hosts").scrollIntoView());
  await page.screenshot({ path: path.join(pages, "fleet.html.open.png") });
  assert.equal(await page.evaluate(() => document.scripts.length), 0);
  await page.close();
});

test("a fleet's report shows names as text and finds its hosts", async () => {
  const { page, seen } = await open("fleet.html");
  const found = await page.evaluate(() => ({
    strangers: document.querySelectorAll("script, img, iframe, u, body b, [onerror], [style]").length,
    text: document.body.textContent,
    dead: [...document.querySelectorAll('a[href^="#"]')].filter((a) => !document.getElementById(a.hash.slice(1))).length,
    bars: document.querySelectorAll("#time ~ figure svg rect").length,
  }));
  assert.equal(found.strangers, 0);
  assert.equal(found.dead, 0);
  assert.ok(found.bars > 5, `${found.bars} parts of columns`);
  for (const name of ["<img src=x onerror=alert(4)>", "</span><script>document.title=1", "<b>cut.json", "<u>missing</u>"])
    assert.ok(found.text.includes(name), name);
  assert.deepEqual(seen.console, []);
  await page.close();
});

test("names from the host stay names", async () => {
  const { page, seen } = await open("hostile.html");
  const found = await page.evaluate(() => ({
    title: document.title,
    heading: document.querySelector("h1").textContent,
    strangers: document.querySelectorAll("script, img, iframe, object, embed, link, [onload], [onerror], [style]").length,
    text: document.body.textContent,
  }));
  assert.equal(found.strangers, 0);
  assert.ok(found.title.startsWith("<img src=x onerror=alert(1)>"), found.title);
  assert.ok(found.heading.includes("<script>document.title="), found.heading);
  for (const name of ["/srv/<script>document.title=", "<svg/onload=alert(2)>", "</td></table><img/src=x/onerror=alert(3)>"])
    assert.ok(found.text.includes(name), name);
  assert.deepEqual(seen.console, []);
  await page.close();
});

test("the policy stops what the escaping would miss", async () => {
  const { page } = await open("hostile.html");
  const result = await page.evaluate(async () => {
    const refused = [];
    document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "window.owned = true";
    document.body.append(script);
    const image = document.createElement("img");
    image.src = "http://192.0.2.1/x.png";
    document.body.append(image);
    document.body.setAttribute("style", "color: red");
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { ran: window.owned === true, refused: refused.sort() };
  });
  assert.deepEqual(result, { ran: false, refused: ["img-src", "script-src-elem", "style-src-attr"] });
  await page.close();
});

test("a comparison shows what was missed, and names as text", async () => {
  const { page, seen } = await open("comparison-missed.html");
  const found = await page.evaluate(() => ({
    title: document.title,
    verdict: document.querySelector(".verdict").textContent,
    rows: [...document.querySelectorAll("tbody tr")].length,
    strangers: document.querySelectorAll("script, img, iframe, svg[onload], b, i, [onload], [onerror], [style]").length,
    text: document.body.textContent,
  }));
  assert.ok(found.title.startsWith("<img src=x onerror=alert(1)>"), found.title);
  assert.match(found.verdict, /missed/);
  assert.equal(found.rows >= 2, true, `${found.rows} rules`);
  assert.equal(found.strangers, 0);
  for (const name of ["<script>document.title=", "/bin/<script>alert(2)</script>", "</code><svg/onload=alert(3)>", "<i>note</i>", "an exclusion keeps it back"])
    assert.ok(found.text.includes(name), name);
  assert.deepEqual(seen.console, []);
  const good = await open("comparison-nothing-lost.html");
  assert.match(await good.page.evaluate(() => document.querySelector(".verdict").textContent), /told every one/);
  await good.page.close();
  await page.close();
});

// The pages in Debian's Chromium: what a helpdesk agent does, with and without JavaScript, at both widths and in both themes.
//
// usage: node check_pages.mjs MODULES PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR
//
// Exit status 77: there is no browser, or no driver. Screenshots are kept in SCRATCH_DIR/screenshots.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [modules, program, builder, source, scratch] = process.argv.slice(2).map((p) => path.resolve(p));
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => fs.existsSync(p));
let playwright, axe;
try {
  const require = createRequire(modules + "/");
  playwright = require("playwright-core");
  axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
} catch (reason) {
  console.log("skipped: " + reason.message.split("\n")[0]);
  process.exit(77);
}
if (!chromium) {
  console.log("skipped: Chromium is not installed");
  process.exit(77);
}

const WIDTHS = [360, 1440], THEMES = ["light", "dark"];
const shots = path.join(scratch, "screenshots");
fs.rmSync(scratch, { recursive: true, force: true });
fs.mkdirSync(shots, { recursive: true });

function sample(recipe, name = recipe + ".dmp") {
  const file = path.join(scratch, name);
  execFileSync(builder, [path.join(source, "samples/recipes", recipe + ".recipe"), file]);
  return file;
}

// A dump of another moment: a crash of its own.
function moved(file, name, hours, serial = 0n) {
  const data = fs.readFileSync(file);
  data.writeBigUInt64LE(133658244000000000n + BigInt(Math.round(hours * 36000000000)) + serial, 0xfa8);
  const to = path.join(scratch, name);
  fs.writeFileSync(to, data);
  return to;
}

async function start() {
  const server = spawn(program, ["serve", "--db", path.join(scratch, "store.db"), "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise((resolve, reject) => {
    server.stdout.once("data", (data) => resolve(String(data)));
    server.once("exit", (code) => reject(new Error("the server ended with " + code)));
  });
  return { server, url: line.match(/http:\S+?(?=\/\s)/)[0] };
}

const { server, url } = await start();
const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"] });
let failed = 0, passed = 0;

async function test(name, options, run) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const outside = [], problems = [];
  page.on("request", (request) => { if (!request.url().startsWith(url) && !request.url().startsWith("data:")) outside.push(request.url()); });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") problems.push(message.text()); });
  try {
    await run(page, context);
    assert.deepEqual(outside, [], "a page asked another server");
    assert.deepEqual(problems, [], "the browser complained");
    passed++;
    console.log("ok      " + name);
  } catch (error) {
    failed++;
    console.log("FAILED  " + name + "\n" + error.stack);
    await page.screenshot({ path: path.join(shots, "failed-" + failed + ".png"), fullPage: true }).catch(() => {});
  }
  await context.close();
}

async function upload(page, files, fields = {}) {
  await page.goto(url + "/");
  await page.setInputFiles("#files", files);
  for (const [name, value] of Object.entries(fields)) await page.fill(`[name=${name}]`, value);
  await page.click("#send");
}

const crowdstrike = sample("csagent-50"), zeros = path.join(scratch, "zeros.dmp"), nic = sample("nic-d1");
fs.writeFileSync(zeros, Buffer.alloc(300000));

await test("an upload of the CSAgent sample ends on a page whose first line names the incident", {}, async (page) => {
  await upload(page, crowdstrike, { host: "PC-0007", ticket: "INC0012345", note: "did not boot" });
  await page.waitForURL(/\/crashes\/[0-9a-f]{32}$/);
  const first = (await page.innerText("main")).trim().split("\n")[0];
  assert.match(first, /CrowdStrike Falcon sensor, Channel File 291/);
  assert.match(await page.innerText("main"), /confidence 98 of 100[\s\S]*What to do[\s\S]*Who else has it[\s\S]*Evidence[\s\S]*Stack/i);
  // ticks stay, local times are a hover away, the ticket is in the clipboard
  await page.check("[name=step-0]");
  await page.reload();
  assert.equal(await page.isChecked("[name=step-0]"), true);
  assert.ok(await page.getAttribute("time", "title"));
  const ticket = await page.inputValue("#copy-ticket");
  assert.match(ticket, /^Short description: pc-0007: /);
  assert.ok(ticket.split("\n")[0].length <= "Short description: ".length + 160);
  await page.click("article button[data-copy=copy-ticket]");
  await page.waitForSelector("text=Copied");
});

await test("the same without JavaScript", { javaScriptEnabled: false }, async (page) => {
  await upload(page, moved(crowdstrike, "again.dmp", 1));
  await page.waitForURL(/\/crashes\/[0-9a-f]{32}$/);
  assert.match((await page.innerText("main")).trim().split("\n")[0], /CrowdStrike/);
  assert.equal(await page.locator("button[data-copy]").first().isVisible(), false);
  await page.goto(url + "/crashes");
  await page.fill("[name=module]", "csagent.sys");
  await page.click("form[role=search] button");
  assert.ok((await page.locator("table.list tbody tr").count()) >= 1);
});

await test("a zip of twenty", {}, async (page) => {
  const names = Array.from({ length: 20 }, (_, i) => path.basename(moved(crowdstrike, `f${i}.dmp`, 0.04 * i, BigInt(i))));
  execFileSync("python3", ["-c", "import zipfile,sys\nwith zipfile.ZipFile(sys.argv[1],'w') as z:\n for i,n in enumerate(sys.argv[2:]): z.write(n, f'pc-{i:04d}/MEMORY.DMP')",
    "PC-0042_20240719.zip", ...names], { cwd: scratch });
  await upload(page, path.join(scratch, "PC-0042_20240719.zip"));
  await page.waitForURL(/\/uploads\//);
  await page.waitForSelector("h1:text-is('Analysed')");
  assert.equal(await page.locator("table.list tbody tr").count(), 20);
  // the way to a verdict looks like a link: it is the name of the file
  assert.match(await page.innerText("table.list tbody a >> nth=3"), /^PC-0042_20240719\.zip!\/pc-\d{4}\/MEMORY\.DMP$/);
  await page.click("table.list tbody a >> nth=3");
  assert.match(await page.innerText("h1"), /CrowdStrike/);
});

await test("several files at once, dropped onto the page", {}, async (page) => {
  await page.goto(url + "/");
  const data = await page.evaluateHandle(([a, b]) => {
    const transfer = new DataTransfer();
    for (const [name, text] of [a, b]) transfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
    return transfer;
  }, [["nic.dmp", fs.readFileSync(nic).toString("base64")], ["zeros.dmp", Buffer.alloc(1000).toString("base64")]]);
  await page.dispatchEvent("#drop", "drop", { dataTransfer: data });
  await page.waitForSelector("h1:text-is('Analysed')");
  assert.equal(await page.locator("table.list tbody tr").count(), 2);
});

await test("an all-zero file gets a page that says so", {}, async (page) => {
  await upload(page, zeros);
  await page.waitForURL(/\/crashes\//);
  assert.match(await page.innerText("h1"), /zero/i);
  assert.match(await page.innerText("main"), /unreadable/);
});

await test("an outbreak: forty hosts in two hours", {}, async (page) => {
  for (let i = 0; i < 40; i++) {
    const form = new FormData();
    form.set("host", "ward-" + String(i).padStart(3, "0"));
    form.set("file", new Blob([fs.readFileSync(moved(crowdstrike, "x.dmp", 4.2 + i / 20, BigInt(1000 + i)))]), "MEMORY.DMP");
    assert.equal((await fetch(url + "/api/v1/dumps?wait=20", { method: "POST", body: form })).status, 200);
  }
  await page.goto(url + "/");
  assert.match(await page.innerText(".alarm"), /CrowdStrike/);
  await page.click(".alarm a");
  assert.match(await page.innerText("main"), /outbreak/);
  assert.ok((await page.locator("svg rect.burst").count()) === 1 && (await page.locator("svg rect.crashes").count()) > 2);
  // the chart as a table has the same numbers
  await page.click("text=The chart as a table");
  const cells = await page.locator("figure + details tbody tr td:nth-child(2)").allInnerTexts();
  const seen = (await page.innerText("dl.facts")).match(/; (\d+) crash/)[1];
  assert.equal(cells.reduce((sum, text) => sum + Number(text), 0), Number(seen));
});

await test("the fleet over time, with its outbreak marked", {}, async (page) => {
  await page.goto(url + "/incidents");
  assert.match(await page.innerText("figcaption"), /Crashes by hour/);
  assert.match(await page.locator("svg rect.burst title").first().textContent(), /CrowdStrike/);
  await page.selectOption("[name=span]", "all");
  await page.click("form.filter button");
  await page.waitForURL(/span=all/);
  assert.equal(await page.inputValue("[name=span]"), "all");
  const counted = async () => {
    const cells = await page.locator("figure + details tbody tr td:nth-child(2)").allTextContents();
    return cells.reduce((sum, text) => sum + Number(text), 0);
  };
  const everything = await counted();
  await page.goto(url + "/incidents?span=2d");
  assert.ok((await counted()) <= everything && (await counted()) > 0);
});

await test("by keyboard alone", {}, async (page) => {
  await page.goto(url + "/");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  const reached = new Set();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.name || document.activeElement.id || document.activeElement.textContent));
  }
  for (const name of ["Incidents", "Crashes", "file", "host", "ticket", "note", "send"]) assert.ok(reached.has(name), name + " cannot be reached");
  await page.goto(url + "/crashes");
  await page.focus("[name=text]");
  await page.keyboard.type("csagent");
  await page.keyboard.press("Enter");
  await page.waitForURL(/text=csagent/);
  await page.focus("table.list tbody a");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/crashes\/[0-9a-f]{32}/);
  await page.focus("[name=step-1]");
  await page.keyboard.press("Space");
  assert.equal(await page.isChecked("[name=step-1]"), true);
});

const crash = (await (await fetch(url + "/api/v1/crashes?class=known-incident&limit=1")).json()).items[0].id;
const unreadable = (await (await fetch(url + "/api/v1/crashes?class=unreadable&limit=1")).json()).items[0].id;
const driver = (await (await fetch(url + "/api/v1/crashes?class=driver&limit=1")).json()).items[0].id;
const incident = (await (await fetch(url + "/api/v1/incidents?kind=signature")).json()).items[0].id;
const pages = { upload: "/", crash: "/crashes/" + crash, driver: "/crashes/" + driver, unreadable: "/crashes/" + unreadable, crashes: "/crashes", incidents: "/incidents",
  incident: "/incidents/" + incident, signatures: "/signatures", "not-found": "/crashes/" + "0".repeat(32) };

await test("narrow and wide, nothing is torn", {}, async (page) => {
  const box = (locator) => locator.first().boundingBox();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(url + "/crashes");
  // a verdict is as wide as its word
  assert.ok((await box(page.locator("table.list .chip"))).width < (await box(page.locator("table.list td"))).width / 2);
  await page.goto(url + "/crashes/" + crash);
  const copy = await box(page.locator(".actions button")), more = await box(page.locator(".actions a"));
  assert.ok(more.y > copy.y + copy.height || more.x > copy.x + copy.width, "the buttons touch");
  // the name of a stop code breaks behind its underscores
  assert.ok((await page.locator("h1 wbr").count()) >= 3);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(url + "/crashes");
  const lines = await page.locator("table.list td[data-label=Host]").evaluateAll((cells) => cells.map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return new Set(Array.from(range.getClientRects(), (rect) => rect.top)).size;
  }));
  assert.ok(lines.length > 5 && lines.every((n) => n === 1), "names of computers are broken: " + lines);
});

for (const width of WIDTHS)
  for (const theme of THEMES)
    for (const [name, address] of Object.entries(pages))
      await test(`${name} at ${width} px, ${theme}: fits, and axe-core finds nothing serious`,
        { viewport: { width, height: 900 }, colorScheme: theme, bypassCSP: true }, async (page, context) => {
          page.removeAllListeners("console"); // the page that says 404 is one
          await page.goto(url + address);
          await page.screenshot({ path: path.join(shots, `${name}-${width}-${theme}.png`), fullPage: true });
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(wide <= width, `the page is ${wide} px wide`);
          for (const details of await page.locator("details").all()) await details.evaluate((d) => { d.open = true; });
          await page.evaluate(axe);
          const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
          const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
          assert.deepEqual(serious.map((v) => v.id + ": " + v.nodes.map((n) => n.html + " " + n.failureSummary).slice(0, 3).join(" | ")), []);
        });

await browser.close();
const ended = new Promise((resolve) => server.once("exit", resolve));
server.kill("SIGTERM");
const status = await ended;
if (status !== 0) {
  failed++;
  console.log("FAILED  the server ended with " + status);
}
console.log(`${passed} passed, ${failed} failed; screenshots in ${shots}`);
process.exit(failed ? 1 : 0);

// The web UI of a program in a real browser: each page, a reload, a drain, in light and dark, by desk and by phone.
// HEMI_SCREENSHOTS=1 writes the pictures of packages/procman/README.md, in four minutes.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi, type TestContext } from "vitest";
import { launchChromium } from "../src/chromium.ts";
import { findPeer, peer } from "../src/peers.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const patiently = { timeout: 120_000 };
const pages = ["stage", "workers", "backends", "requests", "config", "log"] as const;
const folderOfPictures = fileURLToPath(new URL("../../procman/docs/", import.meta.url));
const main = fileURLToPath(new URL("../../procman/src/main.ts", import.meta.url));
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

const config = (greeting: string, nodes: readonly string[]) => `stage {
    http1Backend "api" { .nodes = (${nodes.map((node) => `["address": "${node}"]`).join(", ")}) }
    localStater "sessions" { .onDown = "refuse" }
    memCacher "pages" { .maxSize = 8M }
    webapp "shop" {
        .hostnames = ("*")
        rule "greeting" $path == "/" { .returnText = "${greeting}" }
        rule "api" $path ^= "/api/" { httpProxy { .toBackend = "api" } }
        rule "broken" $path == "/broken" { .returnText = "no" .returnCode = 500 }
        rule "<img src=x onerror=alert(1)>" $path == "/markup" { .returnText = "harmless" }
    }
    webapp "admin" {
        .hostnames = ("admin.example")
        rule "private" { basicAuth { .users = ["ann": "$apr1$abcdefgh$bw9gEObk10asetVLiysIZ0"] } static { .webRoot = "." } }
    }
    httpxServer "main" { .webapps = ("shop", "admin") .address = "127.0.0.1:0" }
}
`;

interface Program extends AsyncDisposable {
  readonly folder: string;
  readonly link: string;
  readonly url: string;
}

let program: Program;
let nodes: Awaited<ReturnType<typeof startNode>>[];
let browser: Browser | undefined;
let context: BrowserContext;
let complaints: string[] = [];

async function startNode(answer: string) {
  const server = createServer((_req, res) => setTimeout(() => res.end(answer), 3)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return { address: `127.0.0.1:${address.port}`, close: () => server.close().closeAllConnections() };
}

async function startProgram(): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), "hemi-web-ui-"));
  await writeFile(
    join(folder, "hemi.conf"),
    config(
      "one",
      nodes.map(({ address }) => address),
    ),
  );
  const args = ["--conditions=@hemi/source", main, "serve", "--workers", "2", "--webui", "127.0.0.1:0"];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "close");
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  while (!said.includes("shows itself on")) await Promise.race([once(child.stderr, "data"), ended]);
  const [, url = ""] = /listens on (127\.0\.0\.1:\d+)/.exec(said) ?? [];
  const asked = spawnSync(process.execPath, ["--conditions=@hemi/source", main, "webui"], { cwd: folder });
  return {
    folder,
    link: asked.stdout.toString().trim(),
    url: `http://${url}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

beforeAll(async () => {
  const executablePath = findPeer("chromium");
  if (executablePath === undefined) return;
  nodes = await Promise.all(["first", "second"].map(startNode));
  [program, browser] = await Promise.all([startProgram(), launchChromium(executablePath)]);
});

afterAll(async () => {
  if (browser === undefined) return;
  await browser.close();
  await program[Symbol.asyncDispose]();
  for (const node of nodes) node.close();
});

beforeEach(async (test) => {
  context = await needBrowser(test).newContext({ viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(patiently.timeout);
  complaints = [];
});

afterEach(async () => {
  await context.close();
});

function needBrowser(test: TestContext): Browser {
  peer("chromium", test);
  if (browser === undefined) throw new Error("the browser was not started");
  return browser;
}

/** A tab with a session that shows a page. */
async function open(name = "stage"): Promise<Page> {
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => complaints.push(`markup ran: ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(program.link).origin)) complaints.push(`asked ${request.url()}`);
  });
  await page.goto(program.link);
  await page.getByText("Live ·").waitFor();
  await show(page, name);
  return page;
}

async function show(page: Page, name: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${name}`)}`);
  await page.locator("main h1").waitFor();
}

/** Some requests, of which one in five is an error. */
async function traffic(count: number): Promise<void> {
  const paths = ["/", "/api/a", "/api/b?c=d", "/markup", "/broken"];
  for (let i = 0; i < count; i++) await fetch(program.url + paths[i % paths.length]).then((answer) => answer.text());
}

/** The faults that axe-core finds, by these rules or by all: see https://dequeuniversity.com/rules/axe. */
async function faultsOf(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  const options = rules === undefined ? {} : { runOnly: rules };
  return await page.evaluate(`axe.run(${JSON.stringify(options)}).then(({ violations }) => violations.map(({ id, nodes }) =>
    id + ": " + nodes.map(({ html, failureSummary }) => html + " " + failureSummary).join("; ")))`);
}

test("the link signs in, and its token does not stay in the address", async () => {
  const page = await open();
  expect(page.url()).not.toContain("token");
  expect(await page.title()).toBe("Stage · hemi");
  const other = await context.browser()?.newContext();
  other?.setDefaultTimeout(patiently.timeout);
  const stranger = await other?.newPage();
  await stranger?.goto(new URL(program.link).origin);
  await stranger?.getByRole("heading", { name: "Sign in" }).waitFor();
  await stranger?.getByLabel("Link or token").fill("wrong");
  await stranger?.getByRole("button", { name: "Sign in" }).click();
  await stranger?.getByText("does not know this token").waitFor();
  await stranger?.getByLabel("Link or token").fill(program.link);
  await stranger?.getByRole("button", { name: "Sign in" }).click();
  await stranger?.getByText("Live ·").waitFor();
  await other?.close();
  expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
});

test("the picture shows what each box does, and a box opens its components down to their props", async () => {
  const page = await open();
  await traffic(30);
  await page.locator('[data-box="webapps"]', { hasText: "req/s" }).waitFor();
  await page.getByText("responses per second are errors").waitFor();
  await page.locator('[data-box="rules"]').click();
  await page.getByRole("link", { name: "webapp.shop/rule.api", exact: true }).click();
  await page.getByRole("heading", { name: "webapp.shop/rule.api" }).waitFor();
  await page
    .getByRole("link", { name: /^hemi\.conf:\d+:\d+$/ })
    .first()
    .click();
  await page.locator(".marked", { hasText: 'rule "api"' }).waitFor();
  await show(page, "stage/rules");
  await page.getByLabel("Filter").fill("basicAuth");
  await page.getByText("1–1 of 1 component").waitFor();
  await page.getByRole("link", { name: /basicAuth/ }).click();
  await page.locator("td", { hasText: "•••" }).waitFor();
  expect(await page.textContent("body")).not.toContain("$apr1$");
  expect(complaints).toEqual([]);
});

test("names with markup in them are shown as text, on every page", async () => {
  const page = await open("stage/rules");
  await page.getByRole("link", { name: "webapp.shop/rule.<img src=x onerror=alert(1)>" }).click();
  await page.getByRole("heading", { name: "<img src=x onerror=alert(1)>" }).waitFor();
  expect(await page.locator("main img").count()).toBe(0);
  await fetch(`${program.url}/markup?<script>alert(2)</script>`);
  await show(page, "config");
  await page.getByLabel("Text", { exact: true }).fill('stage { webapp "<script>alert(3)</script>" { .none = 1 } }');
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.locator(".mistake", { hasText: "<script>alert(3)</script>" }).first().waitFor();
  expect(await page.locator("main script").count()).toBe(0);
  expect(complaints).toEqual([]);
});

test("a worker is replaced after a question, and the log says who did it", async () => {
  const page = await open("workers");
  const pids = async (): Promise<readonly string[]> => await page.locator("tbody th .small").allTextContents();
  await expect.poll(pids, patiently).toHaveLength(2);
  const before = await pids();
  await page.getByRole("button", { name: "Replace 1 …" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Replace 1 …" }).click();
  await page.getByRole("button", { name: "Replace", exact: true }).click();
  await page.locator("dialog").waitFor({ state: "hidden" });
  await expect.poll(pids, patiently).not.toContain(before[1]);
  await show(page, "log");
  await page.locator("td", { hasText: 'rework {"slot":1}' }).waitFor();
  await page.getByText("was told to act").first().waitFor();
  await page.getByLabel("Filter").fill("nothing has this text");
  await page.getByText("0 lines of").waitFor();
  expect(complaints).toEqual([]);
});

test("a reload shows its plan before, and a mistake in its place", async () => {
  const page = await open("config");
  const file = join(program.folder, "hemi.conf");
  const addresses = nodes.map(({ address }) => address);
  await writeFile(file, config("two", addresses).replace(".maxSize", ".maxSiz"));
  await page.getByRole("button", { name: "Reload …" }).click();
  await page.locator("dialog .mistake", { hasText: "did you mean .maxSize?" }).waitFor();
  await page.getByRole("button", { name: "Reload", exact: true }).click();
  await page.locator("dialog [role=alert]", { hasText: "hemi.conf:4:" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await writeFile(file, config("two", addresses));
  await page.getByRole("button", { name: "Check the file on the disk" }).click();
  await page.getByText(/components? would change/).waitFor();
  await page.getByRole("button", { name: "Reload …" }).click();
  await page.locator("dialog .plan", { hasText: "rule.greeting" }).waitFor();
  await page.getByRole("button", { name: "Reload", exact: true }).click();
  await page.getByText("follows the new configuration").waitFor();
  expect(await (await fetch(program.url)).text()).toBe("two");
  await page.locator(".source", { hasText: '.returnText = "two"' }).waitFor();
  expect(complaints.filter((text) => !text.includes("422"))).toEqual([]);
});

test("a node is drained and taken back, and the request that was sent is shown with its story", async () => {
  const page = await open("backends");
  const [first] = nodes;
  const row = page.locator("tr", { hasText: first?.address ?? "none" });
  await row.getByText("up", { exact: true }).waitFor();
  await row.getByRole("button", { name: "Drain" }).click();
  await page.locator("dialog").getByRole("button", { name: "Drain", exact: true }).click();
  await row.getByText("drained", { exact: true }).waitFor();
  expect(await (await fetch(`${program.url}/api/a`)).text()).toBe("second");
  await row.getByRole("button", { name: "back" }).click();
  await page.locator("dialog").getByRole("button", { name: "Take back" }).click();
  await row.getByText("up", { exact: true }).waitFor();
  await show(page, "requests");
  await page.getByText("Waiting for requests").waitFor();
  await page.getByLabel("Status").fill("5xx");
  await page.getByRole("button", { name: "Apply" }).click();
  const seen = page.getByRole("button", { name: "/broken" });
  await expect
    .poll(async () => {
      await traffic(5);
      return await seen.count();
    }, patiently)
    .toBeGreaterThan(0);
  expect(await page.getByRole("button", { name: "/api/a" }).count()).toBe(0);
  await seen.first().click();
  await page.getByText("not traced").waitFor();
  expect(complaints.filter((text) => !text.includes("422"))).toEqual([]);
});

test("a typed request is explained", async () => {
  const page = await open("requests");
  await page.getByLabel("URL").fill(`${program.url}/api/x`);
  await page.getByRole("button", { name: "Explain" }).click();
  const walk = page.locator(".walk", { hasText: "rule.api" });
  await walk.waitFor();
  expect(await walk.textContent()).toContain("listens there");
});

test("the first view takes less than 150 KB", async () => {
  const page = await context.newPage();
  let bytes = 0;
  page.on("response", (response) => {
    if (response.url().endsWith("/api/events")) return;
    // What still comes when the page is closed is not of the first view.
    void response.body().then(
      (body) => (bytes += body.length),
      () => {},
    );
  });
  await page.goto(program.link);
  await page.getByText("Live ·").waitFor();
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(150_000);
});

/** By desk and by phone. */
const devices = [
  { device: "desk", width: 1280, height: 900 },
  { device: "phone", width: 390, height: 844 },
] as const;

test.for(devices)(
  "axe-core finds no fault on any page, by $device, light and dark",
  async ({ width, height }, test) => {
    await context.close();
    context = await needBrowser(test).newContext({ viewport: { width, height }, bypassCSP: true });
    context.setDefaultTimeout(patiently.timeout);
    const page = await open();
    await page.addScriptTag({ path: axe });
    await traffic(20);
    for (const name of [...pages, "stage/rules", "component/webapp.shop"]) {
      await show(page, name);
      await page.emulateMedia({ colorScheme: "light" });
      expect(await faultsOf(page), `${name}, light`).toEqual([]);
      // Nothing is wider than the screen, so that nobody has to move the page sideways.
      expect(await page.evaluate("document.documentElement.scrollWidth"), name).toBeLessThanOrEqual(width);
      // The dark page is the same one in other colours.
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await faultsOf(page, ["color-contrast", "link-in-text-block"]), `${name}, dark`).toEqual([]);
    }
    expect(complaints).toEqual([]);
  },
);

/** Those of packages/procman/README.md: page, look, device. */
const pictures = [
  ["stage", "light", "desk"],
  ["stage", "dark", "desk"],
  ["workers", "light", "desk"],
  ["backends", "dark", "desk"],
  ["config", "light", "desk"],
  ["requests", "dark", "desk"],
  ["stage", "light", "phone"],
  ["log", "dark", "phone"],
] as const;

test.runIf(process.env["HEMI_SCREENSHOTS"] === "1")("pictures", { timeout: 900_000 }, async (test) => {
  const isOver = new AbortController();
  const load = steadyTraffic(isOver.signal);
  await new Promise((resolve) => setTimeout(resolve, 3 * 120_000));
  for (const [name, colorScheme, device] of pictures) {
    await context.close();
    const { width, height } = devices.find((one) => one.device === device) ?? devices[0];
    // The charts stand below the picture of the stage.
    const viewport = { width, height: name === "stage" && device === "desk" ? 1120 : height };
    context = await needBrowser(test).newContext({ viewport, colorScheme });
    context.setDefaultTimeout(patiently.timeout);
    const page = await open(name);
    // Some beats of the figures.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await page.screenshot({ path: join(folderOfPictures, `${name}-${colorScheme}-${device}.png`) });
  }
  isOver.abort();
  await load;
});

/** Some requests a second, more and fewer in turn, of which few are errors. */
async function steadyTraffic(signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const path = i % 97 === 0 ? "/broken" : i % 3 === 0 ? "/api/orders?page=2" : "/";
    await fetch(program.url + path).then((answer) => answer.text());
    await new Promise((resolve) => setTimeout(resolve, 15 + 12 * Math.sin(i / 900)));
  }
}

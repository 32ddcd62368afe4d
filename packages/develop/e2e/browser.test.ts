// A real browser visits the examples: what it shows is what was served, and it has nothing to complain of.

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, type TestContext } from "vitest";
import { launchChromium } from "../src/chromium.ts";
import { findPeer, peer } from "../src/peers.ts";
import { serveExamples, serveSecurely, type ExampleSites } from "./example-sites.ts";
import { serveTwoBackends } from "./two-backends-site.ts";

let sites: ExampleSites;
let browser: Browser | undefined;
let context: BrowserContext;
/** What the console, the pages' scripts and the network had to say. */
let complaints: string[] = [];

beforeAll(async () => {
  const executablePath = findPeer("chromium");
  sites = await serveExamples();
  if (executablePath !== undefined) browser = await launchChromium(executablePath);
});

afterAll(async () => {
  await browser?.close();
  await sites[Symbol.asyncDispose]();
});

beforeEach(async (test) => {
  context = await needBrowser(test).newContext({ ignoreHTTPSErrors: true });
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

/** A tab that shows a page of an example, given as `host/path`. */
async function open(address: string): Promise<Page> {
  const [, host = "", path = ""] = /^([^/]+)(.*)$/.exec(address) ?? [];
  return await visit(`http://127.0.0.1:${sites.ports.get(host)}${path}`);
}

async function visit(url: string): Promise<Page> {
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => {
    // The browser's own doing: an event stream or a prefetch that ends with its page.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") complaints.push(`${request.url()} failed`);
  });
  const answer = await page.goto(url);
  expect(answer?.ok()).toBe(true);
  return page;
}

test("the welcome page has its style, and its links lead on", async () => {
  const page = await open("welcome.example/");
  expect(await page.title()).toBe("Hemi is running");
  expect(await page.evaluate("document.styleSheets.length")).toBeGreaterThan(0);
  await page.click('a[href="/greet?name=Ada"]');
  expect(await page.textContent("body")).toBe("Good to see you, Ada.");
  await page.goBack();
  await page.click('a[href="/api/users/7"]');
  expect(await page.textContent("body")).toContain('"User 7"');
  expect(complaints).toEqual([]);
});

test("the static site shows its app on every path, and what can be downloaded", async () => {
  const page = await open("static-site.example/");
  await page.waitForSelector("h1");
  await page.click('a[href="/about/this/site"]');
  await page.getByText("You are at /about/this/site.").waitFor();
  await page.reload();
  await page.getByText("You are at /about/this/site.").waitFor();
  await page.click('a[href="/downloads"]');
  await page.getByText("notes.txt").waitFor();
  expect(complaints).toEqual([]);
});

test("a listing can be walked down to a file, whose name is not in ASCII, and up again", async () => {
  const page = await open("static-site.example/files");
  expect(new URL(page.url()).pathname).toBe("/files/");
  await page.getByRole("link", { name: "2026" }).click();
  await page.getByRole("link", { name: "visits.csv", exact: true }).waitFor();
  await page.getByRole("link", { name: ".." }).click();
  await page.getByRole("link", { name: "grüße.txt", exact: true }).click();
  expect(decodeURI(new URL(page.url()).pathname)).toBe("/files/grüße.txt");
  expect(complaints).toEqual([]);
});

test("a script that is kept is not asked for again when the page is opened again", async () => {
  const page = await open("static-site.example/");
  await page.waitForSelector("h1");
  await page.goto(page.url());
  await page.waitForSelector("h1");
  const bytes = `performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js")).map((entry) => entry.transferSize)`;
  expect(await page.evaluate(bytes)).toEqual([0]);
});

test("two tabs of the app follow one list, and one of them changes it", async () => {
  const [first, second] = await Promise.all([open("typescript-app.example/"), open("typescript-app.example/")]);
  await first.fill('input[name="text"]', "look at both");
  await first.click("button");
  await second.getByText("look at both (somebody)").click();
  await first.locator("li.done").waitFor();
  await first.fill('input[name="text"]', " ");
  await first.click("button");
  await first.getByText('"text" is a text of 1 to 200 characters').waitFor();
  // The refusal is on the console: browsers tell of each 4xx.
  expect(complaints).toEqual([expect.stringContaining("422")]);
});

test("a form is sent with a file, whose name is not in ASCII", async () => {
  const page = await open("upload-form.example/");
  await page.fill('input[name="title"]', "Beach & sea");
  await page.check('input[value="sea"]');
  const file = { name: "grüße.txt", mimeType: "text/plain", buffer: Buffer.alloc(200_000, "a") };
  await page.setInputFiles('input[type="file"]', file);
  await Promise.all([page.waitForURL("**/photos"), page.click("button")]);
  expect(JSON.parse((await page.textContent("body")) ?? "")).toMatchObject({
    title: "Beach & sea",
    tags: ["sea"],
    encoding: "multipart/form-data",
    files: [{ fileName: "grüße.txt", mediaType: "text/plain", size: 200_000 }],
  });
});

test("two tabs talk through a proxy of WebSockets", async () => {
  await using site = await serveTwoBackends();
  const [ada, bob] = await Promise.all([1, 2].map(() => visit(`${site.url}/`)));
  await ada?.getByText("2 here").waitFor();
  await ada?.fill('input[name="text"]', "hello");
  await ada?.click("button");
  await bob?.getByText(/^guest [12]: hello$/).waitFor();
  expect(complaints).toEqual([]);
  await ada?.close();
  await bob?.getByText("1 here").waitFor();
  await bob?.close();
});

test("a site is shown over HTTPS", async (test) => {
  await using site = await serveSecurely(peer("openssl", test));
  const page = await visit(`https://localhost:${site.port}/about/this/site`);
  await page.getByText("You are at /about/this/site.").waitFor();
  expect(await page.evaluate("isSecureContext")).toBe(true);
  expect(await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")).toBe("h2");
  expect(complaints).toEqual([]);
  await page.close();
});

test.each(["hono-inside.example/", "express-inside.example/hello.txt"])("%s is shown", async (address) => {
  const page = await open(address);
  expect((await page.textContent("body"))?.length).toBeGreaterThan(10);
  expect(complaints).toEqual([]);
});

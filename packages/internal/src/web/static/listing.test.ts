// Folders that show what is in them.

import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtempDisposable, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openErrorLog } from "../../log/error-log.ts";
import { askOf, notMine } from "../../testing/ask.ts";
import { ListingResponses } from "./listing-answers.ts";
import { listingPage } from "./listing-forms.ts";
import { readListing } from "./listing.ts";
import { makeSite, type SiteOptions } from "../../testing/static-site.ts";
import { WebRoot } from "./web-root.ts";

const files = {
  "web/b.txt": "12345",
  "web/a10.txt": "x",
  "web/a9.txt": "x".repeat(2000),
  "web/zoo/x.txt": "x",
  "web/docs/index.html": "docs",
  "web/.hidden": "secret",
  "web/.git/config": "secret",
};

function makeOpenSite(options: SiteOptions = {}) {
  return makeSite({ files, ...options, props: { listing: "html", ...options.props } });
}

/** The JSON form, of entries only what a test asks for. */
async function listed(site: Awaited<ReturnType<typeof makeOpenSite>>, url: string) {
  const answer = await site.get(url, { accept: "application/json" });
  return JSON.parse(answer.text) as { path: string; isComplete: boolean; entries: { name: string }[] };
}

async function namesIn(site: Awaited<ReturnType<typeof makeOpenSite>>, url: string): Promise<readonly string[]> {
  return (await listed(site, url)).entries.map(({ name }) => name);
}

/** A file system in memory, which keeps times that JavaScript has no date for; those on disks mostly do not. */
const memory = "/dev/shm";

test.skipIf(!existsSync(memory))(
  "a file whose time is beyond all dates does not take the listing from the others",
  async () => {
    await using folder = await mkdtempDisposable(join(memory, "hemi-listing-"));
    for (const [name, seconds] of [
      ["early", "-1e14"],
      ["late", "1e14"],
      ["right", "0"],
    ] as const) {
      await writeFile(join(folder.path, name), "x");
      // Texts: a number below 0 would be taken for now.
      await utimes(join(folder.path, name), seconds, seconds);
    }
    expect((await stat(join(folder.path, "late"))).mtime.getTime()).toBeNaN();
    const listing = await readListing(folder.path, { maxEntries: 10, contains: () => true });
    expect(listing.entries.map(({ modified }) => modified.toISOString())).toEqual([
      "0000-01-01T00:00:00.000Z",
      "9999-12-31T23:59:59.999Z",
      "1970-01-01T00:00:00.000Z",
    ]);
    expect(listingPage("/", listing)).toContain("9999-12-31 23:59");
  },
);

describe("a folder without an index", () => {
  test("is a page of links, folders first, numbers in names by their value", async () => {
    await using site = await makeOpenSite();
    const answer = await site.get("/");
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      vary: "Accept",
    });
    const links = [...answer.text.matchAll(/href="([^"]*)"/g)].map(([, link]) => link);
    expect(links).toEqual(["./docs/", "./zoo/", "./a9.txt", "./a10.txt", "./b.txt"]);
    expect(answer.text).toContain('<data value="2000">2.0 KiB</data>');
    expect(answer.text).toContain('<data value="5">5 B</data>');
    expect(answer.text).toContain('<time datetime="2026-01-02T03:04:05.000Z">2026-01-02 03:04</time>');
    expect(answer.text).toContain("<title>/</title>");
    expect(answer.text).not.toContain("../");
    expect((await site.get("/zoo/")).text).toContain('href="../"');
  });

  test("is JSON for those who ask for it", async () => {
    await using site = await makeOpenSite({ files: { "web/zoo/a/b.txt": "x", "web/zoo/a.txt": "hello" } });
    const answer = await site.get("/zoo/", { accept: "application/json" });
    expect(answer.headers).toMatchObject({ "content-type": "application/json", vary: "Accept" });
    const modified = "2026-01-02T03:04:05.000Z";
    expect(JSON.parse(answer.text)).toEqual({
      path: "/zoo/",
      isComplete: true,
      entries: [
        { name: "a", type: "directory", modified: expect.stringMatching(/^20.*Z$/) },
        { name: "a.txt", type: "file", size: 5, modified },
      ],
    });
  });

  test.each([
    [undefined, "text/html"],
    ["text/html,application/xhtml+xml,*/*;q=0.8", "text/html"],
    ["*/*", "text/html"],
    ["application/json", "application/json"],
    ["application/json, text/plain, */*", "application/json"],
    ["application/json, text/html", "text/html"],
    ["application/json, text/html;q=0.9", "application/json"],
    ["application/json;q=0, */*", "text/html"],
    ["image/png", "text/html"],
  ])("answers those who accept %j with %s", async (accept, type) => {
    await using site = await makeOpenSite();
    const answer = await site.get("/", accept === undefined ? {} : { accept });
    expect(String(answer.headers["content-type"])).toContain(type);
  });

  test("is asked about by its entity tag, which changes as it does", async () => {
    await using site = await makeOpenSite();
    const etag = String((await site.get("/")).headers["etag"]);
    expect((await site.get("/", { "if-none-match": etag })).status).toBe(304);
    await site.write("web/new.txt", "x");
    expect((await site.get("/", { "if-none-match": etag })).status).toBe(304);
    site.later();
    expect(await site.get("/", { "if-none-match": etag })).toMatchObject({ status: 200 });
    expect(await namesIn(site, "/")).toContain("new.txt");
  });

  test("that is empty says so", async () => {
    await using site = await makeOpenSite();
    await mkdir(join(site.dir, "web/empty"));
    expect((await site.get("/empty/")).text).toContain("Nothing is here");
    expect(await namesIn(site, "/empty/")).toEqual([]);
  });

  test("is HEAD without content, 405 for other methods, and redirected to without its slash", async () => {
    await using site = await makeOpenSite();
    expect(await site.ask({ method: "HEAD", url: "/" })).toMatchObject({ status: 200, text: "" });
    expect((await site.ask({ method: "POST", url: "/" })).status).toBe(405);
    expect(await site.get("/zoo?x")).toMatchObject({ status: 301, headers: { location: "/zoo/?x" } });
    expect((await site.ask({ method: "DELETE", url: "/zoo" })).status).toBe(405);
  });

  test("lists so many entries and no more, and says that there are", async () => {
    await using site = await makeOpenSite({ props: { maxListed: 2 } });
    expect(await listed(site, "/")).toMatchObject({ isComplete: false, entries: [{}, {}] });
    expect((await site.get("/")).text).toContain("There is more");
    site.props.maxListed = 5;
    site.part.update?.(new Set(["maxListed"]));
    expect((await listed(site, "/")).isComplete).toBe(true);
  });
});

test("a folder with an index is answered with it, and nothing is listed unless that is wanted", async () => {
  await using site = await makeOpenSite();
  expect((await site.get("/docs/")).text).toBe("docs");
  await using shut = await makeSite({ files });
  for (const url of ["/", "/zoo", "/zoo/"]) expect((await shut.get(url)).text).toBe(notMine);
});

test("names of all sorts are escaped, and lead to their files", async () => {
  const names = [
    `<script>alert(1)</script>`.replace("/", "∕"),
    `"quotes" & 'more'`,
    "ä ö%20+?#.txt",
    "javascript:alert(1)",
    "a;b=c,d",
    "\u202egnp.exe",
    "line\nbreak",
    "日本語",
    "…",
  ];
  await using site = await makeOpenSite({ files: Object.fromEntries(names.map((name) => [`web/x/${name}`, name])) });
  const page = (await site.get("/x/")).text;
  expect(page).not.toContain("<script");
  const links = [...page.matchAll(/href="\.\/([^"]*)"/g)].map(([, link]) => link ?? "");
  expect(links.join("")).not.toContain("&");
  const texts = await Promise.all(links.map(async (link) => (await site.get(`/x/${link}`)).text));
  expect(texts.toSorted()).toEqual(names.toSorted());
  expect((await namesIn(site, "/x/")).toSorted()).toEqual(names.toSorted());
  await site.write(`web/<i>&"/x`, "");
  const heading = (await site.get("/%3Ci%3E&%22/")).text;
  expect(heading).toContain("<title>/&#60;i&#62;&#38;&#34;/</title>");
});

test("what no request can reach is not shown: dots, backslashes, pipes, links that lead outside or nowhere", async () => {
  await using site = await makeOpenSite({ files: { "web/x/seen.txt": "x", "web/x/a\\b": "x", "web/x/.env": "x" } });
  const x = join(site.dir, "web/x");
  // Other systems refuse to make such a file.
  const notUTF8 = Buffer.concat([Buffer.from(`${x}/bad`), Buffer.from([0xff])]);
  if (process.platform === "linux") await writeFile(notUTF8, "x");
  await writeFile(join(site.dir, "outside.txt"), "secret");
  await mkdir(join(site.dir, "website"));
  await symlink("../../outside.txt", join(x, "out"));
  await symlink("../../website", join(x, "out-folder"));
  await symlink("nowhere", join(x, "nowhere"));
  await symlink("loop", join(x, "loop"));
  await symlink("seen.txt", join(x, "link.txt"));
  await symlink("../x", join(x, "link"));
  expect(await namesIn(site, "/x/")).toEqual(["link", "link.txt", "seen.txt"]);
});

test("a folder outside of the root is not listed, however it is reached", async () => {
  await using site = await makeOpenSite({ files: { "website/secret.txt": "x", "web/a.txt": "x" } });
  await symlink("../website", join(site.dir, "web/out"));
  for (const url of ["/out", "/out/", "/a.txt/", "/none/", "/none"]) {
    expect(await site.get(url)).toMatchObject({ status: 404, text: notMine });
  }
  for (const url of ["/.git/", "/.git", "/%2e./"]) expect((await site.get(url)).text).not.toContain("secret");
});

test("a folder that goes while it is known is not there", async () => {
  await using site = await makeOpenSite();
  await site.get("/zoo");
  await rm(join(site.dir, "web/zoo"), { recursive: true });
  expect(await site.get("/zoo/")).toMatchObject({ status: 404, text: notMine });
  await writeFile(join(site.dir, "web/zoo"), "a file by now");
  site.later();
  expect((await site.get("/zoo")).text).toBe("a file by now");
});

test("the root itself may go, and come back", async () => {
  await using site = await makeOpenSite();
  await rm(join(site.dir, "web"), { recursive: true });
  expect((await site.get("/")).text).toBe(notMine);
  expect((await site.get("/b.txt")).text).toBe(notMine);
  await site.write("web/again.txt", "x");
  site.later();
  expect(await namesIn(site, "/")).toEqual(["again.txt"]);
});

test.skipIf(process.getuid?.() === 0)(
  "a folder that may not be read gives 403 (skipped for root, who may read all)",
  async () => {
    await using site = await makeOpenSite();
    await chmod(join(site.dir, "web/zoo"), 0o100);
    expect((await site.get("/zoo/")).status).toBe(403);
    await chmod(join(site.dir, "web/zoo"), 0o700);
  },
);

test("a folder that the system cannot read gives 503, and is tried again", async () => {
  await using site = await makeOpenSite();
  const root = new WebRoot(site.props.webRoot, openErrorLog({ sink: site.sink }));
  await root.prepare(site.fcache);
  const listings = new ListingResponses(root, 10);
  const realPath = join(site.props.webRoot, "x".repeat(300));
  const folder = { kind: "directory", path: realPath, realPath, mtimeMs: 0 } as const;
  const ask = askOf((req, resp) => listings.answer(req, resp, folder));
  for (const _time of ["first", "again"]) expect((await ask({ url: "/" })).status).toBe(503);
});

test("a folder is read once, whoever asks in its interval", async () => {
  await using site = await makeOpenSite();
  await Promise.all([site.get("/zoo/"), site.get("/zoo/", { accept: "application/json" })]);
  await site.write("web/zoo/y.txt", "y");
  expect(await namesIn(site, "/zoo/")).toEqual(["x.txt"]);
});

test("readListing rejects where there is no folder", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-listing-"));
  const limits = { maxEntries: 10, contains: () => true };
  await expect(readListing(join(folder.path, "none"), limits)).rejects.toMatchObject({ code: "ENOENT" });
  await writeFile(join(folder.path, "file"), "");
  await expect(readListing(join(folder.path, "file"), limits)).rejects.toMatchObject({ code: "ENOTDIR" });
});

// Which files a path stands for, and what is answered where there is none.

import { expect, test } from "vitest";
import { notMine } from "../../testing/ask.ts";
import { makeSite } from "../../testing/static-site.ts";

const files = {
  "web/index.html": "home",
  "web/about.html": "about",
  "web/about/index.html": "the folder",
  "web/docs/index.htm": "docs",
  "web/shop/index.php": "<?php secret",
  "web/both/index.php": "<?php secret",
  "web/both/index.html": "both",
  "web/a.css": "a",
  "web.html": "outside",
};
const refused = { status: 404, text: "404 Not Found\n" };

test.each(["/none", "/none/", "/none.php", "/a.css/", "/about", "/a%2Fb"])(
  "with a status for what is not there, %s is not left to the next rule",
  async (url) => {
    await using site = await makeSite({ files, props: { otherwise: 404, indexFile: ["none"] } });
    for (const _time of ["first", "again"]) expect(await site.get(url)).toMatchObject(refused);
    expect(await site.ask({ method: "POST", url })).toMatchObject(refused);
  },
);

test("the first index file that is there stands for its folder", async () => {
  await using site = await makeSite({ files, props: { indexFile: ["index.html", "index.htm"] } });
  for (const _time of ["first", "again"]) {
    expect((await site.get("/docs/")).text).toBe("docs");
    expect((await site.get("/")).text).toBe("home");
    expect((await site.get("/docs")).headers["location"]).toBe("/docs/");
    expect((await site.get("/shop/")).text).toBe(notMine);
  }
});

test("a name without its ending is the file with it, and goes before a folder of that name", async () => {
  await using site = await makeSite({ files, props: { tryEndings: [".htm", ".html"] } });
  for (const _time of ["first", "again"]) {
    expect(await site.get("/about")).toMatchObject({ status: 200, text: "about" });
    expect((await site.get("/about")).headers["content-type"]).toBe("text/html; charset=utf-8");
    expect((await site.get("/about/")).text).toBe("the folder");
    expect((await site.get("/none")).text).toBe(notMine);
  }
});

test.each(["/shop/", "/shop/index.php", "/shop/index", "/shop"])(
  "the source of a program is not sent for %s: that is left to the next handlet",
  async (url) => {
    const props = { indexFile: ["index.html", "index.php"], tryEndings: [".php"], otherwise: 404 };
    await using site = await makeSite({ files, props });
    for (const _time of ["first", "again"]) expect(await site.get(url)).toMatchObject({ text: notMine });
    expect((await site.get("/both/")).text).toBe("both");
    expect((await site.get("/both")).status).toBe(301);
  },
);

test("programs are sent like other files if nothing is said to be one", async () => {
  await using site = await makeSite({ files, props: { scripts: [] } });
  expect((await site.get("/shop/index.php")).text).toBe("<?php secret");
});

test("a prefix that paths lose is part of what clients are told", async () => {
  await using site = await makeSite({ files, props: { stripPrefix: "/files", listing: "html", otherwise: 404 } });
  expect((await site.get("/files/a.css")).text).toBe("a");
  expect((await site.get("/files/")).text).toBe("home");
  expect((await site.get("/files?x")).headers["location"]).toBe("/files/?x");
  expect((await site.get("/files/about")).headers["location"]).toBe("/files/about/");
  expect((await site.get("/files/docs/")).text).toContain("<title>/files/docs/</title>");
  expect(await site.get("/files/none.css")).toMatchObject(refused);
  expect(await site.get("/files/.env")).toMatchObject(refused);
});

test.each(["/a.css", "/filesa.css", "/", "/file"])("%s, which has not the prefix, is left alone", async (url) => {
  await using site = await makeSite({ files, props: { stripPrefix: "/files", otherwise: 404 } });
  expect((await site.get(url)).text).toBe(notMine);
});

test("no ending leads out of the web root by way of a bare prefix", async () => {
  await using site = await makeSite({ files, props: { stripPrefix: "/files", tryEndings: [".html"] } });
  expect((await site.get("/files")).status).toBe(301);
});

test("a fallback for any client answers them all, whatever they accept", async () => {
  await using site = await makeSite({ files, props: { fallback: "index.html", fallbackFor: "any", otherwise: 404 } });
  const answer = await site.get("/users/7", { accept: "*/*" });
  expect(answer).toMatchObject({ status: 200, text: "home", headers: { "cache-control": "no-cache" } });
  expect(answer.headers).not.toHaveProperty("vary");
  expect((await site.get("/users/8")).text).toBe("home");
  expect(await site.ask({ method: "POST", url: "/users/7" })).toMatchObject(refused);
});

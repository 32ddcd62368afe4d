// examples/cached-site: how seldom the blog is asked, and what publishing changes, seen by readers and by a browser.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { bootFile, MemorySink, openErrorLog } from "@hemi/hemi";
import { expect, test } from "vitest";
import { launchChromium } from "../src/chromium.ts";
import { freePort } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";

const example = fileURLToPath(new URL("../../../examples/cached-site/", import.meta.url));

async function serveBlog() {
  await using stack = new AsyncDisposableStack();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const blog = spawn(process.execPath, ["blog.js", "0"], {
    cwd: example,
    env: { ...process.env, SITE: url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = async () => {
    if (blog.exitCode !== null || blog.signalCode !== null) return;
    const exited = once(blog, "exit");
    blog.kill();
    await exited;
  };
  stack.defer(stop);
  const [line] = (await once(blog.stdout, "data")) as [Buffer];
  const [, blogPort = ""] = /listens on (\d+)/.exec(line.toString()) ?? [];
  const stage = stack.use(
    await bootFile(`${example}cached-site.conf`, {
      baseDir: example,
      env: { PORT: String(port), BLOG: blogPort },
      log: openErrorLog({ sink: new MemorySink() }),
    }),
  );
  await stage.start();
  const kept = stack.move();
  const get = async (path: string) => await (await fetch(url + path)).text();
  return {
    url,
    get,
    made: async () => Number(await get("/made")),
    stop,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

test("of a thousand requests, the blog sees one for each page", async () => {
  await using site = await serveBlog();
  const paths = [
    "/",
    ...Array.from({ length: 20 }, (_, i) => `/posts/${i + 1}`),
    "/api/posts?page=1",
    "/api/posts?page=2",
  ];
  for (let round = 0; round < 50; round++) {
    await Promise.all(
      paths.map((path) => site.get(`${path}${path.includes("?") ? "&session=" : "?utm_source="}${round}`)),
    );
  }
  expect(await site.made()).toBe(paths.length);
});

test(
  "publishing by an editor in Chromium changes what readers get at once, and nothing else",
  { timeout: 120_000 },
  async (context) => {
    const executable = peer("chromium", context);
    await using site = await serveBlog();
    for (const path of ["/", "/posts/7", "/posts/8", "/api/posts?page=1", "/api/posts?page=2"]) await site.get(path);
    const browser = await launchChromium(executable);
    try {
      const page = await browser.newPage();
      await page.goto(`${site.url}/posts/7`);
      expect(await page.textContent("h1")).toBe("Post 7");
      await page.goto(`${site.url}/login`);
      await page.click('a[href="/posts/7"]');
      await page.fill("input", "Seven <at> last");
      const before = await site.made();
      await page.click("button");
      await page.getByText("Seven <at> last").waitFor();
      // The editor's page.
      expect(await site.made()).toBe(before + 1);
      expect(await site.get("/posts/7")).toContain("<h1>Seven &#60;at&#62; last</h1>");
      expect(await site.get("/")).toContain("Seven &#60;at&#62; last");
      expect(await site.get("/api/posts?page=1")).toContain("Seven <at> last");
      expect(await site.made()).toBe(before + 4);
      for (const path of ["/posts/8", "/api/posts?page=2"]) await site.get(path);
      expect(await site.made()).toBe(before + 4);
    } finally {
      await browser.close();
    }
  },
);

test("readers are served while the blog is down", async () => {
  await using site = await serveBlog();
  const page = await site.get("/posts/3");
  await site.stop();
  expect(await site.get("/posts/3")).toBe(page);
  expect((await fetch(`${site.url}/posts/4`)).status).toBe(502);
});

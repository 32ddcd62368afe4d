// `hemi cache`: purges and explains what the workers of a running program have stored.

import { expect, test, vi } from "vitest";
import { folderWith, run, start } from "./command.ts";

vi.setConfig({ testTimeout: 90_000 });

const config = `stage {
    memCacher "mem" {}
    webapp "site" {
        .hostnames = ("*")
        rule {
            cache { .withCacher = "mem" .ignoreQueries = ("utm_*") }
            nodeHandlet { .module = "./answer.ts" }
        }
    }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}
`;

const answer = `import type { IncomingMessage, ServerResponse } from "node:http";

export default function handle(req: IncomingMessage, res: ServerResponse): void {
  if (req.url === "/private") res.setHeader("cache-control", "private");
  else res.setHeader("cache-control", "max-age=600").setHeader("cache-tag", "all-pages");
  res.end(String(process.pid));
}
`;

test("hemi cache purges and explains in all workers", async () => {
  await using folder = await folderWith({ "hemi.conf": config, "answer.ts": answer });
  await using command = start(["serve", "--workers", "2"], { cwd: folder.path });
  const [, port = ""] = await command.line(/listens on 127\.0\.0\.1:(\d+)/);
  await command.line(/leads 2 workers/);
  const origin = `http://127.0.0.1:${port}`;
  const cache = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run(["cache", ...args], { cwd: folder.path });
    return code === 0 ? stdout : `${String(code)} ${stderr}`;
  };
  /** Until both workers have stored it. */
  const fill = async (path: string) => {
    const seen = new Set<string>();
    while (seen.size < 2) {
      const answer = await fetch(origin + path, { headers: { connection: "close" } });
      seen.add(await answer.text());
    }
  };

  await fill("/a?utm_source=x");
  await fill("/b");
  const explained = await cache("explain", `${origin}/a`);
  expect(explained).toContain(`key       ${origin}/a\n`);
  for (const slot of [0, 1]) expect(explained).toMatch(new RegExp(`worker ${slot}  status 200, \\d+ bytes`));
  expect(explained).toContain("fresh   for 600 s, by max-age of the response");
  expect(explained).toContain("tags    all-pages");

  expect(await cache("purge", "--dry-run", `${origin}/a`)).toBe("mem             2\nwould purge 2 responses\n");
  expect(JSON.parse(await cache("purge", "--json", "--soft", `${origin}/a`, "--tag", "all-pages"))).toEqual({
    count: 6,
    cachers: [{ cacher: "mem", count: 6 }],
  });
  expect(await cache("explain", `${origin}/b`)).toContain("gets it if the backend confirms it");
  expect(await cache("purge", "--prefix", `${origin}/`)).toContain("purged 4 responses");
  expect(await cache("purge", "/a")).toMatch(/^1 .*begin with http/s);
});

// What the README shows, boots and does what it says; what its tables list, is what there is.

import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootWith, formatConfig, type InjectRequest, MemorySink, openErrorLog, type Prop } from "@hemi/internal";
import { describe, expect, test } from "vitest";
import contribHandlets from "./index.ts";

const packageDir = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(join(packageDir, "README.md"), "utf8");
const sections = new Map(
  readme
    .split(/^## /m)
    .slice(1)
    .map((section) => [/^\w+/.exec(section)?.[0] ?? "", section]),
);
const signs = contribHandlets.definitions.map(({ sign }) => sign);

test("the README has a section for each handlet, and lists it", () => {
  expect([...sections.keys()]).toEqual(signs);
  for (const sign of signs) expect(readme).toContain(`[\`${sign}\`](#${sign.toLowerCase()})`);
});

test.each(contribHandlets.definitions)(
  "the table of $sign has its properties, and marks what a reload makes anew",
  (definition) => {
    const rows = [...(sections.get(definition.sign) ?? "").matchAll(/^\| `(\w+)`( \\\*)? +\|.*\| (\S.*?) +\|$/gm)];
    const listed = rows.map(([, name, star, value]) => [
      name,
      star === undefined ? "live" : "recreate",
      value === "required",
    ]);
    const props = Object.entries<Prop>(definition.props ?? {});
    expect(listed).toEqual(props.map(([name, { reload, required }]) => [name, reload, required]));
  },
);

const login = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString("base64")}` });

/** What is asked of the example of each section, and the status of the answer. */
const asked: Record<string, readonly (readonly [InjectRequest, number])[]> = {
  accessChecker: [[{ url: "/" }, 200]],
  basicAuth: [
    [{ url: "/" }, 401],
    [{ url: "/", headers: login("ann:open sesame") }, 200],
    [{ url: "/", headers: login("eve:open sesame") }, 401],
  ],
  cors: [
    [preflightOf("https://a.shop.example"), 204],
    [preflightOf("https://evil.example"), 403],
    [{ url: "/", headers: { origin: "https://evil.example" } }, 200],
  ],
  favicon: [[{ url: "/favicon.ico" }, 200]],
  health: [
    [{ url: "/livez" }, 200],
    [{ url: "/startupz" }, 200],
    [{ url: "/readyz" }, 200],
  ],
  hostnameChecker: [
    [{ url: "http://localhost:3080/internal/a" }, 200],
    [{ url: "http://evil.example/internal/a" }, 421],
    [{ url: "http://evil.example/a" }, 200],
  ],
  httpsChecker: [
    [{ url: "http://shop.example/" }, 308],
    [{ url: "https://shop.example/" }, 200],
  ],
  limiter: [200, 200, 200, 200, 200, 429].map((status) => [{ url: "/login", headers: { "x-account": "ann" } }, status]),
  metrics: [
    [{ url: "/metrics" }, 200],
    [{ method: "POST", url: "/metrics" }, 405],
  ],
  refererChecker: [
    [{ url: "/images/a.png" }, 200],
    [{ url: "/images/a.png", headers: { referer: "https://friend.example/" } }, 200],
    [{ url: "/images/a.png", headers: { referer: "https://evil.example/" } }, 403],
    [{ url: "/a", headers: { referer: "https://evil.example/" } }, 200],
  ],
  rewriter: [
    [{ url: "/item/7" }, 200],
    [{ url: "/old/page" }, 301],
  ],
};

function preflightOf(origin: string): InjectRequest {
  return { method: "OPTIONS", url: "/", headers: { origin, "access-control-request-method": "PUT" } };
}

describe("the example of", () => {
  test.each(signs)("%s does what its section says", async (sign) => {
    const [, text = ""] = /```\n(stage \{.*?)```/s.exec(sections.get(sign) ?? "") ?? [];
    expect(text).toContain(`${sign} `);
    expect(formatConfig(text, "README.md")).toEqual({ text, problems: [] });
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-readme-"));
    await using stage = await bootWith([contribHandlets]).bootText(text.replace("127.0.0.1:3080", "127.0.0.1:0"), {
      baseDir: folder.path,
      log: openErrorLog({ sink: new MemorySink() }),
    });
    await stage.start();
    expect(asked[sign]).toBeDefined();
    for (const [request, status] of asked[sign] ?? []) {
      const answer = await stage.inject({ ...request, headers: { host: "site.example", ...request.headers } });
      expect({ request, status: answer.status }).toEqual({ request, status });
    }
  });
});

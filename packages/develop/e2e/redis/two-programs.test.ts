// Two programs, as they would run on two machines, with one Redis: what one of them does, the other one sees.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { redisFor } from "./redis-site.ts";

const hemi = fileURLToPath(new URL("../../../procman/src/main.ts", import.meta.url));
const contrib = fileURLToPath(import.meta.resolve("@hemi/contrib-redis"));

const config = `stage {
    redis "r" { .addresses = (%env(REDIS)) .commandTimeout = 10s .stallTimeout = 15s }
    redisCacher "shared" { .redis = "r" }
    memCacher "pages" { .over = "shared" }
    redisStater "sessions" { .redis = "r" .onDown = "refuse" }
    moduleCronjob "note" { .schedule = "every 1s" .withLock = "r" .onDown = "skip" .module = "./note.mjs" }
    webapp "site" {
        .hostnames = ("*")
        .withStater = "sessions"
        rule "pages" $path ^= "/pages/" {
            cache { .withCacher = "pages" .purgeFrom = ("127.0.0.1") }
            nodeHandlet { .module = "./app.mjs" }
        }
        rule {
            limiter "l" { .store = "r" .onDown = "open" .strike = ("404") .maxStrikes = 2 .ban = 1h .key = $query_client }
            nodeHandlet { .module = "./app.mjs" }
        }
    }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}
`;

const app = `import { readFileSync } from "node:fs";
export default async function app(req, res) {
  const [path] = req.url.split("?");
  if (path.startsWith("/pages/")) {
    res.setHeader("cache-control", "max-age=600").setHeader("cache-tag", "news");
    res.end(readFileSync("../content"));
  } else if (path === "/login") {
    await req.hemi.session.set("user", "ann");
    res.end("logged in");
  } else if (path === "/user") {
    res.end((await req.hemi.session.get("user")) ?? "nobody");
  } else {
    res.statusCode = path === "/missing" ? 404 : 200;
    res.end("here");
  }
}
`;

const note = `import { appendFileSync } from "node:fs";
export default (_, { due, token }) => appendFileSync("../notes", \`\${due} \${token}\\n\`);
`;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly cookie: string | undefined;
}

interface Program extends AsyncDisposable {
  ask(path: string, options?: { readonly method?: string; readonly fields?: Record<string, string> }): Promise<Answer>;
}

/** `hemi serve` in a folder of its own. */
async function serve(folder: string, redis: string, workers: readonly string[]): Promise<Program> {
  await mkdir(folder);
  for (const [name, content] of Object.entries({ "hemi.conf": config, "app.mjs": app, "note.mjs": note })) {
    await writeFile(join(folder, name), content);
  }
  const args = ["--conditions=@hemi/source", hemi, "serve", "--use", contrib, ...workers];
  const env = { ...process.env, REDIS: redis };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  const closed = once(child, "close");
  let written = "";
  child.stderr.on("data", (bytes: Buffer) => (written += bytes.toString()));
  const listens = /listens on 127\.0\.0\.1:(\d+)/;
  while (!listens.test(written) && child.exitCode === null) await Promise.race([once(child.stderr, "data"), closed]);
  const [, port] = listens.exec(written) ?? [];
  if (port === undefined) throw new Error(`it does not listen: ${written}`);
  return {
    async ask(path, { method = "GET", fields = {} } = {}) {
      const headers = { host: "a.example", connection: "close", ...fields };
      const [response] = (await once(
        request({ host: "127.0.0.1", port, path, method, headers }).end(),
        "response",
      )) as [IncomingMessage];
      const [cookie] = response.headers["set-cookie"] ?? [];
      return { status: response.statusCode ?? 0, text: await text(response), cookie: cookie?.split(";", 1)[0] };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await closed;
    },
  };
}

test("a purge, a ban, a session and a cron lock of one program hold for another one", async (context) => {
  await using redis = await redisFor(context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-two-programs-"));
  await writeFile(join(folder.path, "notes"), "");
  await writeFile(join(folder.path, "content"), "old");
  await using one = await serve(join(folder.path, "one"), redis.address, ["--workers", "2", "--webui", "off"]);
  await using two = await serve(join(folder.path, "two"), redis.address, ["--single"]);

  // A purge: what is in the memory of the workers of both.
  const pages = async (path: string) => {
    const asked = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? one : two).ask(path));
    return new Set((await Promise.all(asked)).map(({ text }) => text));
  };
  for (const path of ["/pages/a", "/pages/b"]) await expect.poll(() => pages(path)).toEqual(new Set(["old"]));
  await writeFile(join(folder.path, "content"), "new");
  expect(await pages("/pages/a")).toEqual(new Set(["old"]));
  await two.ask("/pages/a", { method: "PURGE" });
  await expect.poll(() => pages("/pages/a"), { timeout: 2000 }).toEqual(new Set(["new"]));
  expect(await pages("/pages/b")).toEqual(new Set(["old"]));
  await one.ask("/pages/x", { method: "PURGE", fields: { "cache-tag": "news" } });
  await expect.poll(() => pages("/pages/b"), { timeout: 2000 }).toEqual(new Set(["new"]));

  // A session.
  const { cookie = "" } = await one.ask("/login");
  expect((await two.ask("/user", { fields: { cookie } })).text).toBe("ann");

  // A ban.
  const statusAt = async (program: Program, path: string) => (await program.ask(path)).status;
  await expect.poll(() => statusAt(one, "/missing?client=eve")).toBe(403);
  await expect.poll(() => statusAt(two, "/here?client=eve")).toBe(403);
  expect(await statusAt(two, "/here?client=bob")).toBe(200);

  // A cronjob: each run on one of them, with a token that rises.
  const runs = async () => {
    const lines = (await readFile(join(folder.path, "notes"), "utf8")).trim().split("\n");
    return lines.map((line) => line.split(" ").map(Number));
  };
  await expect.poll(async () => (await runs()).length).toBeGreaterThanOrEqual(3);
  const known = await runs();
  expect(new Set(known.map(([due]) => due)).size).toBe(known.length);
  const tokens = known.map(([, token = 0]) => token);
  expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
}, 120_000);

// express-session inside Hemi, with its sessions in the stater of the webapp.

import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootWith, type InjectResponse, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import contribApps from "./index.ts";

const app = (index: string, session: string) => `import { createRequire } from "node:module";
import { expressSessions } from "${index}";
const session = createRequire(import.meta.url)("${session}");
const waiting = [];
const use = expressSessions(session, { secret: "s", resave: false, saveUninitialized: false });
export default (req, res) =>
  use(req, res, (error) => {
    if (error !== undefined) {
      res.statusCode = error.status ?? 500;
      return void res.end(String(error.message));
    }
    const [, action, name] = req.url.split("/");
    if (action === "set") req.session[name] = (req.session[name] ?? 0) + 1;
    if (action === "drop") delete req.session[name];
    if (action === "slow") req.session.late = 1;
    const { cookie, ...values } = req.session;
    if (action === "slow") {
      waiting.push(() => res.end("slow"));
      return;
    }
    if (action === "waiting") return void res.end(String(waiting.length));
    if (action === "release") {
      for (const go of waiting.splice(0)) go();
    }
    if (action === "end") return void req.session.destroy(() => res.end("ended"));
    setImmediate(() => res.end(JSON.stringify(values)));
  });
`;

async function siteWith(stater: string) {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-express-"));
  const session = new URL(import.meta.resolve("express-session")).pathname;
  await writeFile(join(folder.path, "app.mjs"), app(new URL("index.ts", import.meta.url).href, session));
  const stage = await bootWith([contribApps]).bootText(
    `stage {
      ${stater.replaceAll("FOLDER", folder.path)}
      webapp "w" {
        .hostnames = ("*")
        ${stater === "" ? "" : '.withStater = "s"'}
        rule { nodeHandlet { .module = "${folder.path}/app.mjs" } }
      }
      httpxServer "main" { .webapps = ("w") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  return {
    get: (path: string, cookie?: string) =>
      stage.inject({ url: `http://a.example${path}`, headers: cookie === undefined ? {} : { cookie } }),
    async [Symbol.asyncDispose]() {
      await stage.quit(1000);
      await folder[Symbol.asyncDispose]();
    },
  };
}
const local = 'localStater "s" { .file = "FOLDER/s.sqlite" .onDown = "refuse" }';

function cookieIn({ headers }: InjectResponse): string {
  return String(headers["set-cookie"]).split(";")[0] ?? "";
}

test("a client keeps its session, and gets no cookie before something is stored", async () => {
  await using site = await siteWith(local);
  expect((await site.get("/look")).headers["set-cookie"]).toBeUndefined();
  const first = await site.get("/set/n");
  expect(first.text).toBe('{"n":1}');
  const cookie = cookieIn(first);
  expect(cookie).toMatch(/^connect\.sid=/);
  expect((await site.get("/set/n", cookie)).text).toBe('{"n":2}');
  expect((await site.get("/drop/n", cookie)).text).toBe("{}");
  expect((await site.get("/look", cookie)).text).toBe("{}");
  expect((await site.get("/end", cookie)).text).toBe("ended");
  expect((await site.get("/look", cookie)).text).toBe("{}");
});

test("requests of one client that change different names at once lose nothing", async () => {
  await using site = await siteWith(local);
  const cookie = cookieIn(await site.get("/set/start"));
  await Promise.all(Array.from({ length: 10 }, (_, i) => site.get(`/set/n${i}`, cookie)));
  const stored = JSON.parse((await site.get("/look", cookie)).text) as object;
  expect(Object.keys(stored).sort()).toEqual([...Array.from({ length: 10 }, (_, i) => `n${i}`), "start"]);
});

test("a request that was under way when the client logged out does not bring the session back", async () => {
  await using site = await siteWith(local);
  const cookie = cookieIn(await site.get("/set/user"));
  const slow = site.get("/slow", cookie);
  await expect.poll(async () => (await site.get("/waiting")).text).toBe("1");
  expect((await site.get("/end", cookie)).text).toBe("ended");
  await site.get("/release");
  await slow.catch(() => undefined);
  expect((await site.get("/look", cookie)).text).toBe("{}");
});

test("a webapp without a stater says what to do", async () => {
  await using without = await siteWith("");
  expect((await without.get("/look")).text).toContain(".withStater");
});

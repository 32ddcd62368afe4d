// Sessions as handlets use them, and as clients see them.

import { mkdtempDisposable } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";
import { staterSite } from "../../testing/stater-site.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import type { InjectResponse } from "../wires/inject-request.ts";

const newFolder = () => mkdtempDisposable(join(tmpdir(), "hemi-session-"));

type Answer = (req: Request, resp: Response) => Promise<void>;

async function siteOf(answer: Answer, more = "", { onDown = "refuse", server = "" } = {}) {
  const folder = await newFolder();
  const site = await staterSite(
    `localStater "s" { .file = "${folder.path}/s.sqlite" .onDown = "${onDown}" ${more} }`,
    async (req, resp) => {
      await answer(req, resp);
      if (!resp.isDone) resp.send("fine");
      return true;
    },
    { server },
  );
  return {
    ...site,
    file: join(folder.path, "s.sqlite"),
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** `session=…`, as the client sends it back. */
function cookieIn({ headers }: InjectResponse): string {
  return String(headers["set-cookie"]).split(";")[0] ?? "";
}

const count: Answer = async (req, resp) => {
  if (req.path === "/look") resp.send(String(await req.session.get("n")));
  else if (req.path === "/login") {
    await req.session.rotate();
    await req.session.set("user", "ada");
  } else if (req.path === "/logout") await req.session.destroy();
  else if (req.path === "/count") {
    resp.send(String(await req.session.update("n", (n) => (typeof n === "number" ? n : 0) + 1)));
  }
};

describe("a client", () => {
  test("gets no cookie before something is stored, and one that scripts cannot read then", async () => {
    await using site = await siteOf(count);
    expect((await site.get("/")).headers["set-cookie"]).toBeUndefined();
    const looked = await site.get("/look");
    expect(looked).toMatchObject({ text: "undefined", headers: { vary: "cookie" } });
    expect(looked.headers["set-cookie"]).toBeUndefined();
    const counted = await site.get("/count");
    expect(counted.text).toBe("1");
    expect(counted.headers["set-cookie"]).toMatch(/^session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    const again = await site.get("/count", cookieIn(counted));
    expect(again.text).toBe("2");
    expect(again.headers["set-cookie"]).toBeUndefined();
  });

  test("gets a cookie over https that no other host and no plain http can plant", async () => {
    await using site = await siteOf(count, ".isPersistent = true .maxLifetime = 1h");
    const counted = await site.get("/count", undefined, "https");
    expect(counted.headers["set-cookie"]).toMatch(
      /^__Host-session=[\w-]{43}; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect((await site.get("/count", cookieIn(counted).replace("__Host-", ""), "https")).text).toBe("1");
    expect((await site.get("/count", cookieIn(counted), "https")).text).toBe("2");
  });

  test("gets the same cookie by https before a trusted proxy, and no other proxy can say so", async () => {
    await using site = await siteOf(count, "", { server: '.trustForwarded = ("127.0.0.1")' });
    await using other = await siteOf(count, "", { server: '.trustForwarded = ("127.0.0.2")' });
    const ask = (cookie = "", { stage } = site) =>
      stage.inject({ url: "/count", headers: { cookie, "x-forwarded-proto": "https" } });
    const counted = await ask();
    expect(counted.headers["set-cookie"]).toMatch(
      /^__Host-session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect((await ask(cookieIn(counted))).text).toBe("2");
    expect((await ask("", other)).headers["set-cookie"]).toMatch(
      /^session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  test("that brings a token which was made up gets another one", async () => {
    await using site = await siteOf(count);
    const planted = `session=${"A".repeat(43)}`;
    const counted = await site.get("/count", planted);
    expect(counted.text).toBe("1");
    expect(cookieIn(counted)).not.toBe(planted);
    expect((await site.get("/look", planted)).text).toBe("undefined");
  });

  test("with a token that was cut, made up or doubled gets no session but its own", async () => {
    await using site = await siteOf(count);
    const cookie = cookieIn(await site.get("/count"));
    const other = `session=${"A".repeat(43)}`;
    const seen = async (sent: string) => (await site.get("/look", sent)).text;
    for (const sent of [other, cookie.slice(0, -1), `${cookie}A`, "session=", "session=%00", `session="${cookie}"`]) {
      expect(await seen(sent), sent).toBe("undefined");
    }
    // Of two, the first counts: both are never mixed.
    expect(await seen(`${cookie}; ${other}`)).toBe("1");
    expect(await seen(`${other}; ${cookie}`)).toBe("undefined");
  });

  test("that stores nothing leaves nothing behind, and neither do very many of them", async () => {
    await using site = await siteOf(count);
    for (let i = 0; i < 10; i++) {
      const answers = await Promise.all(Array.from({ length: 1000 }, () => site.get("/look")));
      expect(answers.some(({ headers }) => "set-cookie" in headers)).toBe(false);
    }
    using database = new DatabaseSync(site.file);
    expect(database.prepare("SELECT count(*) AS count FROM session").get()).toEqual({ count: 0 });
  });

  test("that logs in gets another token, and the one before is no good", async () => {
    await using site = await siteOf(count);
    const before = cookieIn(await site.get("/count"));
    const after = cookieIn(await site.get("/login", before));
    expect(after).not.toBe(before);
    expect((await site.get("/look", after)).text).toBe("1");
    expect((await site.get("/look", before)).text).toBe("undefined");
  });

  test("that logs out has no session any more", async () => {
    await using site = await siteOf(count);
    const cookie = cookieIn(await site.get("/count"));
    expect((await site.get("/logout", cookie)).headers["set-cookie"]).toMatch(/^session=; Max-Age=0; Path=\//);
    expect((await site.get("/look", cookie)).text).toBe("undefined");
  });

  test("loses no change, whatever its requests do at once", async () => {
    await using site = await siteOf(async (req, resp) => {
      if (req.path === "/add") await req.session.set(req.query("name") ?? "", 1);
      else if (req.path === "/all") resp.sendJSON(await req.session.all());
      else await count(req, resp);
    });
    const cookie = cookieIn(await site.get("/count"));
    const paths = Array.from({ length: 10 }, (_, i) => [`/add?name=a${i}`, "/count"]).flat();
    await Promise.all(paths.map((path) => site.get(path, cookie)));
    const all: unknown = JSON.parse((await site.get("/all", cookie)).text);
    expect(Object.keys(all as object)).toHaveLength(11);
    expect(all).toHaveProperty("n", 11);
  });

  test("gets one session with all that a handlet stores in it at once", async () => {
    await using site = await siteOf(async ({ session, path }, resp) => {
      const add = () => session.update("n", (n) => Number(n ?? 0) + 1);
      if (path === "/") await Promise.all([session.set("a", 1), session.set("b", 2), add(), add()]);
      else resp.sendJSON(await session.all());
    });
    const cookie = cookieIn(await site.get("/"));
    expect(JSON.parse((await site.get("/all", cookie)).text)).toEqual({ a: 1, b: 2, n: 2 });
  });

  test("whose requests change one entry at once is told, where that is wanted", async () => {
    let both = Promise.withResolvers<void>();
    let loaded = 0;
    const answer: Answer = async (req, resp) => {
      if (req.path === "/count") return await count(req, resp);
      await req.session.get("n");
      if (++loaded % 2 === 0) both.resolve();
      await both.promise;
      await req.session.set("n", 5);
    };
    for (const [conflict, statuses] of [
      ["last", [200, 200]],
      ["refuse", [200, 409]],
    ] as const) {
      await using site = await siteOf(answer, `.conflict = "${conflict}"`);
      const cookie = cookieIn(await site.get("/count"));
      both = Promise.withResolvers();
      const answers = await Promise.all([site.get("/set", cookie), site.get("/set", cookie)]);
      expect(answers.map(({ status }) => status).sort()).toEqual(statuses);
    }
  });
});

describe("a store that is down", () => {
  const answer: Answer = async (req, resp) => {
    if (req.path === "/none") return;
    const n = await req.session.get("n");
    if (req.path === "/change") await req.session.set("n", 1);
    resp.send(String(n));
  };

  test.each([
    ["refuse", [200, 503, 503]],
    ["readOnly", [200, 200, 503]],
    ["anonymous", [200, 200, 200]],
  ])("with .onDown = %s", async (onDown, statuses) => {
    await using site = await siteOf(answer, "", { onDown });
    {
      using database = new DatabaseSync(site.file);
      database.exec("DROP TABLE entry; DROP TABLE session");
    }
    const token = `session=${"A".repeat(43)}`;
    const answers = [await site.get("/none", token), await site.get("/look", token), await site.get("/change", token)];
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    expect(site.log.join("\n")).toContain("a session could not be read");
  });
});

describe("a store that fails for one request", () => {
  /** The store fails the first time that it is asked to do this. */
  async function failingSite(access: "find" | "rotate", onDown: string) {
    const site = await siteOf(count, "", { onDown });
    let fails = false;
    const real = site.stater[access].bind(site.stater);
    const once = async (token: string): Promise<never> => {
      if (!fails) return (await real(token)) as never;
      fails = false;
      throw new Error("no answer");
    };
    Object.assign(site.stater, { [access]: once });
    return Object.assign(site, { failNext: () => void (fails = true) });
  }

  test.each([
    ["anonymous", 200],
    ["readOnly", 503],
    ["refuse", 503],
  ])("does not make a new session take the place of the client's: %s", async (onDown, status) => {
    await using site = await failingSite("find", onDown);
    const cookie = cookieIn(await site.get("/count"));
    site.failNext();
    const failed = await site.get("/count", cookie);
    expect(failed.status).toBe(status);
    expect(failed.headers["set-cookie"]).toBeUndefined();
    expect((await site.get("/look", cookie)).text).toBe("1");
  });

  test("does not let a client go on under the token from before its login", async () => {
    await using site = await failingSite("rotate", "anonymous");
    const planted = cookieIn(await site.get("/count"));
    site.failNext();
    const login = await site.get("/login", planted);
    expect(login.status).toBe(200);
    expect(cookieIn(login)).not.toBe(planted);
    expect((await site.stater.find(planted.slice("session=".length)))?.has("user")).toBe(false);
  });

  test("does not leave a client logged in who has logged out", async () => {
    await using anonymous = await failingSite("find", "anonymous");
    const cookie = cookieIn(await anonymous.get("/count"));
    anonymous.failNext();
    expect((await anonymous.get("/logout", cookie)).headers["set-cookie"]).toMatch(/^session=; Max-Age=0/);
    expect((await anonymous.get("/look", cookie)).text).toBe("undefined");
  });
});

test("a store that is down does not fill the log with a line for each request", async () => {
  await using site = await siteOf(count);
  {
    using database = new DatabaseSync(site.file);
    database.exec("DROP TABLE entry; DROP TABLE session");
  }
  const token = `session=${"A".repeat(43)}`;
  for (let i = 0; i < 50; i++) expect((await site.get("/look", token)).status).toBe(503);
  expect(site.log.filter((line) => line.includes("a session could not be read"))).toHaveLength(1);
});

test("what a subrequest stores is in the session of the client, who gets its cookie", async () => {
  await using site = await siteOf(async (req, resp) => {
    if (req.path === "/part")
      resp.send(String(await req.session.update("n", (n) => (typeof n === "number" ? n : 0) + 1)));
    if (req.path !== "/page") return;
    const part = await req.subrequest("/part");
    let text = "";
    for await (const piece of part.content) text += Buffer.from(piece).toString();
    expect(text).toMatch(/^[12]$/);
    expect(part.headers.get("set-cookie")).toBeUndefined();
    resp.send(`page ${String(await req.session.get("n"))}`);
  });
  const first = await site.get("/page");
  expect(first.text).toBe("page 1");
  expect(first.headers["set-cookie"]).toMatch(/^session=/);
  const second = await site.get("/page", cookieIn(first));
  expect(second.text).toBe("page 2");
  expect(second.headers["set-cookie"]).toBeUndefined();
});

test("a handlet that uses a session where there is none is told what to do", async () => {
  await using site = await cachedSite((req) => typeof req.session === "object");
  expect((await site.get("/")).status).toBe(500);
  expect(site.log.join("\n")).toContain("name a stater by .withStater of the webapp");
});

test("a value that cannot be JSON is refused, and a session is changed after the head is sent in vain", async () => {
  await using site = await siteOf(async (req, resp) => {
    if (req.path === "/late") {
      await resp.echo("head");
      await req.session.set("a", 1);
    } else await req.session.set("a", () => 1);
  });
  expect((await site.get("/")).status).toBe(500);
  expect(site.log.join("\n")).toContain("a session holds what can be JSON, unlike function under a");
  await expect(site.get("/late")).rejects.toMatchObject({ code: "HEMI_PEER_GONE" });
});

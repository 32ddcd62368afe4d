import { randomBytes } from "node:crypto";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { staterSite } from "../../testing/stater-site.ts";
import { staterTests } from "../../testing/stater-tests.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import type { InjectResponse } from "../wires/inject-request.ts";

type Answer = (req: Request, resp: Response) => Promise<void>;

function siteWith(...keys: readonly string[]) {
  return siteOf({ keys });
}

interface SiteOptions {
  readonly keys?: readonly string[];
  /** Of the stater. */
  readonly name?: string;
  readonly answer?: Answer;
}

async function siteOf({ keys = [newKey()], name = "s", answer = async () => {} }: SiteOptions) {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-keys-"));
  const file = join(folder.path, "keys");
  await writeFile(file, keys.join("\n"));
  try {
    const handle = async (req: Request, resp: Response): Promise<boolean> => {
      await answer(req, resp);
      if (!resp.isDone) resp.send("fine");
      return true;
    };
    const site = await staterSite(`cookieStater "${name}" { .keyFile = "${file}" }`, handle);
    return {
      ...site,
      async [Symbol.asyncDispose]() {
        await site[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

const newKey = () => randomBytes(32).toString("base64");

test.each(staterTests(() => siteWith(newKey()), { stores: false }))("$name", ({ run }) => run());

async function sealed(site: Awaited<ReturnType<typeof siteWith>>): Promise<string> {
  const written = await site.stater.write(undefined, [{ name: "secret", json: '"swordfish"' }]);
  return written !== "gone" && "token" in written ? written.token : expect.fail();
}

/** `session=…`, of the cookie that a browser keeps. */
function lastCookieOf({ headers }: InjectResponse): string {
  return [headers["set-cookie"] ?? ""].flat().at(-1)?.split(";")[0] ?? "";
}

test("a token shows nothing of what it holds, and each is another", async () => {
  await using site = await siteWith(newKey());
  const [one, two] = [await sealed(site), await sealed(site)];
  expect(Buffer.from(one, "base64url").includes("swordfish")).toBe(false);
  expect(one).not.toBe(two);
});

test("after a rotation of keys, what the old key has sealed is open until that key is removed", async () => {
  const [old, current] = [newKey(), newKey()];
  await using before = await siteWith(old);
  await using during = await siteWith(current, old);
  await using after = await siteWith(current);
  const token = await sealed(before);
  expect((await during.stater.find(token))?.size).toBe(1);
  expect(await after.stater.find(token)).toBe(undefined);
  const anew = await sealed(during);
  expect((await after.stater.find(anew))?.size).toBe(1);
  expect(await before.stater.find(anew)).toBe(undefined);
});

test("a session that no browser would keep is refused", async () => {
  await using site = await siteWith(newKey());
  const large = JSON.stringify("x".repeat(4000));
  expect(() => site.stater.write(undefined, [{ name: "a", json: large }])).toThrow("and browsers take 3900");
});

test.each([[["short"]], [[]], [[newKey(), "short"]]])("a file of keys with %j is refused", async (keys) => {
  await expect(siteWith(...keys)).rejects.toThrow(/has (?:no|a) key.*openssl rand -base64 32/);
});

test("a client that only reads keeps its session, with a new cookie now and then", async () => {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-keys-"));
  await writeFile(join(folder.path, "keys"), newKey());
  await using site = await staterSite(`cookieStater "s" { .keyFile = "${folder.path}/keys" }`, async (req, resp) => {
    if (req.path === "/set") await req.session.set("a", 1);
    resp.send(String(await req.session.get("a")));
    return true;
  });
  let cookie = lastCookieOf(await site.get("/set"));
  let renewals = 0;
  for (let hours = 0; hours < 72; hours += 3) {
    site.wait(3 * 3600);
    const answer = await site.get("/", cookie);
    expect(answer.text).toBe("1");
    const next = lastCookieOf(answer);
    if (next !== "") [cookie, renewals] = [next, renewals + 1];
  }
  expect(renewals).toBe(6);
  await folder[Symbol.asyncDispose]();
});

test("a session from while the clock was ahead does not last for longer, and a clock put back a little ends none", async () => {
  await using site = await siteWith(newKey());
  const token = await sealed(site);
  site.wait(-3600);
  expect((await site.stater.find(token))?.size).toBe(1);
  site.wait(-2 * 24 * 3600);
  expect(await site.stater.find(token)).toBe(undefined);
});

test("a session of one stater is none of another one with the same keys", async () => {
  const key = newKey();
  await using shop = await siteOf({ keys: [key], name: "customers" });
  await using office = await siteOf({ keys: [key], name: "staff" });
  const token = await sealed(shop);
  expect(await office.stater.find(token)).toBeUndefined();
  await using other = await siteOf({ keys: [key], name: "customers" });
  expect((await other.stater.find(token))?.size).toBe(1);
});

test("what one request stores at once is all in its last cookie, in a session that was there as well", async () => {
  await using site = await siteOf({
    async answer({ session, path }, resp) {
      const add = () => session.update("n", (n) => Number(n ?? 0) + 1);
      if (path === "/") await Promise.all([session.set("a", 1), session.set("b", 2), add(), add()]);
      else if (path === "/out") await Promise.all([session.set("c", 1), session.destroy()]);
      else resp.sendJSON(await session.all());
    },
  });
  const first = lastCookieOf(await site.get("/"));
  const second = lastCookieOf(await site.get("/", first));
  expect(JSON.parse((await site.get("/all", second)).text)).toEqual({ a: 1, b: 2, n: 4 });
  expect(lastCookieOf(await site.get("/out", second))).toBe("session=");
});

// What answers say of the cache (RFC 9211), and which answers requests with directives get (RFC 9111 section 5.2.1).

import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { cachedSite, counting } from "../../testing/cached-site.ts";

test("RFC 9211 2: the member of this cache comes behind those of caches that are nearer to the origin", async () => {
  const fields = { "cache-control": "max-age=60", "cache-status": "Origin; hit, CDN; fwd=uri-miss" };
  await using site = await cachedSite(counting(fields));
  const statusOf = async () => (await site.get("/")).headers["cache-status"];
  expect([await statusOf()].flat().join(", ")).toBe(`${fields["cache-status"]}, Hemi; fwd=uri-miss; stored`);
  expect([await statusOf()].flat().join(", ")).toBe(`${fields["cache-status"]}, Hemi; hit; ttl=60`);
  expect(
    [(await site.ask({ method: "POST", url: "http://a.example/" })).headers["cache-status"]].flat().join(", "),
  ).toBe(`${fields["cache-status"]}, Hemi; fwd=method`);
});

test("RFC 9211 2.2: it says why a request went to the backend", async () => {
  await using site = await cachedSite(counting({ "cache-control": "max-age=60", vary: "accept" }));
  const statusOf = async (headers: Record<string, string> = {}) =>
    (await site.get("/", headers)).headers["cache-status"];
  expect(await statusOf()).toBe("Hemi; fwd=uri-miss; stored");
  expect(await statusOf({ accept: "a" })).toBe("Hemi; fwd=vary-miss; stored");
  expect(await statusOf({ "cache-control": "no-cache" })).toBe("Hemi; fwd=request; stored");
  site.wait(60);
  expect(await statusOf()).toBe("Hemi; fwd=stale; stored");
  const fat = await site.ask({ url: "http://a.example/", content: "x" });
  expect(fat.headers["cache-status"]).toBe("Hemi; fwd=bypass");
});

test.each([
  ["a shared response", "max-age=60", "accept", ["; stored", "; stored; collapsed", "; stored; collapsed"]],
  ["a private response", "private", "accept", ["", "; collapsed=?0", "; collapsed=?0"]],
  ["another variant", "max-age=60", "x-client", ["; stored", "; stored; collapsed=?0", "; stored; collapsed=?0"]],
])("RFC 9211 2.6: of clients that wait for one request, it says who got %s", async (_, control, vary, expected) => {
  const gate = Promise.withResolvers<void>();
  await using site = await cachedSite(async (req, resp) => {
    await gate.promise;
    resp.setHeader("cache-control", control);
    resp.setHeader("vary", vary);
    resp.send(req.header("x-client"));
    return true;
  });
  const answers = ["1", "2", "3"].map((client) => site.get("/", { "x-client": client }));
  await expect.poll(() => site.asked()).toBe(1);
  for (let i = 0; i < 20; i++) await setImmediate();
  gate.resolve();
  const members = (await Promise.all(answers)).map(({ headers }) => headers["cache-status"]);
  expect(members).toEqual(expected.map((more) => `Hemi; fwd=uri-miss${more}`));
});

test("RFC 9211 2: an answer that the cache itself has made is none of a cache, and without a name there is no field", async () => {
  await using site = await cachedSite(counting());
  const refused = await site.get("/", { "cache-control": "only-if-cached" });
  expect([refused.status, refused.headers["cache-status"]]).toEqual([504, undefined]);
  await using nameless = await cachedSite(counting(), '.statusName = ""');
  for (let i = 0; i < 2; i++) expect((await nameless.get("/")).headers["cache-status"]).toBeUndefined();
});

test("RFC 9211 2: a name that no field can have is refused", async () => {
  await expect(cachedSite(counting(), '.statusName = "Bücher"')).rejects.toThrow("statusName");
});

test("RFC 9211 2.4: what is used while it is validated is a hit with a negative rest", async () => {
  await using site = await cachedSite(counting({ "cache-control": "max-age=60, stale-while-revalidate=30" }));
  await site.get("/");
  site.wait(70);
  expect((await site.get("/")).headers).toMatchObject({ age: "70", "cache-status": "Hemi; hit; ttl=-10" });
});

test("RFC 9111 5.2.1.7: with only-if-cached, what is stale gets 504, and what the client accepts does not", async () => {
  await using site = await cachedSite(counting({ "cache-control": "max-age=60", etag: '"a"' }));
  await site.get("/");
  const statusOf = async (more = "") => (await site.get("/", { "cache-control": `only-if-cached${more}` })).status;
  expect(await statusOf()).toBe(200);
  site.wait(70);
  expect(await statusOf()).toBe(504);
  expect(await statusOf(", max-stale=11")).toBe(200);
  expect(await statusOf(", max-stale=9")).toBe(504);
  expect(site.asked()).toBe(1);
});

test("RFC 9111 5.2.2.2: what must be validated is not used stale, whoever accepts it or fails", async () => {
  const answer = counting({ "cache-control": "max-age=60, must-revalidate, stale-if-error=600" });
  await using site = await cachedSite((req, resp) => {
    if (site.asked() === 1) return answer(req, resp);
    throw new Error("broken");
  }, ".staleIfError = 10m .staleWhileRevalidate = 10m");
  await site.get("/");
  site.wait(70);
  expect((await site.get("/", { "cache-control": "max-stale" })).status).toBe(500);
  expect((await site.get("/")).status).toBe(500);
});

test("RFC 9111 5.4: pragma counts only without cache-control", async () => {
  await using site = await cachedSite(counting());
  await site.get("/");
  expect((await site.get("/", { pragma: "no-cache", "cache-control": "max-stale" })).text).toBe("answer 1");
  expect((await site.get("/", { pragma: "no-cache" })).text).toBe("answer 2");
});

test("RFC 9111 5.2.1.5: with no-store, nothing of the answer is stored", async () => {
  await using site = await cachedSite(counting());
  expect((await site.get("/", { "cache-control": "no-store" })).headers["cache-status"]).toBe("Hemi; fwd=uri-miss");
  expect((await site.cache.explainUrl("http://a.example/")).variants).toEqual([]);
});

test("RFC 9111 4.3.3: a whole answer to a validation takes the place of what is stored", async () => {
  await using site = await cachedSite((req, resp) => {
    resp.setHeader("cache-control", "max-age=60");
    resp.setHeader("etag", `"${site.asked()}"`);
    resp.send(`for ${req.header("if-none-match")}`);
    return true;
  });
  await site.get("/");
  site.wait(60);
  const replaced = await site.get("/");
  expect(replaced).toMatchObject({ text: 'for "1"', headers: { "cache-status": "Hemi; fwd=stale; stored" } });
  expect(await site.get("/")).toMatchObject({ text: 'for "1"', headers: { etag: '"2"' } });
  expect((await site.cache.explainUrl("http://a.example/")).variants).toHaveLength(1);
});

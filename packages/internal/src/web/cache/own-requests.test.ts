// Requests whose answers are not stored for their own sake, with no-store or authorization: they must not cost other
// clients the cache.

import { expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";

const own = [
  ["no-store", { "cache-control": "no-store" }] as const,
  ["authorization", { authorization: "Basic x" }] as const,
];

/** A site whose backend answers with the number of the request, when the test lets it. */
async function gatedSite(control = "max-age=60", settings = "") {
  const gates: PromiseWithResolvers<void>[] = [];
  const site = await cachedSite(async (_req, resp) => {
    const gate = Promise.withResolvers<void>();
    const number = gates.push(gate);
    await gate.promise;
    resp.setHeader("cache-control", control);
    resp.send(`answer ${number}`);
    return true;
  }, settings);
  return { ...site, open: (number: number) => gates[number - 1]?.resolve() };
}

test.each(own)("a request with %s, of what is not stored, keeps nobody from storing it", async (_, headers) => {
  await using site = await gatedSite();
  const first = site.get("/", headers);
  await expect.poll(() => site.asked()).toBe(1);
  site.open(1);
  await first;
  const others = [site.get("/"), site.get("/")];
  await expect.poll(() => site.asked()).toBe(2);
  site.open(2);
  expect((await Promise.all(others)).map(({ text }) => text)).toEqual(["answer 2", "answer 2"]);
  expect((await site.get("/")).headers["cache-status"]).toMatch(/hit/);
});

test.each(own)("nobody waits for the answer to a request with %s that is not for others", async (_, headers) => {
  await using site = await gatedSite();
  const first = site.get("/", headers);
  await expect.poll(() => site.asked()).toBe(1);
  const others = Array.from({ length: 100 }, () => site.get("/"));
  await expect.poll(() => site.asked()).toBe(2);
  site.open(2);
  expect(new Set((await Promise.all(others)).map(({ text }) => text))).toEqual(new Set(["answer 2"]));
  site.open(1);
  expect((await first).text).toBe("answer 1");
  expect(site.asked()).toBe(2);
});

test.each(own)("of requests with %s, only the first waits for the answer to another one", async (_, headers) => {
  await using site = await gatedSite();
  const first = site.get("/", headers);
  await expect.poll(() => site.asked()).toBe(1);
  site.open(1);
  await first;
  const later = [site.get("/", headers), site.get("/", headers)];
  await expect.poll(() => site.asked()).toBe(3);
  for (const number of [2, 3]) site.open(number);
  await Promise.all(later);
  const { refusal } = await site.cache.explainUrl("http://a.example/");
  expect(refusal).toMatch(/the request has/);
});

test("requests with authorization share one fetch of what is public, also after one that was not", async () => {
  await using site = await gatedSite("public, max-age=60");
  const clients = Array.from({ length: 10 }, (_, i) => site.get("/", { authorization: `Basic ${i}` }));
  await expect.poll(() => site.asked()).toBe(1);
  site.open(1);
  expect(new Set((await Promise.all(clients)).map(({ text }) => text))).toEqual(new Set(["answer 1"]));
});

test("no more than maxRevalidations are validated in the background at once", async () => {
  await using site = await gatedSite(
    "max-age=60, stale-while-revalidate=600",
    ".maxRevalidations = 2 .revalidationJitter = 0s",
  );
  const paths = ["/a", "/b", "/c", "/d"];
  for (const [i, path] of paths.entries()) {
    const first = site.get(path);
    await expect.poll(() => site.asked()).toBe(i + 1);
    site.open(i + 1);
    await first;
  }
  site.wait(70);
  for (let round = 0; round < 3; round++) {
    for (const path of paths) expect((await site.get(path)).headers["cache-status"]).toMatch(/hit/);
  }
  expect(site.asked()).toBe(6);
  for (const number of [5, 6]) site.open(number);
  await expect.poll(async () => (await site.get("/b")).text).toBe("answer 6");
  for (const path of ["/c", "/d"]) await site.get(path);
  expect(site.asked()).toBe(8);
  for (const number of [7, 8]) site.open(number);
});

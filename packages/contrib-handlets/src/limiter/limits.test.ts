// What a limiter limits besides the rate: requests at once, bytes a second, and clients by what their requests came to.

import { request } from "node:http";
import { RatePacer } from "@hemi/internal";
import { describe, expect, test, vi } from "vitest";
import { serveSite, type Site } from "../testing/serve-site.ts";
import { PacedContent, PacedTurns } from "./paced-content.ts";

const statusesOf = async (site: Site, lines: readonly string[]): Promise<readonly number[]> => {
  const statuses: number[] = [];
  for (const line of lines) statuses.push((await site.ask(line)).status);
  return statuses;
};

describe("requests at once", () => {
  test("beyond .maxConcurrent get 429, until one is over", async () => {
    await using site = await serveSite("limiter { .maxConcurrent = 2 }");
    const [first, second] = [site.ask("GET /wait"), site.ask("GET /wait")];
    expect(await statusesOf(site, ["GET /"])).toEqual([429]);
    site.release();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect(await statusesOf(site, ["GET /", "GET /", "GET /"])).toEqual([200, 200, 200]);
  });

  test("of a client that has left do not count", async () => {
    await using site = await serveSite("limiter { .maxConcurrent = 1 }");
    const leaving = request(`http://${site.address}/wait`, { agent: false }).on("error", () => {});
    leaving.end();
    await expect.poll(async () => (await site.askFrom("127.0.0.1")).status).toBe(429);
    leaving.socket?.resetAndDestroy();
    await expect.poll(async () => (await site.askFrom("127.0.0.1")).status).toBe(200);
  });
});

describe("bytes a second", () => {
  test("are limited, and the content and its size stay as they are", async () => {
    await using site = await serveSite("limiter { .maxRate = 100M }");
    const answers = await Promise.all([0, 1].map(() => fetch(`http://${site.address}/large`)));
    for (const answer of answers) {
      expect(answer.headers.get("content-length")).toBe(String(256 * 1024));
      expect(await answer.text()).toBe("x".repeat(256 * 1024));
    }
  });

  test("are those of all responses to a client together", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    let now = 0;
    const turns = new PacedTurns(
      new RatePacer(
        () => 1000,
        () => now,
      ),
    );
    const sent: number[] = [];
    const next = (piece: Uint8Array) => void sent.push(piece.length);
    const pushed = [0, 1].map(() => new PacedContent(turns, 1000, () => false).push(new Uint8Array(500), next));
    for (let i = 0; i < 20; i++) {
      now += 100;
      await vi.advanceTimersByTimeAsync(100);
      // What the rate gives, what may come at once, and a slice of each.
      expect(sent.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(now + 100 + 200);
    }
    await Promise.all(pushed);
    expect(sent.reduce((sum, size) => sum + size, 0)).toBe(1000);
    vi.useRealTimers();
  });

  test("are those of many small responses, too", async () => {
    const rate = 20_000;
    const start = performance.now();
    const turns = new PacedTurns(
      new RatePacer(
        () => rate,
        () => performance.now(),
      ),
    );
    let sent = 0;
    let excess = 0;
    const next = ({ length }: { readonly length: number }) => {
      sent += length;
      // What the rate gives, what may come at once, and a piece of each.
      const allowed = ((performance.now() - start + 100) / 1000) * rate + 2 * length;
      excess = Math.max(excess, sent - allowed);
    };
    const respond = async () => {
      for (let i = 0; i < 20; i++) await new PacedContent(turns, rate, () => false).push(new Uint8Array(200), next);
    };
    await Promise.all([respond(), respond()]);
    expect([sent, excess]).toEqual([8000, 0]);
  });

  test("are those of many responses at once, in their order, and those that are over take none", async () => {
    const [rate, size] = [20_000, 200];
    const start = performance.now();
    const pacer = new RatePacer(
      () => rate,
      () => performance.now(),
    );
    let taken = 0;
    const turns = new PacedTurns({
      take(bytes) {
        taken += bytes;
        return pacer.take(bytes);
      },
    });
    const sent: number[] = [];
    let excess = 0;
    const left = (i: number) => i >= 30 && i < 99;
    const responses = Array.from({ length: 100 }, (_, i) => {
      const next = () => {
        if (left(i)) throw new Error("the client is gone");
        sent.push(i);
        // What the rate gives, what may come at once, and a slice.
        const allowed = ((performance.now() - start + 100) / 1000) * rate + 2 * size;
        excess = Math.max(excess, sent.length * size - allowed);
      };
      const content = new PacedContent(turns, rate, () => left(i));
      return content.push(new Uint8Array(size), next).catch(() => {});
    });
    await Promise.all(responses);
    expect(excess).toBe(0);
    expect(sent).toEqual([...Array(30).keys(), 99]);
    expect(taken).toBe(sent.length * size);
  });

  test("do not concern responses without content", async () => {
    await using site = await serveSite("limiter { .maxRate = 1K }");
    const answer = await fetch(`http://${site.address}/large`, { method: "HEAD" });
    expect(answer.headers.get("content-length")).toBe(String(256 * 1024));
  });
});

describe("a client whose requests come to nothing good", () => {
  const strict = 'limiter { .strike = ("404", "5xx") .maxStrikes = 3 .strikeWindow = 1m .ban = 10m }';
  /** Strikes are counted some milliseconds after the response. */
  const becomesBanned = async (site: Site) => await expect.poll(async () => (await site.ask("GET /")).status).toBe(403);

  test("is banned for a time, and told for how long", async () => {
    await using site = await serveSite(strict);
    site.at(0);
    expect(await statusesOf(site, ["GET /missing", "GET /fail", "GET /", "GET /missing"])).toEqual([
      404, 500, 200, 404,
    ]);
    await becomesBanned(site);
    expect((await site.ask("GET /")).headers["retry-after"]).toBe("600");
    site.at(599_000);
    expect((await site.ask("GET /")).status).toBe(403);
    site.at(600_001);
    expect((await site.ask("GET /")).status).toBe(200);
    expect(site.lines.join("\n")).toMatch(/clients banned: 1 .*client=127\.0\.0\.1 seconds=600/);
  });

  test("is banned without other clients", async () => {
    await using site = await serveSite(`limiter { .key = $header_x_key .strike = ("404") .maxStrikes = 2 }`);
    const ask = async (key: string, line: string) => (await site.ask(line, { "x-key": key })).status;
    for (const key of ["a", "b", "b"]) await ask(key, "GET /missing");
    await expect.poll(() => ask("b", "GET /")).toBe(403);
    expect(await ask("a", "GET /")).toBe(200);
  });

  test("is only named in the log by a dry run", async () => {
    await using site = await serveSite('limiter { .strike = ("404") .maxStrikes = 1 .dryRun = true }');
    await site.ask("GET /missing");
    await expect.poll(() => site.lines.join("\n")).toContain("clients that it would have banned: 1");
    expect((await site.ask("GET /")).status).toBe(200);
  });
});

test("hemi explain says what is left, and why a client is refused", async () => {
  await using site = await serveSite('limiter { .rate = 2 .per = 1h .strike = ("404") .maxStrikes = 1 .ban = 10m }');
  site.at(0);
  const explained = async () => JSON.stringify(await site.stage.explain({ url: `http://${site.address}/` }));
  expect(await explained()).toContain('lets \\"127.0.0.1\\" through, which has 2 of 2 requests left');
  await site.ask("GET /");
  await site.ask("GET /");
  expect(await explained()).toContain('refuses \\"127.0.0.1\\": it is beyond the rate, for 1800 s');
  site.at(7_200_000);
  await site.ask("GET /missing");
  await expect.poll(explained).toContain('refuses \\"127.0.0.1\\": it is banned');
});

test("metrics count what became of requests, by the names of webapp and limiter", async () => {
  await using site = await serveSite('limiter "api" { .rate = 2 .per = 1h .strike = ("404") } metrics {}');
  await statusesOf(site, ["GET /missing", "GET /", "GET /"]);
  expect(await statusesOf(site, ["GET /"])).toEqual([429]);
  const counts = site.counts("limiter", ["site", "api"]);
  expect(counts).toMatchObject({ passed: 2, rate: 2 });
});

test.each([
  ['.rate = 1 .store = "s"', /\.onDown is required with \.store/],
  ['.rate = 1 .store = "s" .onDown = "open" .scope = "worker"', /either \.scope or \.store/],
])("refuses the configuration { %s }", async (props, message) => {
  await expect(serveSite(`limiter { ${props} }`)).rejects.toThrow(message);
});

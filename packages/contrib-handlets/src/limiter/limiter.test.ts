import { describe, expect, test } from "vitest";
import { keyOfAddress } from "@hemi/common";
import { serveSite } from "../testing/serve-site.ts";

describe("a client", () => {
  test("may do what the rate gives, is told what is left, and gets 429 beyond it", async () => {
    await using site = await serveSite("limiter { .rate = 3 .per = 1m }");
    site.at(5000);
    for (const left of [2, 1, 0]) {
      const answer = await site.ask("GET /");
      expect(answer).toMatchObject({ status: 200, text: "passed" });
      expect(answer.headers["ratelimit-policy"]).toBe('"default";q=3;w=60');
      expect(answer.headers["ratelimit"]).toBe(`"default";r=${left};t=${(3 - left) * 20}`);
      expect(answer.headers["retry-after"]).toBeUndefined();
    }
    site.at(5500);
    const refused = await site.ask("GET /");
    expect(refused).toMatchObject({ status: 429, text: "429 Too Many Requests\n" });
    expect(refused.headers).toMatchObject({ "retry-after": "20", ratelimit: '"default";r=0;t=20' });
    site.at(25_000);
    expect((await site.ask("GET /")).status).toBe(200);
    expect((await site.ask("GET /")).status).toBe(429);
  });

  test("may come in a burst of another size", async () => {
    await using site = await serveSite("limiter { .rate = 2 .burst = 5 }");
    site.at(0);
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await site.ask("GET /")).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    const { headers } = await site.ask("GET /");
    expect(headers).toMatchObject({ "ratelimit-policy": '"default";q=5;w=3', "retry-after": "1" });
  });

  test("is an address", async () => {
    await using site = await serveSite("limiter { .rate = 1 .per = 1h }");
    expect((await site.askFrom("127.0.0.1")).status).toBe(200);
    expect((await site.askFrom("127.0.0.1")).status).toBe(429);
    expect((await site.askFrom("127.0.0.2")).status).toBe(200);
  });

  test("is what the key says; who has none is not limited", async () => {
    await using site = await serveSite("limiter { .key = $header_x_key .rate = 1 .per = 1h }");
    const statusOf = async (key: string) => (await site.ask("GET /", key === "" ? {} : { "x-key": key })).status;
    expect(await statusOf("a")).toBe(200);
    expect(await statusOf("a")).toBe(429);
    expect(await statusOf("b")).toBe(200);
    const long = "x".repeat(8000);
    expect(await statusOf(long)).toBe(200);
    expect(await statusOf(long)).toBe(429);
    expect(await statusOf(`${long}y`)).toBe(200);
    for (let i = 0; i < 3; i++) expect(await statusOf("")).toBe(200);
  });

  test("may be counted by path too", async () => {
    await using site = await serveSite('limiter { .key = $srcHost + " " + $path .rate = 1 .per = 1h }');
    expect((await site.ask("GET /a")).status).toBe(200);
    expect((await site.ask("GET /b")).status).toBe(200);
    expect((await site.ask("GET /a")).status).toBe(429);
  });
});

describe("a request counts once", () => {
  const anew = 'rule $path == "/old" { rewriter { .pattern = "^/old$" .target = "/new" .next = "startAnew" } }';

  test("where the rules start anew with it, and is told so once", async () => {
    await using site = await serveSite(`rule { limiter { .rate = 2 .per = 1h } } ${anew}`);
    site.at(0);
    const answers = [await site.ask("GET /old"), await site.ask("GET /old"), await site.ask("GET /old")];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers.map(({ headers }) => headers["ratelimit"])).toEqual([
      '"default";r=1;t=1800',
      '"default";r=0;t=3600',
      '"default";r=0;t=1800',
    ]);
    expect(answers[0]?.headers["ratelimit-policy"]).toBe('"default";q=2;w=3600');
  });

  test("by the key that it has first, with fields or without", async () => {
    await using site = await serveSite(`rule { limiter { .key = $path .rate = 1 .per = 1h .fields = false } } ${anew}`);
    expect((await site.ask("GET /old")).status).toBe(200);
    expect((await site.ask("GET /new")).status).toBe(200);
    expect((await site.ask("GET /old")).status).toBe(429);
  });

  test("where two rules name one limiter", async () => {
    await using site = await serveSite(
      'rule { .handlets = ("all") } rule { .handlets = ("all") } limiter "all" { .rate = 2 .per = 1h }',
    );
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await site.ask("GET /")).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test("by each limiter", async () => {
    await using site = await serveSite('limiter "a" { .rate = 1 .per = 1h } limiter "b" { .rate = 1 .per = 1h }');
    expect((await site.ask("GET /")).headers["ratelimit"]).toHaveLength(2);
  });
});

test.each([
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
  ["::ffff:10.0.0.1", "10.0.0.1", true],
  ["10.0.0.1", "10.0.0.2", false],
  ["fe80::1%eth0", "fe80::2%eth1", true],
])("%s and %s are one client: %s", (one, other, isOne) => {
  expect(keyOfAddress(one) === keyOfAddress(other)).toBe(isOne);
});

describe("the fields", () => {
  test.each([
    ["/fail", 500],
    ["/teapot", 418],
    ["/missing", 404],
  ])("are on errors too: %s", async (path, status) => {
    await using site = await serveSite("limiter { .rate = 3 }");
    const answer = await site.ask(`GET ${path}`);
    expect(answer.status).toBe(status);
    expect(answer.headers["ratelimit"]).toMatch(/^"default";r=2;t=1$/);
  });

  test("are those of each limiter on the way, by its name", async () => {
    await using site = await serveSite(
      'limiter "per \\second" { .rate = 3 } limiter "per hour" { .rate = 100 .per = 1h }',
    );
    site.at(0);
    const { headers } = await site.ask("GET /");
    expect(headers["ratelimit-policy"]).toEqual(['"per hour";q=100;w=3600', '"per \\\\second";q=3;w=1']);
    expect(headers["ratelimit"]).toEqual(['"per hour";r=99;t=36', '"per \\\\second";r=2;t=1']);
  });

  test("can be left out", async () => {
    await using site = await serveSite("limiter { .rate = 1 .per = 1h .fields = false }");
    const answers = [await site.ask("GET /"), await site.ask("GET /")];
    expect(answers.map(({ status }) => status)).toEqual([200, 429]);
    for (const { headers } of answers) expect(Object.keys(headers).join()).not.toContain("ratelimit");
    expect(answers[1]?.headers["retry-after"]).toBe("3600");
  });
});

describe("the log", () => {
  test("counts refusals and is not filled by them", async () => {
    await using site = await serveSite("limiter { .rate = 1 .per = 1h }");
    const refusals = () => site.lines.filter((line) => line.includes("requests refused"));
    site.at(0);
    for (let i = 0; i < 10; i++) await site.ask("GET /");
    expect(refusals()).toHaveLength(1);
    expect(refusals()[0]).toContain("requests refused: 1");
    site.at(10_000);
    await site.ask("GET /");
    expect(refusals()).toHaveLength(2);
    expect(refusals()[1]).toContain("requests refused: 9");
  });

  test("is all that a dry run does", async () => {
    await using site = await serveSite("limiter { .rate = 1 .per = 1h .dryRun = true }");
    for (let i = 0; i < 3; i++) {
      const answer = await site.ask("GET /");
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.headers).join()).not.toContain("ratelimit");
    }
    expect(site.lines.join("")).toMatch(/requests that it would have refused: 1/);
  });

  test("tells once that there are more clients than it can remember", async () => {
    await using site = await serveSite("limiter { .key = $query_k .rate = 1 .per = 1h .maxKeys = 2 }");
    for (const key of ["a", "b", "c", "d", "e"]) expect((await site.ask(`GET /?k=${key}`)).status).toBe(200);
    expect((await site.ask("GET /?k=e")).status).toBe(429);
    expect((await site.ask("GET /?k=a")).status).toBe(200);
    expect(site.lines.filter((line) => line.includes("maxKeys"))).toHaveLength(1);
  });
});

test("it takes a new rate while it runs, and keeps its counts", async () => {
  await using site = await serveSite("limiter { .rate = 1 .per = 1h }");
  const path = "webapp.site/rule.1/limiter";
  site.at(0);
  await site.ask("GET /");
  site.change(path, { rate: 3600 });
  site.at(1000);
  expect((await site.ask("GET /")).headers["ratelimit-policy"]).toBe('"default";q=3600;w=3600');
  site.change(path, { dryRun: true });
  expect((await site.ask("GET /")).status).toBe(200);
});

test.each(['"all"', '"$5 a month"', '$srcHost + " $path"'])("takes the key %s", async (key) => {
  await using site = await serveSite(`limiter { .rate = 1 .key = ${key} }`);
  expect((await site.ask("GET /")).status).toBe(200);
});

test.each([
  ["", /it limits nothing.*set \.rate, \.maxConcurrent, \.maxRate or \.strike/s],
  ['.rate = 1 .store = "none"', /none/],
  ['.strike = ("4xx", "200 OK")', /a status such as "401" or "4xx"/],
  [".rate = 0", /from 1 to/],
  [".rate = 1 .burst = 0", /from 1 to/],
  [".rate = 1 .per = 0s", /from 1ms to/],
  [".rate = 1 .key = $srcHots", /did you mean \$srcHost/],
  ['.rate = 1 .key = "$header_x_k"', /"\$header_x_k" is the same text for all clients.*write \$header_x_k$/s],
  ['.rate = 1 .key = "a $srcHost/$path"', /write "a " \+ \$srcHost \+ "\/" \+ \$path$/s],
])("refuses the configuration { %s }", async (props, message) => {
  await expect(serveSite(`limiter { ${props} }`)).rejects.toThrow(message);
});

import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { hashPassword } from "./index.ts";
import { serveSite } from "./testing/serve-site.ts";

const { scryptCalls, scryptCosts, scryptGate } = vi.hoisted(() => ({
  /** What was hashed, and with which N. */
  scryptCalls: [] as string[],
  scryptCosts: [] as (number | undefined)[],
  /** While set, hashings wait for it. */
  scryptGate: { wait: undefined as Promise<void> | undefined, error: undefined as Error | undefined },
}));

vi.mock(import("node:crypto"), async (importActual) => {
  const actual = await importActual();
  const scrypt = (...args: Parameters<typeof actual.scrypt>) => {
    scryptCalls.push(Buffer.from(args[0] as string).toString());
    scryptCosts.push(args[3].N);
    if (scryptGate.error !== undefined) return void setImmediate(args[4], scryptGate.error, Buffer.alloc(0));
    if (scryptGate.wait === undefined) actual.scrypt(...args);
    else void scryptGate.wait.then(() => actual.scrypt(...args));
  };
  return { ...actual, scrypt: scrypt as typeof actual.scrypt };
});

const cheap = { ln: 4, r: 8, p: 1 };
let users = "";
let ann = "";
let other = "";

beforeAll(async () => {
  ann = await hashPassword("open sesame", cheap);
  other = await hashPassword("new password", cheap);
  users = `.users = ["ann": "${ann}", "jürgen": "${await hashPassword("größe:1", cheap)}"]`;
  scryptCalls.length = 0;
});

afterEach(() => {
  scryptCalls.length = 0;
  scryptGate.wait = undefined;
  scryptGate.error = undefined;
});

function login(credentials: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}

describe("who is let in", () => {
  test("is known to the handlets behind", async () => {
    await using site = await serveSite(`basicAuth { ${users} }`);
    expect(await site.ask("GET /", login("ann:open sesame"))).toMatchObject({ status: 200, text: "passed as ann" });
    expect((await site.ask("GET /", login("jürgen:größe:1"))).text).toBe("passed as jürgen");
    expect((await site.ask("GET /", login("jürgen:größe:1".normalize("NFD")))).text).toBe("passed as jürgen");
  });

  test.each(["basic", "BASIC", "Basic  "])("may write the scheme as %j", async (scheme) => {
    await using site = await serveSite(`basicAuth { ${users} }`);
    const authorization = login("ann:open sesame").authorization.replace("Basic", scheme);
    expect((await site.ask("GET /", { authorization })).status).toBe(200);
  });
});

describe("who is not", () => {
  test("is asked, over a charset that all passwords have", async () => {
    await using site = await serveSite(`basicAuth { ${users} }`);
    expect(await site.ask("GET /")).toMatchObject({
      status: 401,
      text: "401 Unauthorized\n",
      headers: { "www-authenticate": 'Basic realm="restricted", charset="UTF-8"' },
    });
  });

  test("is shown the page of the webapp for 401, and asked all the same", async () => {
    const page = new URL("../package.json", import.meta.url).pathname;
    await using site = await serveSite(`.errorPages = ["4xx": "${page}"] rule { basicAuth { ${users} } }`);
    expect(await site.ask("GET /")).toMatchObject({
      status: 401,
      text: expect.stringContaining("@hemi/contrib-handlets"),
      headers: {
        "content-type": "application/json",
        "www-authenticate": 'Basic realm="restricted", charset="UTF-8"',
      },
    });
  });

  test("is asked in the name of the realm, whatever it holds", async () => {
    await using site = await serveSite(`basicAuth { ${users} .realm = \`the "inner" \\ circle\` }`);
    const { headers } = await site.ask("GET /");
    expect(headers["www-authenticate"]).toBe('Basic realm="the \\"inner\\" \\\\ circle", charset="UTF-8"');
  });

  test.each(["ann:wrong", "ann:", "ann:open sesame ", "Ann:open sesame", "eve:open sesame", "jürgen:open sesame"])(
    "has the wrong credentials %j, and they are hashed all the same",
    async (credentials) => {
      await using site = await serveSite(`basicAuth { ${users} }`);
      const answer = await site.ask("GET /", login(credentials));
      expect(answer.status).toBe(401);
      expect(answer.headers["www-authenticate"]).toBeDefined();
      expect(scryptCalls).toHaveLength(1);
    },
  );

  const encoded = Buffer.from("ann:open sesame").toString("base64");
  test.each([
    ["", "nothing"],
    ["Basic", "no credentials"],
    [`Bearer ${encoded}`, "another scheme"],
    [`Basic${encoded}`, "no space"],
    [`Basic ${encoded}!`, "no base64"],
    [`Basic ${encoded}, Basic ${encoded}`, "two of them"],
    [`Basic ${Buffer.from("no colon").toString("base64")}`, "no colon"],
    [`Basic ${Buffer.from(":open sesame").toString("base64")}`, "no name"],
    [`Basic ${Buffer.from("ann:open\0sesame").toString("base64")}`, "a control character"],
    [`Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString("base64")}`, "no UTF-8"],
  ])("sends %j: %s, and nothing is hashed", async (authorization) => {
    await using site = await serveSite(`basicAuth { ${users} }`);
    expect((await site.ask("GET /", { authorization })).status).toBe(401);
    expect(scryptCalls).toEqual([]);
  });

  test("nobody is who has the hash as the password", async () => {
    await using site = await serveSite(`basicAuth { ${users} }`);
    expect((await site.ask("GET /", login(`ann:${ann}`))).status).toBe(401);
  });
});

describe("remembering", () => {
  test("spares the hashing of what was right, for a while", async () => {
    await using site = await serveSite(`basicAuth { ${users} .rememberFor = 10s }`);
    const statusAt = async (now: number, credentials = "ann:open sesame") => {
      site.at(now);
      return (await site.ask("GET /", login(credentials))).status;
    };
    expect(await statusAt(0)).toBe(200);
    expect(await statusAt(9999)).toBe(200);
    expect(scryptCalls).toHaveLength(1);
    expect(await statusAt(10_000)).toBe(200);
    expect(scryptCalls).toHaveLength(2);
    expect(await statusAt(10_001, "ann:open sesamE")).toBe(401);
    expect(await statusAt(10_002, "jürgen:open sesame")).toBe(401);
    expect(scryptCalls).toHaveLength(4);
  });

  test("never keeps what was wrong", async () => {
    await using site = await serveSite(`basicAuth { ${users} }`);
    for (let i = 0; i < 3; i++) expect((await site.ask("GET /", login("ann:wrong"))).status).toBe(401);
    expect(scryptCalls).toHaveLength(3);
  });

  test("can be turned off", async () => {
    await using site = await serveSite(`basicAuth { ${users} .rememberFor = 0s }`);
    for (let i = 0; i < 3; i++) await site.ask("GET /", login("ann:open sesame"));
    expect(scryptCalls).toHaveLength(3);
  });

  test("has a bound", async () => {
    await using site = await serveSite(`basicAuth { ${users} .maxRemembered = 1 }`);
    for (const credentials of ["ann:open sesame", "jürgen:größe:1", "ann:open sesame"]) {
      expect((await site.ask("GET /", login(credentials))).status).toBe(200);
    }
    expect(scryptCalls).toHaveLength(3);
  });

  test("ends when the users change, also for what is being hashed meanwhile", async () => {
    await using site = await serveSite(`basicAuth { ${users} }`);
    const gate = Promise.withResolvers<undefined>();
    scryptGate.wait = gate.promise;
    const early = site.ask("GET /", login("ann:open sesame"));
    await expect.poll(() => scryptCalls).toHaveLength(1);
    site.change("webapp.site/rule.1/basicAuth", { users: new Map([["ann", other]]) });
    gate.resolve(undefined);
    expect((await early).status).toBe(200);
    expect((await site.ask("GET /", login("ann:open sesame"))).status).toBe(401);
    expect((await site.ask("GET /", login("ann:new password"))).status).toBe(200);
  });
});

describe("a flood", () => {
  test("of one login is hashed once", async () => {
    await using site = await serveSite(`basicAuth { ${users} .maxWaiting = 0 }`);
    const answers = await Promise.all(Array.from({ length: 20 }, () => site.ask("GET /", login("ann:open sesame"))));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(scryptCalls).toHaveLength(1);
  });

  test("of many passwords is hashed a few at a time; what waits beyond the bound gets 503, and the log says so once", async () => {
    await using site = await serveSite(`basicAuth { ${users} .maxWaiting = 3 }`);
    site.at(0);
    const gate = Promise.withResolvers<undefined>();
    scryptGate.wait = gate.promise;
    const answers = Array.from({ length: 10 }, (_, i) => site.ask("GET /", login(`ann:guess ${i}`)));
    const refused = await Promise.all(answers.slice(4));
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "1" }, text: "503 Service Unavailable\n" });
    }
    expect(scryptCalls).toEqual(["guess 0"]);
    expect(site.lines.filter((line) => line.includes("maxWaiting"))).toHaveLength(1);
    gate.resolve(undefined);
    const guesses = await Promise.all(answers.slice(0, 4));
    expect(guesses.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect((await site.ask("GET /", login("ann:open sesame"))).status).toBe(200);
  });
});

test("a flood from one address does not lock out who comes from another and is not remembered", async () => {
  await using site = await serveSite(`basicAuth { ${users} .maxWaiting = 3 }`);
  const gate = Promise.withResolvers<undefined>();
  scryptGate.wait = gate.promise;
  const flood = Array.from({ length: 80 }, (_, i) => site.ask("GET /", login(`ann:guess ${i}`)));
  await Promise.all(flood.slice(4));
  const user = site.askFrom("127.0.0.2", "/", login("ann:open sesame"));
  // The last of the flood makes room for it, and the user does not wait behind what is left of the flood.
  expect(await flood[3]).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
  gate.resolve(undefined);
  expect((await user).status).toBe(200);
  await Promise.all(flood);
  expect(scryptCalls).toEqual(["guess 0", "guess 1", "open sesame", "guess 2"]);
});

test("a client that goes while its password waits gives its place in the queue up", async () => {
  await using site = await serveSite(`basicAuth { ${users} .maxWaiting = 2 }`);
  const gate = Promise.withResolvers<undefined>();
  scryptGate.wait = gate.promise;
  const running = site.ask("GET /", login("ann:guess 0"));
  const { hostname, port } = new URL(`http://${site.address}`);
  const gone = await Promise.all(
    [1, 2].map(async (i) => {
      const socket = connect({ host: hostname, port: Number(port) });
      await once(socket, "connect");
      const { authorization } = login(`ann:guess ${i}`);
      socket.write(`GET / HTTP/1.1\r\nhost: site.example\r\nauthorization: ${authorization}\r\n\r\n`);
      return socket;
    }),
  );
  // A connection that begins now is served after what has been sent before.
  expect((await site.askFrom("127.0.0.1")).status).toBe(401);
  expect((await site.ask("GET /", login("ann:too many"))).status).toBe(503);
  for (const socket of gone) socket.destroy();
  expect((await site.askFrom("127.0.0.1")).status).toBe(401);
  const user = site.ask("GET /", login("ann:open sesame"));
  gate.resolve(undefined);
  expect((await user).status).toBe(200);
  await running;
  expect(scryptCalls).toEqual(["guess 0", "open sesame"]);
});

test("who is remembered is let in at once, however many wait", async () => {
  await using site = await serveSite(`basicAuth { ${users} .maxWaiting = 1 }`);
  expect((await site.ask("GET /", login("ann:open sesame"))).status).toBe(200);
  const gate = Promise.withResolvers<undefined>();
  scryptGate.wait = gate.promise;
  const flood = Array.from({ length: 3 }, (_, i) => site.ask("GET /", login(`ann:guess ${i}`)));
  expect((await flood[2])?.status).toBe(503);
  expect((await site.ask("GET /", login("ann:open sesame"))).status).toBe(200);
  gate.resolve(undefined);
  await Promise.all(flood);
});

test("all basicAuth together hash on a quarter of the threads", async () => {
  const guarded = (path: string): string => `rule $path == "${path}" { basicAuth { ${users} } }`;
  await using site = await serveSite(guarded("/a") + guarded("/b"));
  const gate = Promise.withResolvers<undefined>();
  scryptGate.wait = gate.promise;
  const asked = ["/a", "/b"].map((path) => site.ask(`GET ${path}`, login(`ann:guess ${path}`)));
  await expect.poll(() => scryptCalls).toHaveLength(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(scryptCalls).toEqual(["guess /a"]);
  gate.resolve(undefined);
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([401, 401]);
});

test("a hashing that fails is a 500, and its turn goes on to the next", async () => {
  await using site = await serveSite(`basicAuth { ${users} }`);
  scryptGate.error = new Error("out of memory");
  const asked = ["ann:a", "ann:b", "ann:c"].map((credentials) => site.ask("GET /", login(credentials)));
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([500, 500, 500]);
  expect(site.lines.join("")).toContain("out of memory");
  scryptGate.error = undefined;
  expect((await site.ask("GET /", login("ann:open sesame"))).status).toBe(200);
});

test("an unknown name costs what the dearest user costs, and the log tells of users who cost less", async () => {
  const dear = await hashPassword("dear", { ln: 6, r: 8, p: 1 });
  await using site = await serveSite(`basicAuth { .users = ["ann": "${ann}", "bob": "${dear}"] }`);
  expect(site.lines.join("")).toMatch(/the passwords of some users cost less to hash than others/);
  expect((await site.ask("GET /", login("eve:dear"))).status).toBe(401);
  expect(scryptCosts.at(-1)).toBe(64);
  await using even = await serveSite(`basicAuth { ${users} }`);
  expect(even.lines.join("")).not.toMatch(/cost less/);
});

test.each([
  ["", /it would let nobody in.*set \.users or \.usersFile/s],
  [".users = []", /it would let nobody in/],
  ['.users = ["ann": "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"]', /or one of htpasswd/],
  ['.users = ["ann": "open sesame"]', /\.users\["ann"\] takes a hash such as .*make one by `hemi hash-password`/s],
  ['.users = ["a:b": "HASH"]', /\.users\["a:b"\]: a name has no colon/],
  ['.users = ["": "HASH"]', /is not empty/],
  ['.users = ["ann": "HASH"] .realm = "Ünter"', /printable ASCII/],
  ['.users = ["ann": "HASH"] .maxWaiting = 10001', /10000/],
])("refuses the configuration { %s }", async (props, message) => {
  await expect(serveSite(`basicAuth { ${props.replace("HASH", ann)} }`)).rejects.toThrow(message);
});

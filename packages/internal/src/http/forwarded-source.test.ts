import { BlockList, isIPv4 } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { ListedFields } from "./fields.ts";
import { forwardedClient, type ForwardedTrust } from "./forwarded-source.ts";
import { serve } from "../testing/serve.ts";
import { request } from "../testing/raw-client.ts";

const set = new BlockList();
set.addSubnet("10.0.0.0", 8, "ipv4");
set.addSubnet("fd00::", 8, "ipv6");
const trustForwarded = { texts: [], contains: (ip: string) => set.check(ip, isIPv4(ip) ? "ipv4" : "ipv6") };
const sender = { address: "10.0.0.1", port: 4000 };

function source(
  value: string | readonly string[],
  forwardedField: ForwardedTrust["forwardedField"] = "x-forwarded-for",
): string {
  const values = typeof value === "string" ? [value] : value;
  const fields = new ListedFields(values.flatMap((value) => [forwardedField, value]));
  const { address, port } = forwardedClient(sender, fields, { trustForwarded, forwardedField }).source;
  return port === 0 ? address : `${address} ${port}`;
}

test("the rightmost address that is not trusted is the client's", () => {
  expect(source("203.0.113.7")).toBe("203.0.113.7");
  expect(source("192.0.2.66, 203.0.113.7")).toBe("203.0.113.7");
  expect(source("192.0.2.66, 203.0.113.7, 10.0.0.9 , fd00::1")).toBe("203.0.113.7");
  expect(source(["192.0.2.66", "203.0.113.7", "10.0.0.9"])).toBe("203.0.113.7");
});

test("where all are trusted, the first of them is the client", () => {
  expect(source("10.0.0.3, 10.0.0.2")).toBe("10.0.0.3");
  expect(source([])).toBe("10.0.0.1 4000");
});

test("what is no address is never taken for the address of the proxy that says it", () => {
  for (const entry of [
    "unknown",
    "",
    "203.0.113.7.1",
    "203.0.113.7:99999",
    "[203.0.113.7]",
    "fe80::1%eth0",
    "a.example",
  ]) {
    expect(source(`203.0.113.7, ${entry}`), entry).toBe("unknown");
    expect(source(`203.0.113.7, ${entry}, 10.0.0.2`), entry).toBe("unknown");
  }
});

test("an entry may have a port and brackets, and has one form in the end", () => {
  expect(source("203.0.113.7:51234")).toBe("203.0.113.7 51234");
  expect(source("[2001:DB8:0::7]:51234")).toBe("2001:db8::7 51234");
  expect(source("2001:db8::7")).toBe("2001:db8::7");
  expect(source("::ffff:203.0.113.7")).toBe("203.0.113.7");
  expect(source("203.0.113.7, ::ffff:10.0.0.2")).toBe("203.0.113.7");
});

test("who keeps an address does not keep the head that named it", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const padding = "x".repeat(16_000);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: 1000 }, (_, i) => {
    const address = `203.113.${100 + (i % 100)}.${100 + Math.floor(i / 100)}`;
    // Each is a text of its own.
    const told = (entry: string) => Buffer.from(`${padding}, ${entry}`).toString("latin1");
    return [source(told(address)), source(told(`for=${address}`), "forwarded")];
  });
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000);
  expect(new Set(kept.flat()).size).toBe(1000);
});

test("forwarded is read as RFC 7239 has it", () => {
  const forwarded = (value: string) => source(value, "forwarded");
  expect(forwarded("for=203.0.113.7")).toBe("203.0.113.7");
  expect(forwarded('For="[2001:db8::7]:4711"')).toBe("2001:db8::7 4711");
  expect(forwarded('for=192.0.2.66, for=203.0.113.7;by="x,y;for=1.2.3.4";proto=https, by=1;for=10.0.0.2')).toBe(
    "203.0.113.7",
  );
  expect(forwarded("for=203.0.113.7, by=10.0.0.2")).toBe("unknown");
  expect(forwarded("for=203.0.113.7, for=_hidden")).toBe("unknown");
  expect(forwarded('for=203.0.113.7, for="10.0.0.2')).toBe("unknown");
  expect(forwarded("for=203.0.113.7, for=10.0.0.2;for=10.0.0.3")).toBe("unknown");
  expect(forwarded(String.raw`for=203.0.113.7, for=10.0.0.2;host="a\",for=192.0.2.66,\\"`)).toBe("203.0.113.7");
});

test("a quote that a client leaves open does not hide it behind the trusted proxy", () => {
  for (const claim of ['for="x', 'for="', '"', 'for=192.0.2.66;by="\\', 'for="\\"', "for=x;"]) {
    expect(source(`${claim}, for=203.0.113.7`, "forwarded"), claim).toBe("203.0.113.7");
    expect(source([claim, "for=203.0.113.7"], "forwarded"), claim).toBe("203.0.113.7");
    expect(source([claim, 'for="203.0.113.7:80";proto=http, for=10.0.0.2'], "forwarded"), claim).toBe("203.0.113.7 80");
  }
});

test("who is not trusted is the client, whatever it says", () => {
  const fields = new ListedFields(["x-forwarded-for", "203.0.113.7"]);
  const stranger = { address: "192.0.2.1", port: 1 };
  expect(forwardedClient(stranger, fields, { trustForwarded, forwardedField: "x-forwarded-for" }).source).toBe(
    stranger,
  );
});

describe("the scheme", () => {
  function scheme(list: readonly string[], forwardedField: ForwardedTrust["forwardedField"] = "x-forwarded-for") {
    return forwardedClient(sender, new ListedFields(list), { trustForwarded, forwardedField }).scheme;
  }

  test("of a single x-forwarded-proto is the client's, behind one proxy or several", () => {
    for (const xff of ["203.0.113.7", "192.0.2.66, 203.0.113.7, 10.0.0.9", "10.0.0.3, 10.0.0.2", "unknown", ""]) {
      expect(scheme(["x-forwarded-for", xff, "x-forwarded-proto", "https"]), xff).toBe("https");
      expect(scheme(["x-forwarded-for", xff, "x-forwarded-proto", "http"]), xff).toBe("http");
    }
    expect(scheme(["x-forwarded-proto", "https"])).toBe("https");
    expect(scheme(["x-forwarded-proto", "", "x-forwarded-proto", "https"])).toBe("https");
  });

  test.each([
    ["203.0.113.7", ["http, https"], "https"],
    ["203.0.113.7", ["https, http"], "http"],
    ["203.0.113.7", ["https", "http"], "http"],
    ["203.0.113.7, 10.0.0.9", ["https, http"], "https"],
    ["203.0.113.7, 10.0.0.9", ["https", "http"], "https"],
    ["203.0.113.7, 10.0.0.9", ["https, http, http"], "http"],
    ["192.0.2.66, 203.0.113.7, 10.0.0.9", ["https,https", "http, https"], "http"],
    ["203.0.113.7, 10.0.0.9, 10.0.0.2", ["https, http"], undefined],
    ["10.0.0.3, 10.0.0.2", ["https, http"], "https"],
    ["203.0.113.7, unknown, 10.0.0.9", ["https, http, https"], "http"],
    [undefined, ["https, http"], "http"],
  ])("behind %j is the one of %j that the same proxy has added: %s", (xff, values, told) => {
    const sources = xff === undefined ? [] : ["x-forwarded-for", xff];
    expect(scheme([...sources, ...values.flatMap((value) => ["x-forwarded-proto", value])])).toBe(told);
  });

  test.each(["ftp", "https:", "https;", "httpss", "http s", '"https"', "on", "1", ",", "https,", "https, x", " "])(
    "is no other word than http and https: %j",
    (value) => {
      expect(scheme(["x-forwarded-for", "203.0.113.7", "x-forwarded-proto", value])).toBeUndefined();
    },
  );

  test("of a WebSocket handshake is that of its HTTP request", () => {
    expect(scheme(["x-forwarded-for", "203.0.113.7", "x-forwarded-proto", "wss"])).toBe("https");
    expect(scheme(["x-forwarded-for", "203.0.113.7", "x-forwarded-proto", "ws"])).toBe("http");
  });

  test("has no case", () => {
    expect(scheme(["x-forwarded-proto", " HTTPS\t"])).toBe("https");
    expect(scheme(["forwarded", "for=203.0.113.7;PROTO=Https"], "forwarded")).toBe("https");
  });

  test.each([
    ["for=203.0.113.7;proto=https", "https"],
    ['for=203.0.113.7;proto="https"', "https"],
    ["proto=https;for=203.0.113.7", "https"],
    ["for=203.0.113.7;proto=http, for=10.0.0.9;proto=https", "http"],
    ["for=192.0.2.66;proto=https, for=203.0.113.7", undefined],
    ["for=203.0.113.7, for=10.0.0.9;proto=https", undefined],
    ["for=203.0.113.7;proto=https;proto=http", undefined],
    ["for=_hidden;proto=https", "https"],
    ["for=192.0.2.66;proto=http, proto=https", "https"],
    ['for=192.0.2.66;proto=https;by=", for=203.0.113.7;proto=http', "http"],
    ["for=203.0.113.7;proto=ftp", undefined],
    ["", undefined],
  ])("of %j is that of the element that names the client: %s", (value, told) => {
    expect(scheme(["forwarded", value], "forwarded")).toBe(told);
  });

  test("is read in no other field than the client's address", () => {
    const both = ["forwarded", "for=203.0.113.7;proto=https", "x-forwarded-for", "203.0.113.7"];
    expect(scheme(both)).toBeUndefined();
    expect(scheme([...both, "x-forwarded-proto", "http"], "forwarded")).toBe("https");
    expect(scheme(["forwarded", "for=203.0.113.7", "x-forwarded-proto", "https"], "forwarded")).toBeUndefined();
  });

  test("of who is not trusted is not told", () => {
    const fields = new ListedFields(["x-forwarded-for", "10.0.0.1", "x-forwarded-proto", "https"]);
    const stranger = { address: "192.0.2.1", port: 1 };
    expect(forwardedClient(stranger, fields, { trustForwarded, forwardedField: "x-forwarded-for" })).toEqual({
      hasTrustedSender: false,
      source: stranger,
      scheme: undefined,
    });
  });
});

test("a server believes the named addresses, in the named field, and nobody by default", async () => {
  const ask = async (
    settings: Readonly<Record<string, string | readonly string[]>>,
    fields: Record<string, string>,
  ) => {
    await using server = await serve({
      handlets: [
        (req, resp) => {
          resp.send(`${req.srcHost} ${req.peer.address}`);
          return true;
        },
      ],
      settings,
    });
    return (await server.ask(request("GET /", fields))).text;
  };
  const both = { "x-forwarded-for": "203.0.113.7", forwarded: "for=192.0.2.66" };
  expect(await ask({}, both)).toBe("127.0.0.1 127.0.0.1");
  expect(await ask({ trustForwarded: ["127.0.0.1"] }, both)).toBe("203.0.113.7 127.0.0.1");
  expect(await ask({ trustForwarded: ["127.0.0.1"], forwardedField: "forwarded" }, both)).toBe("192.0.2.66 127.0.0.1");
  expect(await ask({ trustForwarded: ["10.0.0.0/8"] }, both)).toBe("127.0.0.1 127.0.0.1");
});

test("who sends is judged as the PROXY protocol tells", async () => {
  await using server = await serve({
    handlets: [
      (req, resp) => {
        resp.send(`${req.srcHost} ${req.sender.address} ${req.peer.address}`);
        return true;
      },
    ],
    settings: { proxyProtocol: ["127.0.0.1"], trustForwarded: ["10.0.0.0/8"] },
  });
  const fields = { "x-forwarded-for": "203.0.113.7" };
  await using trusted = await server.connect();
  trusted.send("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + request("GET /", fields));
  expect((await trusted.response()).text).toBe("203.0.113.7 10.0.0.1 127.0.0.1");
  await using stranger = await server.connect();
  stranger.send("PROXY TCP4 192.0.2.1 10.0.0.2 1 2\r\n" + request("GET /", fields));
  expect((await stranger.response()).text).toBe("192.0.2.1 192.0.2.1 127.0.0.1");
});

test("a subrequest comes from where the request comes from that made it", async () => {
  await using server = await serve({
    handlets: [
      async (req, resp) => {
        if (req.path === "/inner") {
          resp.send(req.srcHost);
          return true;
        }
        const pieces: Uint8Array[] = [];
        for await (const piece of (await req.subrequest("/inner")).content) pieces.push(piece);
        resp.send(Buffer.concat(pieces));
        return true;
      },
    ],
    settings: { trustForwarded: ["127.0.0.1"] },
  });
  const { text } = await server.ask(request("GET /", { "x-forwarded-for": "203.0.113.7" }));
  expect(text).toBe("203.0.113.7");
});

describe("that a request came by TLS", () => {
  const ask = async (settings: Record<string, string | string[]>, target: string, fields = {}, tls = false) => {
    await using server = await serve({
      tls,
      handlets: [
        (req, resp) => {
          resp.send(`${req.scheme} ${req.targetScheme}`);
          return true;
        },
      ],
      settings,
    });
    return (await server.ask(request(`GET ${target}`, { host: "a.example", ...fields }))).text;
  };
  const trusted = { trustForwarded: ["127.0.0.1"] };
  const byTls = { "x-forwarded-proto": "https", forwarded: "for=203.0.113.7;proto=https" };

  test("is believed of trusted proxies only, if they say it in the target", async () => {
    expect(await ask({}, "/")).toBe("http http");
    expect(await ask({}, "https://a.example/")).toBe("http https");
    expect(await ask({ trustForwarded: ["10.0.0.0/8"] }, "https://a.example/")).toBe("http https");
    expect(await ask(trusted, "https://a.example/")).toBe("https https");
    expect(await ask(trusted, "http://a.example/")).toBe("http http");
  });

  test("is believed of trusted proxies only, if they say it in a field", async () => {
    expect(await ask({}, "/", byTls)).toBe("http http");
    expect(await ask({ trustForwarded: ["10.0.0.0/8"] }, "/", byTls)).toBe("http http");
    expect(await ask(trusted, "/", byTls)).toBe("https https");
    expect(await ask({ ...trusted, forwardedField: "forwarded" }, "/", byTls)).toBe("https https");
    expect(await ask({ ...trusted, forwardedField: "forwarded" }, "/", { "x-forwarded-proto": "https" })).toBe(
      "http http",
    );
  });

  test("to a trusted proxy is another matter than that the proxy uses TLS", async () => {
    const byHttp = { "x-forwarded-proto": "http" };
    expect(await ask(trusted, "/", byHttp, true)).toBe("http http");
    expect(await ask(trusted, "/", {}, true)).toBe("https https");
    expect(await ask({}, "/", byHttp, true)).toBe("https https");
  });

  test("is read in the field rather than in the target, unless the field says nothing that is known", async () => {
    expect(await ask(trusted, "http://a.example/", byTls)).toBe("https http");
    expect(await ask(trusted, "https://a.example/", { "x-forwarded-proto": "http" })).toBe("http https");
    expect(await ask(trusted, "https://a.example/", { "x-forwarded-proto": "on" })).toBe("https https");
  });
});

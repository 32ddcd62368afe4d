import { BlockList, isIPv4 } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { ListedFields } from "./fields.ts";
import { forwardedSource, type ForwardedTrust } from "./forwarded-source.ts";
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
  const { address, port } = forwardedSource(sender, fields, { trustForwarded, forwardedField });
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
  expect(forwardedSource(stranger, fields, { trustForwarded, forwardedField: "x-forwarded-for" })).toBe(stranger);
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

test("that a request came by TLS is believed of trusted proxies only", async () => {
  const ask = async (settings: Record<string, string[]>, target: string) => {
    await using server = await serve({
      handlets: [
        (req, resp) => {
          resp.send(`${req.scheme} ${req.targetScheme}`);
          return true;
        },
      ],
      settings,
    });
    return (await server.ask(`GET ${target} HTTP/1.1\r\nhost: a.example\r\n\r\n`)).text;
  };
  expect(await ask({}, "/")).toBe("http http");
  expect(await ask({}, "https://a.example/")).toBe("http https");
  expect(await ask({ trustForwarded: ["10.0.0.0/8"] }, "https://a.example/")).toBe("http https");
  expect(await ask({ trustForwarded: ["127.0.0.1"] }, "https://a.example/")).toBe("https https");
  expect(await ask({ trustForwarded: ["127.0.0.1"] }, "http://a.example/")).toBe("http http");
});

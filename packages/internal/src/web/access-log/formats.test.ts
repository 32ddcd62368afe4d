import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import type { InjectRequest } from "../wires/inject-request.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { defineHandlet, type HandletPart } from "../kinds.ts";
import { request } from "../../testing/raw-client.ts";
import { serve } from "../../testing/serve.ts";
import { webVariables } from "../conditions/variables.ts";
import { accessVariables } from "./access-variables.ts";

const { bootText } = bootWith([]);
const temporary = () => mkdtempDisposable(join(tmpdir(), "hemi-formats-"));
const hello = defineHandlet({
  sign: "hello",
  create: () => ({ handle: (_req, resp) => (resp.setCookie("a", "secret"), resp.send("hello"), true) }),
});

const configWith = (accessLog: string): string => `stage {
  webapp "app" { .hostnames = ("*") .accessLog = [${accessLog}] rule { hello {} } }
  httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
}`;

/** What is in the log once the requests have been answered. */
async function logOf(accessLog: string, requests: readonly InjectRequest[]): Promise<string> {
  await using dir = await temporary();
  {
    const log = openErrorLog({ sink: new MemorySink() });
    const text = configWith(`"file": "access.log", ${accessLog}`);
    await using stage = await bootText(text, { log, baseDir: dir.path, use: [pack("test", [hello])] });
    await stage.start();
    for (const request of requests) await stage.inject(request);
  }
  return await readFile(join(dir.path, "access.log"), "utf8");
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

test("a template tells fields of the answer, but for secret ones", async () => {
  const line = await logOf('"format": $sent_Content_Type + " " + $sent_x_none + " " + $sent_set_cookie', [
    { url: "/" },
  ]);
  expect(line).toBe("text/plain; charset=utf-8 - [redacted]\n");
});

describe("a line in JSON", () => {
  test("has all of its keys, numbers as numbers", async () => {
    const headers = { referer: "https://a.example/?b", "user-agent": "curl/8" };
    const line = await logOf('"format": "json"', [{ url: "http://shop.example:8080/a%20b?c=d", headers }]);
    const fields = JSON.parse(line) as Record<string, unknown>;
    const duration = expect.any(Number) as number;
    expect(fields).toEqual({
      time,
      requestId: expect.stringMatching(/^\w+-\w+-\w+$/) as string,
      srcHost: "127.0.0.1",
      srcPort: 0,
      method: "GET",
      scheme: "http",
      authority: "shop.example:8080",
      uri: "/a%20b?c=d",
      version: "1.1",
      status: 200,
      contentSent: 5,
      endReason: "complete",
      referer: "https://a.example/?b",
      userAgent: "curl/8",
      headTime: 0,
      handleTime: duration,
      sendTime: 0,
      totalTime: duration,
    });
    expect(fields["totalTime"]).toBe(fields["handleTime"]);
  });

  test("has its keys in one order, and nothing of a request that has nothing", async () => {
    const line = await logOf('"format": "json"', [{ url: "/" }]);
    expect(line).toMatch(
      /^\{"time":"[^"]+","requestId":"[^"]+","srcHost":"127\.0\.0\.1","srcPort":0,"method":"GET","scheme":"http","authority":"","uri":"\/","version":"1\.1","status":200,"contentSent":5,"endReason":"complete","referer":"","userAgent":"","headTime":0\.000,"handleTime":\d+\.\d{3},"sendTime":0\.000,"totalTime":\d+\.\d{3}\}\n$/,
    );
  });
});

const strange = fc.string({ unit: "binary", maxLength: 40 });

test("no user agent, referer or target makes a line that its readers do not understand", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(strange, strange, strange), { minLength: 1, maxLength: 8 }), async (made) => {
      const requests = made.map(([userAgent, referer, query]) => ({
        url: `/?${query}`,
        headers: { "user-agent": userAgent, referer },
      }));
      const json = (await logOf('"format": "json"', requests)).split("\n");
      const combined = (await logOf('"format": "combined"', requests)).split("\n");
      expect([json.length, combined.length, json.pop(), combined.pop()]).toEqual([
        made.length + 1,
        made.length + 1,
        "",
        "",
      ]);
      for (const [i, [userAgent, referer]] of made.entries()) {
        expect(JSON.parse(json[i] ?? "")).toMatchObject({ userAgent, referer, status: 200 });
        expect(json[i]).toMatch(/^[\x20-\x7e]*$/);
        expect(combined[i]).toMatch(
          /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET [\x21\x23-\x7e ]+ HTTP\/1\.1" 200 5 "[\x20\x21\x23-\x7e]+" "[\x20\x21\x23-\x7e]+"$/,
        );
      }
    }),
    { numRuns: 15 },
  );
});

/** The keys of a line that follow from the request, as a plain reading of it has them. */
const plainLine = (port: number, { method, target, host, userAgent, referer }: Sent): string =>
  `"srcHost":"127.0.0.1","srcPort":${port},"method":"${method}","scheme":"http","authority":"${host}",` +
  `"uri":${JSON.stringify(target)},"version":"1.1","status":200,"contentSent":${method === "HEAD" ? 0 : 5},` +
  `"endReason":"complete","referer":${JSON.stringify(referer)},"userAgent":${JSON.stringify(userAgent)},"headTime":`;

interface Sent {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly userAgent: string;
  readonly referer: string;
}

test("requests of one connection that share fields, targets or whole heads have the lines of their own", async () => {
  const few = (...texts: string[]) => fc.constantFrom(...texts);
  const sent = fc.record({
    method: few("GET", "GET", "HEAD", "DELETE"),
    target: few("/", "/", "/a?b=c", "/x".repeat(600), '/?"'),
    host: few("a.example", "a.example", "b.example:81"),
    userAgent: few("", "curl/8", 'x"\\y', "u".repeat(1100)),
    referer: few("", "http://a.example/?c"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(sent, { minLength: 1, maxLength: 30 }), async (requests) => {
      await using dir = await temporary();
      const file = join(dir.path, "access.log");
      let port = 0;
      {
        const handle: HandletPart["handle"] = (req, resp) => ((port = req.srcPort), resp.send("hello"), true);
        await using server = await serve({ handlets: [handle], webapp: { accessLog: { file, format: "json" } } });
        await using client = await server.connect();
        for (const { method, target, host, userAgent, referer } of requests) {
          const agent = userAgent === "" ? "" : `user-agent: ${userAgent}\r\n`;
          const fields = `host: ${host}\r\n${agent}${referer === "" ? "" : `referer: ${referer}\r\n`}`;
          await client.send(`${method} ${target} HTTP/1.1\r\n${fields}\r\n`).response(method);
        }
      }
      const lines = (await readFile(file, "utf8")).split("\n");
      const heads = lines.map((line) => /"srcHost".*"headTime":/.exec(line)?.[0]);
      expect(heads).toEqual([...requests.map((request) => plainLine(port, request)), undefined]);
      const ids = lines.slice(0, -1).map((line) => (JSON.parse(line) as { requestId: string }).requestId);
      expect(new Set(ids).size).toBe(requests.length);
    }),
    { numRuns: 20 },
  );
});

describe("a line of the user's own", () => {
  test("has what the template says, with a hyphen for what is not there", async () => {
    const format =
      '"format": $method + " " + $path + " " + $status + " " + $contentSent + " " + $endReason + " \\"" + $header_user_agent + "\\" " + $header_x_y';
    const log = await logOf(format.replaceAll('"\\""', '`"`').replace('" \\""', '` "`').replace('"\\" "', '`" `'), [
      { url: "/a%20b", headers: { "user-agent": 'x" y' } },
    ]);
    expect(log).toBe('GET /a b 200 5 complete "x\\x22 y" -\n');
  });

  test("is UTF-8, whatever text the template has, and of a request ASCII alone", async () => {
    const log = await logOf('"format": "é→😀 [" + $path + "] ü"', [{ url: "/%c3%a9" }, { url: "/b" }]);
    expect(log).toMatch(/^é→😀 \[\/[\x21-\x7e]+\] ü\né→😀 \[\/b\] ü\n$/);
  });

  test("can hold every time, the id, and the other end of the connection", async () => {
    const names = [
      "time",
      "requestId",
      "headTime",
      "handleTime",
      "sendTime",
      "totalTime",
      "peerHost",
      "peerPort",
      "version",
    ];
    const log = await logOf(`"format": ${names.map((name) => `$${name}`).join(' + " " + ')}`, [{ url: "/" }]);
    expect(log).toMatch(/^\S+Z \w+-\w+-\w+ 0\.000 \d+\.\d{3} 0\.000 \d+\.\d{3} 127\.0\.0\.1 0 1\.1\n$/);
  });

  test("never has credentials or cookies, however they are asked for", async () => {
    const names = ["authorization", "Authorization", "proxy_authorization", "cookie", "set_cookie"];
    const format = [...names.map((name) => `$header_${name}`), "$cookie_a", "$cookie_none"].join(' + " " + ');
    const headers = {
      authorization: "s3cret",
      "proxy-authorization": "s3cret",
      cookie: "a=s3cret",
      "set-cookie": "s3cret",
    };
    const log = await logOf(`"format": ${format}`, [{ url: "/", headers }]);
    expect(log).toBe(`${"[redacted] ".repeat(6)}-\n`);
  });
});

describe("redactQueries", () => {
  const requests = [
    {
      url: "/?a=1&Token=s3cret&%74oken=s3cret&token&key+2=s3cret#x",
      headers: { referer: "https://a.example/b?token=s3cret&c=d", "user-agent": "u" },
    },
  ];
  const secret = '"redactQueries": ("token", "key 2")';
  const uri = "/?a=1&Token=[redacted]&%74oken=[redacted]&token&key+2=[redacted]";
  const referer = "https://a.example/b?token=[redacted]&c=d";

  test.each([
    ["combined", '"combined"', `"GET ${uri} HTTP/1.1" 200 5 "${referer}" "u"\n`],
    ["json", '"json"', `,"uri":"${uri}",`],
    ["json", '"json"', `,"referer":"${referer}",`],
    ["a template", '$uri + " " + $queryString + " " + $header_referer', `${uri} ${uri.slice(1)} ${referer}\n`],
    ["a template of what was asked for", "$originalURI", `${uri}\n`],
    ["a template", '$query_token + " " + $query_Token + " " + $query_a', "[redacted] [redacted] 1\n"],
  ])("hides values in %s", async (_name, format, expected) => {
    const log = await logOf(`"format": ${format}, ${secret}`, requests);
    expect(log).toContain(expected);
    expect(log).not.toContain("s3cret");
  });
});

test.each([
  ['"file": "a", "format": $statuss', ".accessLog.format: there is no variable $statuss here", "did you mean $status?"],
  ['"file": "a", "format": "jsn"', '.accessLog.format takes "combined", "json" or a text with $variables', '"json"'],
  ['"format": "json"', 'it takes either "file" or "to"', ""],
  ['"file": "-", "daily": true', "standard output cannot be rotated", ""],
  ['"file": "a", "fomat": "json"', '.accessLog has no "fomat"', '"format"'],
])("[%s] is a mistake", async (accessLog, message, hint) => {
  const booted = bootText(configWith(accessLog), { use: [pack("test", [hello])] });
  await expect(booted).rejects.toThrow(message);
  await expect(booted).rejects.toThrow(hint);
});

test("the page about the access log tells of every variable that only it has, and of every key", async () => {
  const page = await readFile(new URL("../../../../../docs/access-log.md", import.meta.url), "utf8");
  const inTable = new Set([...page.matchAll(/^\| `\$(\w+)` /gm)].map(([, name]) => name));
  const known = new Set(webVariables.names);
  const { names } = accessVariables((uri) => uri);
  expect([...inTable].toSorted()).toEqual(names.filter((name) => !known.has(name)).toSorted());
  const [, sentence = ""] = /is an object with the keys([^]+?)\. All keys/.exec(page) ?? [];
  const line = await logOf('"format": "json"', [{ url: "/" }]);
  expect([...sentence.matchAll(/`(\w+)`/g)].map(([, key]) => key)).toEqual(Object.keys(JSON.parse(line) as object));
});

test("two webapps cannot both rotate one file", async () => {
  const one = (name: string): string =>
    `webapp "${name}" { .hostnames = ("${name}") .accessLog = ["file": "a", "maxSize": 1M] }`;
  const text = `stage { ${one("a")} ${one("b")} httpxServer "main" { .webapps = ("a", "b") .address = ":0" } }`;
  await expect(bootText(text)).rejects.toThrow("the rotation of");
});

describe("the times of a line", () => {
  const headTime = 20;
  const handleTime = 300;
  const sendTime = 4000;

  test("are those of the head, of the handlet, and of what it sends", async () => {
    await using dir = await temporary();
    const file = join(dir.path, "access.log");
    let now = 0;
    let isAsked = false;
    const asked = Promise.withResolvers<void>();
    const handle: HandletPart["handle"] = async (_req, resp) => {
      now += handleTime;
      await resp.echo("a");
      now += sendTime;
      resp.end();
      return true;
    };
    {
      await using server = await serve({
        handlets: [handle],
        monotonic: () => {
          if (isAsked) asked.resolve();
          return now;
        },
        webapp: { accessLog: { file, format: "json" } },
      });
      await using client = await server.connect();
      // The server answers it by itself: the connection is idle then, and the log has nothing to write.
      await client.send(request("OPTIONS *")).response();
      const bytes = request("GET /");
      isAsked = true;
      client.send(bytes.slice(0, 20));
      await asked.promise;
      // The clock is asked when the head has begun: what comes now comes later.
      now += headTime;
      await client.send(bytes.slice(20)).response();
    }
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
      headTime,
      handleTime,
      sendTime,
      totalTime: headTime + handleTime + sendTime,
    });
  });
});

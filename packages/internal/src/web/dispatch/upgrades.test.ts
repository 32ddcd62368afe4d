import { once } from "node:events";
import { connect as connectHTTP2 } from "node:http2";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { Stage } from "../../stage.ts";
import { RawClient, request } from "../../testing/raw-client.ts";
import { HTTPError } from "../http-error.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { defineHandlet, defineSocklet } from "../kinds.ts";

/** Lets nobody on who comes without a field `authorization`. */
const guard = defineHandlet({
  sign: "guard",
  create: () => ({
    handle(req) {
      if (req.header("authorization") === undefined) throw new HTTPError(401, "not authorized");
      return false;
    },
  }),
});
const says = defineHandlet({
  sign: "says",
  takesAll: () => true,
  create: ({ name }) => ({ opensTunnels: true, handle: (_req, resp) => (resp.send(`handlet ${name}`), true) }),
});
const live = defineSocklet({
  sign: "live",
  create: ({ name }) => ({ handle: ({ resp }) => (resp.send(`socklet ${name}`), true) }),
});

async function serve(rules: string): Promise<Stage> {
  const text = `stage {
    webapp "app" { .hostnames = ("*") ${rules} }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
  }`;
  const log = openErrorLog({ sink: new MemorySink() });
  const stage = await bootWith([]).bootText(text, { log, use: [pack("test", [guard, says, live])] });
  await stage.start();
  return stage;
}

function portOf(stage: Stage): number {
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return Number(listensOn.replace(/^.*:/, ""));
}

const upgrade = { connection: "Upgrade", upgrade: "websocket" };

async function ask(stage: Stage, line: string, fields: Readonly<Record<string, string>>): Promise<[number, string]> {
  await using client = await RawClient.connect({ host: "127.0.0.1", port: portOf(stage) });
  const { status, content } = await client.send(request(line, fields)).response();
  return [status, content.toString()];
}

test("an upgrade does not get past a checker that stands before the socklet", async () => {
  await using stage = await serve("rule { guard {} live {} says {} }");
  const authorization = "Basic x";
  expect((await ask(stage, "GET /", upgrade))[0]).toBe(401);
  expect(await ask(stage, "GET /", { ...upgrade, authorization })).toEqual([200, "socklet "]);
  expect(await ask(stage, "GET /", { authorization })).toEqual([200, "handlet "]);
});

test("nor does a CONNECT, or an extended CONNECT by HTTP/2", async () => {
  await using stage = await serve("rule { guard {} live {} says {} }");
  expect((await ask(stage, "CONNECT a.example:443", { host: "a.example:443" }))[0]).toBe(401);
  const session = connectHTTP2(`http://127.0.0.1:${portOf(stage)}`);
  try {
    await once(session, "remoteSettings");
    const stream = session.request({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/" });
    const [headers] = (await once(stream, "response")) as [{ readonly ":status": number }];
    expect(headers[":status"]).toBe(401);
  } finally {
    session.destroy();
  }
});

test("what stands inside a rule is asked first, then named socklets, then named handlets", async () => {
  await using stage = await serve(`
    live "named" {} says "named" {}
    rule $path == "/inline" { .socklets = ("named") guard {} }
    rule $path == "/named" { .socklets = ("named") .handlets = ("named") }`);
  expect((await ask(stage, "GET /inline", upgrade))[0]).toBe(401);
  expect(await ask(stage, "GET /named", upgrade)).toEqual([200, "socklet named"]);
  expect(await ask(stage, "GET /named", {})).toEqual([200, "handlet named"]);
});

test.each([
  "rule { says {} live {} }",
  'live "behind" {} rule { .socklets = ("behind") says {} }',
  "rule { guard {} says {} guard {} live {} }",
])("a socklet that could never be asked is a mistake: %s", async (rules) => {
  await expect(serve(rules)).rejects.toThrow(/live.* would never run: says is before it/);
});

// Limits in time of a route: of a rule, of a proxy, of the server and of the backend; the nearest wins.

import { once } from "node:events";
import { connect } from "node:http2";
import { describe, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import type { Problem } from "../../config/problem.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { Stage } from "../../stage.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { RawClient, request } from "../../testing/raw-client.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { defineHandlet } from "../kinds.ts";

const hour = "1h";
/** Takes every request, and answers none. */
const silent = defineHandlet({ sign: "silent", create: () => ({ handle: () => true }) });
/** Leaves requests to the next rule, later. */
const leaves = defineHandlet({ sign: "leaves", create: () => ({ handle: () => Promise.resolve(false) }) });

async function serve(
  rules: string,
  server = "",
  backend = 'http1Backend "app" { .nodes = (["address": "127.0.0.1:9"]) }',
) {
  const doubts: Problem[] = [];
  const text = `stage {
    ${backend}
    webapp "site" { .hostnames = ("*") ${rules} }
    httpxServer "main" { .address = "127.0.0.1:0" ${server} }
  }`;
  const stage = await bootWith([]).bootText(text, {
    log: openErrorLog({ sink: new MemorySink() }),
    use: [pack("test", [silent, leaves])],
    warned: (found) => doubts.push(...found),
  });
  return Object.assign(stage, { doubts });
}

function portOf(stage: Stage): number {
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return Number(listensOn.replace(/^.*:/, ""));
}

async function ask(stage: Stage): Promise<number> {
  await using client = await RawClient.connect({ host: "127.0.0.1", port: portOf(stage) });
  return (await client.send(request("GET /")).response()).status;
}

async function askHTTP2(stage: Stage): Promise<unknown> {
  const session = connect(`http://127.0.0.1:${portOf(stage)}`);
  try {
    const [headers] = (await once(session.request({ ":path": "/" }), "response")) as [
      Readonly<Record<string, unknown>>,
    ];
    return headers[":status"];
  } finally {
    session.destroy();
  }
}

describe("handleTimeout", () => {
  test.each([
    ["of a rule", "rule { .handleTimeout = 20ms silent {} }"],
    ["of a webapp", ".handleTimeout = 20ms rule { silent {} }"],
    ["of a rule that is entered later", "rule { leaves {} } rule { .handleTimeout = 20ms silent {} }"],
  ])("%s is nearer than that of the server, whatever the version", async (_of, rules) => {
    await using stage = await serve(rules, `.handleTimeout = ${hour}`);
    await stage.start();
    expect(await ask(stage)).toBe(503);
    expect(await askHTTP2(stage)).toBe(503);
    await expect(stage.inject({ url: "/" })).rejects.toThrow("within 20 ms");
  });

  test("of a rule that leaves the request says nothing of the next one", async () => {
    await using stage = await serve(
      `rule { .handleTimeout = ${hour} leaves {} } rule { silent {} }`,
      ".handleTimeout = 20ms",
    );
    await stage.start();
    expect(await ask(stage)).toBe(503);
  });

  test("of a rule may be longer than that of the server", async () => {
    await using node = await RawBackend.listen(async (conn) => {
      await conn.request();
      // The other connection has run into the server's limit meanwhile.
      await ended.promise;
      conn.answer("late");
    });
    const ended = Promise.withResolvers<undefined>();
    const backend = `http1Backend "app" { .nodes = (["address": "${node.address}"]) }`;
    const rules = `rule $path == "/short" { silent {} } rule { httpProxy { .toBackend = "app" .handleTimeout = ${hour} } }`;
    await using stage = await serve(rules, ".handleTimeout = 30ms", backend);
    await stage.start();
    const late = ask(stage);
    await using client = await RawClient.connect({ host: "127.0.0.1", port: portOf(stage) });
    expect((await client.send(request("GET /short")).response()).status).toBe(503);
    ended.resolve(undefined);
    expect(await late).toBe(200);
  });
});

describe.each(["http1Backend", "http2Backend"])("readTimeout of a route with %s", (sign) => {
  test("is nearer than that of the backend: 504", async () => {
    await using silent = await serve("rule { .handleTimeout = 1h silent {} }", `.handleTimeout = ${hour}`);
    await silent.start();
    const backend = `${sign} "app" { .nodes = (["address": "127.0.0.1:${portOf(silent)}"]) .readTimeout = ${hour} }`;
    await using stage = await serve(
      'rule { .readTimeout = 20ms httpProxy { .toBackend = "app" } }',
      `.handleTimeout = ${hour}`,
      backend,
    );
    await stage.start();
    expect(await ask(stage)).toBe(504);
    // It would wait for its handlet.
    await silent.quit(1);
  });
});

describe("hemi check warns of a backend that may take longer than clients wait", () => {
  const app = (props = "") => `http1Backend "app" { .nodes = (["address": "127.0.0.1:9"]) ${props} }`;

  test.each([
    [
      "",
      "",
      ".handleTimeout = 1s",
      /http1Backend "app": its readTimeout of 50s .* handleTimeout of 1s of httpxServer.main/,
    ],
    [
      ".readTimeout = 300s",
      "",
      "",
      /its readTimeout of 5m is longer than the handleTimeout of (1m|60s) of httpxServer/,
    ],
    ["", ".readTimeout = 2m", "", /httpProxy: its readTimeout of 2m/],
    ["", ".handleTimeout = 1s", "", /handleTimeout of 1s of webapp.site\/rule\/httpProxy/],
    [".readTimeout = 300s", ".handleTimeout = 5m", "", undefined],
    ["", "", "", undefined],
  ])("backend %j, proxy %j, server %j", async (backend, proxy, server, message) => {
    await using stage = await serve(`rule { httpProxy { .toBackend = "app" ${proxy} } }`, server, app(backend));
    if (message === undefined) expect(stage.doubts).toEqual([]);
    else expect(stage.doubts.map(({ message }) => message).join("\n")).toMatch(message);
  });
});

// What a proxy makes of the fields of a request is kept for when they come again on their connection: nothing of it may
// reach a request that it is not for.

import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { RawBackend, type RawRequest } from "../../testing/raw-backend.ts";
import { RawClient } from "../../testing/raw-client.ts";

const named = "host: a.example\r\naccept: */*\r\n";
const claims = "host: a.example\r\nx-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\nvia: 1.0 other\r\n";
const options = "host: a.example\r\nx-inner: 1\r\nconnection: x-inner\r\n";

const requests = [
  `GET / HTTP/1.1\r\n${named}\r\n`,
  `GET /other?u=7 HTTP/1.1\r\n${named}\r\n`,
  `DELETE / HTTP/1.1\r\n${named}\r\n`,
  `POST / HTTP/1.1\r\n${named}\r\n`,
  `GET http://b.example/ HTTP/1.1\r\n${named}\r\n`,
  `GET http://c.example/?u=8 HTTP/1.1\r\n${named}\r\n`,
  `GET /special HTTP/1.1\r\n${named}\r\n`,
  `GET / HTTP/1.0\r\nconnection: keep-alive\r\n${named}\r\n`,
  `GET / HTTP/1.1\r\nconnection: keep-alive\r\n${named}\r\n`,
  `GET / HTTP/1.1\r\n${claims}\r\n`,
  `GET / HTTP/1.1\r\n${claims.replace("192.0.2.1", "192.0.2.2")}\r\n`,
  `GET / HTTP/1.1\r\n${options}\r\n`,
  `POST / HTTP/1.1\r\ncontent-length: 2\r\n${named}\r\nok`,
  `POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n${named}\r\n2\r\nok\r\n0\r\n\r\n`,
  `GET / HTTP/1.1\r\n${named}accept-encoding: gzip\r\n\r\n`,
];

async function serve(node: RawBackend, props: string, serverProps: string) {
  const stage = await bootWith([]).bootText(
    `stage {
      http1Backend "app" { .nodes = (["address": "${node.address}"]) }
      webapp "site" { .hostnames = ("*")
        rule $path == "/special" { httpProxy { .toBackend = "app" .setRequestHeaders = ["x-special": "yes"] } }
        rule { httpProxy { .toBackend = "app" ${props} } } }
      httpxServer "main" { .address = "127.0.0.1:0" ${serverProps} }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const port = Number(listensOn.replace(/^.*:/, ""));
  return Object.assign(stage, { connect: () => RawClient.connect({ host: "127.0.0.1", port }) });
}

test.each([
  ["", ""],
  ['.forwarded = "standard"', ""],
  ['.forwarded = "none" .delRequestHeaders = ("via")', ""],
  ['.setRequestHeaders = ["x-same": "1", "x-forwarded-proto": "ws"]', ""],
  ['.setRequestHeaders = ["x-query": "<" + $query_u + ">"]', ""],
  ['.trustForwarded = ("127.0.0.1")', ""],
  ['.forwarded = "standard" .trustForwarded = ("127.0.0.1")', ""],
  ["", '.trustForwarded = ("127.0.0.1")'],
  ['.hostname = "inner.example"', ""],
])("behind any request, each one is passed on as on a connection of its own, with %j and %j", async (...props) => {
  let seen: RawRequest | undefined;
  await using node = await RawBackend.answering((request, conn) => {
    seen = request;
    conn.answer("ok");
  });
  await using stage = await serve(node, ...props);
  async function pass(client: RawClient, bytes: string): Promise<RawRequest | undefined> {
    seen = undefined;
    expect((await client.send(bytes).response()).status).toBe(200);
    return seen;
  }
  const alone: (RawRequest | undefined)[] = [];
  for (const bytes of requests) {
    await using client = await stage.connect();
    alone.push(await pass(client, bytes));
  }
  for (const [i, first] of requests.entries()) {
    await using client = await stage.connect();
    for (const [k, bytes] of requests.entries()) {
      expect(await pass(client, first), `${first} behind ${requests[k - 1]}`).toEqual(alone[i]);
      expect(await pass(client, first), `${first} again`).toEqual(alone[i]);
      expect(await pass(client, bytes), `${bytes} behind ${first}`).toEqual(alone[k]);
    }
  }
});

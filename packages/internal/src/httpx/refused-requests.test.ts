import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { serverGroup } from "../metrics/groups.ts";
import { Metrics } from "../metrics/metrics.ts";

test.each([
  ["a malformed head", "GET / HTTP/1.1\r\nhost : a\r\n\r\n", 400],
  ["a version that is not spoken", "GET / HTTP/3.7\r\nhost: a\r\n\r\n", 505],
  ["a hostname of no webapp", "GET / HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n", 421],
])("a request with %s is counted as refused", async (_what, head, status) => {
  const metrics = new Metrics();
  await using stage = await bootWith([]).bootText(
    `stage {
      webapp "shop" { .hostnames = ("a") rule { .returnText = "hello" } }
      httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }), metrics },
  );
  await stage.start();
  const { listensOn } = stage.find("httpxServer.main")?.part as { listensOn: readonly string[] };
  const socket = connect(Number(/\d+$/.exec(listensOn[0] ?? "")?.[0]), "127.0.0.1");
  socket.write(head);
  expect(await text(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(metrics.numbers(serverGroup, ["main", "httpxServer"])[serverGroup.at.refusedRequests]).toBe(1);
});

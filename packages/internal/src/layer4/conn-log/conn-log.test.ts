// The connection log of routers, in its three formats.

import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { DatagramEnd, datagramRouter, datagramsTo, routeDatagrams } from "../../testing/datagrams.ts";
import { named, route, router, to } from "../../testing/route.ts";

async function logFile() {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-conn-log-"));
  const file = join(folder.path, "conns.log");
  return { file, text: () => readFile(file, "utf8"), [Symbol.asyncDispose]: () => folder.remove() };
}

/** What is in the log after a client has sent `text` and left. */
async function logOf(format: string, text: string): Promise<string> {
  await using log = await logFile();
  await using node = await named("n");
  {
    const props = `.connLog = ["file": "${log.file}" ${format}]`;
    await using site = await route(
      to("n", node) +
        router(
          'case "ssh" $protocol == "ssh" { tcpsProxy { .toBackend = "n" } } case { tcpsProxy { .toBackend = "n" } }',
          props,
        ),
    );
    await using client = await site.connect();
    await client.send(text).exactly(2 + text.length);
    client.end();
    await client.toTheEnd();
  }
  return (await log.text()).replaceAll(node.address, "NODE");
}

test("a line in the combined format has the places that readers of such logs know", async () => {
  expect(await logOf("", "SSH-2.0-x")).toMatch(
    /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "TCP 127\.0\.0\.1:\d+ ssh" 200 11 "-" "NODE"\n$/,
  );
});

test("a line in JSON tells the case, the node, and the bytes of both directions", async () => {
  const entry: unknown = JSON.parse(await logOf(', "format": "json"', "hello"));
  expect(entry).toMatchObject({
    srcHost: "127.0.0.1",
    transport: "tcp",
    protocol: "",
    case: "case",
    node: "NODE",
    bytesReceived: 5,
    bytesSent: 7,
    endReason: "complete",
  });
  expect(Object.keys(entry as object).slice(-2)).toEqual(["connectTime", "totalTime"]);
});

test("a line may be a text with variables", async () => {
  const format = ', "format": $protocol + " " + $case + " " + $status + " " + $serverName + " " + $bytesReceived';
  expect(await logOf(format, "SSH-2.0-x")).toBe("ssh ssh 200 - 9\n");
});

test("a connection that no case takes is logged as refused", async () => {
  await using log = await logFile();
  {
    await using site = await route(router('case $protocol == "ssh" {}', `.connLog = ["file": "${log.file}"]`));
    await using client = await site.connect();
    await client.send("hello").ending();
  }
  expect(await log.text()).toContain('-" 403 0 "-" "-"\n');
});

test("sessions of datagrams are logged", async () => {
  await using log = await logFile();
  await using node = await DatagramEnd.answering((text) => [text]);
  {
    await using site = await routeDatagrams(
      datagramsTo("n", node) +
        datagramRouter(
          'case "all" { udpsProxy { .toBackend = "n" .expectedAnswers = 1 } }',
          `.connLog = ["file": "${log.file}"]`,
        ),
    );
    await using client = await site.connect();
    await client.send("hello").text();
  }
  expect(await log.text()).toMatch(/"UDP 127\.0\.0\.1:\d+ all" 200 5 "-" "127\.0\.0\.1:\d+"\n$/);
});

test("a log that cannot be opened, or whose variables do not exist, is reported at its place", async () => {
  const boot = (props: string) =>
    bootWith([]).bootText(`stage { ${router("", props)} }`, { log: openErrorLog({ sink: new MemorySink() }) });
  await expect(boot('.connLog = ["file": "x", "format": $nothing]')).rejects.toThrow("nothing");
  await expect(boot('.connLog = ["file": "-", "daily": true]')).rejects.toThrow("standard output cannot be rotated");
  const stage = await boot('.connLog = ["file": "/dev/null/x"]');
  await expect(stage.start()).rejects.toThrow("/dev/null");
});

// What is counted and traced of the connections and sessions of routers.

import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { durationBounds } from "../metrics/count-group.ts";
import { countGroups } from "../metrics/groups.ts";
import { Metrics } from "../metrics/metrics.ts";
import type { Span } from "../operator/span.ts";
import { spanSink, type SpanSink } from "../operator/span-sink.ts";
import { defineAddon } from "../stage/kinds/addon.ts";
import { DatagramEnd, datagramRouter, datagramsTo } from "../testing/datagrams.ts";
import { RawClient } from "../testing/raw-client.ts";
import { named, router, to } from "../testing/route.ts";
import type { RouterPart } from "./kinds.ts";

/** A stage with a router `main`, and what it counts and traces. */
async function observed(sign: string, text: string) {
  const metrics = new Metrics();
  const spans: Span[] = [];
  const gathering = defineAddon({
    sign: "gathering",
    offers: [spanSink],
    create: (): SpanSink => ({ takeSpan: (span) => void spans.push(span) }),
  });
  const stage = await bootWith([]).bootText(`stage { gathering "spans" {} ${text} }`, {
    log: openErrorLog({ sink: new MemorySink() }),
    use: [pack("test", [gathering])],
    metrics,
  });
  await stage.start();
  const { listensOn }: RouterPart = stage.find(`${sign}.main`)?.part ?? {};
  return {
    port: Number(/:(\d+)$/.exec(listensOn?.[0] ?? "")?.[1]),
    spans,
    /** The numbers of a slice that are not 0; durations as how many there are. */
    numbers(group: string, ...labels: string[]) {
      const { at } = countGroups.find(({ name }) => name === group) ?? expect.fail(group);
      const block = metrics.report().find((each) => each.group === group && each.labels.join() === labels.join());
      const { values = [] } = block ?? {};
      const durationsAt = "durations" in at ? at.durations : values.length;
      const count = values.slice(durationsAt, durationsAt + durationBounds.length + 1).reduce((a, b) => a + b, 0);
      const entries = Object.entries<number>(at).map(([name, place]) => [name, values[place] ?? 0] as const);
      const all = Object.fromEntries([...entries, ["durations", count] as const]);
      return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== 0));
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

const tracing = '.traceTo = "spans" .tracesPerMillion = 1000000';

const outline = (spans: readonly Span[], parentId = ""): unknown[] =>
  spans
    .filter((span) => span.parentId === parentId)
    .map(({ name, spanId, error }) => [name, ...(error === undefined ? [] : [error]), ...outline(spans, spanId)]);

test("connections are counted for the dealet of their case, with their bytes and their ends", async () => {
  await using node = await named("n");
  const cases = 'case "ssh" $protocol == "ssh" { tcpsProxy { .toBackend = "n" } }';
  await using site = await observed("tcpsRouter", to("n", node) + router(cases));
  const connect = () => RawClient.connect({ port: site.port, host: "127.0.0.1" });
  {
    await using client = await connect();
    await client.send("SSH-2.0-x").exactly(2 + 9);
    expect(site.numbers("conn", "main", "tcpsRouter", "ssh", "tcpsProxy")).toMatchObject({ underWay: 1 });
    client.end();
    await client.toTheEnd();
  }
  await using other = await connect();
  await other.send("EHLO a.example\r\n").ending();
  await expect.poll(() => site.numbers("server", "main", "tcpsRouter")).toEqual({ accepted: 2 });
  expect(site.numbers("conn", "main", "tcpsRouter", "ssh", "tcpsProxy")).toEqual({
    ...{ complete: 1, received: 9, sent: 11, durations: 1 },
  });
  expect(site.numbers("conn", "main", "tcpsRouter", "", "")).toEqual({ notTaken: 1, received: 16 });
});

test("sessions of datagrams are counted as connections are", async () => {
  await using node = await DatagramEnd.answering((text) => [text]);
  const cases = 'case "dns" { udpsProxy { .toBackend = "n" .expectedAnswers = 1 } }';
  await using site = await observed("udpsRouter", datagramsTo("n", node) + datagramRouter(cases));
  await using client = await DatagramEnd.connect(site.port, "127.0.0.1");
  expect(await client.send("hello").text()).toBe("hello");
  await expect.poll(() => site.numbers("server", "main", "udpsRouter")).toEqual({ accepted: 1 });
  expect(site.numbers("conn", "main", "udpsRouter", "dns", "udpsProxy")).toEqual({
    ...{ complete: 1, received: 5, sent: 5, durations: 1 },
  });
});

test("the spans of a connection are one tree: its case, its dealet, and the attempts at nodes", async () => {
  const gone = await named("gone");
  await gone[Symbol.asyncDispose]();
  await using node = await named("n");
  const backend = `tcpsBackend "n" { .nodes = (["address": "${gone.address}"], ["address": "${node.address}"]) }`;
  const cases = 'case "other" $srcHost == "192.0.2.1" {} case "ssh" { tcpsProxy { .toBackend = "n" } }';
  await using site = await observed("tcpsRouter", backend + router(cases, tracing));
  await using client = await RawClient.connect({ port: site.port, host: "127.0.0.1" });
  await client.exactly(2);
  client.end();
  await client.toTheEnd();
  await expect.poll(() => site.spans.length).toBe(5);
  expect(outline(site.spans)).toEqual([
    [
      "tcp tcpsRouter.main",
      [
        "tcpsRouter.main/case.ssh",
        ["tcpsRouter.main/case.ssh/tcpsProxy", ["attempt", "HEMI_BACKEND_DIAL"], ["attempt"]],
      ],
    ],
  ]);
  expect(site.spans.at(-1)?.attributes).toMatchObject({
    "network.transport": "tcp",
    "client.address": "127.0.0.1",
    "hemi.connection.end": "complete",
    "hemi.connection.sent": 2,
  });
  expect(site.spans.filter(({ name }) => name === "attempt").map(({ attributes }) => attributes)).toEqual([
    { "server.address": gone.address, "error.type": "HEMI_BACKEND_DIAL" },
    { "server.address": node.address },
  ]);
});

test("a session without a node ends with its error", async () => {
  const gone = await DatagramEnd.answering(() => []);
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  const cases = 'case { udpsProxy { .toBackend = "n" } }';
  await using site = await observed("udpsRouter", datagramsTo("n", [address]) + datagramRouter(cases, tracing));
  await using client = await DatagramEnd.connect(site.port, "127.0.0.1");
  client.send("x");
  await expect.poll(() => site.spans.at(-1)?.kind).toBe("server");
  expect(site.spans.at(-1)).toMatchObject({ name: "udp udpsRouter.main", error: "nodeAborted" });
  expect(outline(site.spans)).toEqual([
    [
      "udp udpsRouter.main",
      "nodeAborted",
      ["udpsRouter.main/case", "nodeAborted", ["udpsRouter.main/case/udpsProxy", "nodeAborted", ["attempt"]]],
    ],
  ]);
});

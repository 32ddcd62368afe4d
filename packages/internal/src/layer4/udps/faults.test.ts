// Floods, forged addresses and nodes that answer too much at a udpsRouter.

import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { DatagramEnd, datagramRouter, datagramsTo, routeDatagrams } from "../../testing/datagrams.ts";
import { Uncaught } from "../../testing/uncaught.ts";
import { defineDealet, type DealetPart, type RouterPart } from "../kinds.ts";
import { udpsDealet, type UdpsDealet, type UdpsSession } from "./dealet.ts";
import type { UdpsBackend } from "./datagram-backend.ts";
import type { DatagramUser } from "./node-datagrams.ts";

const echo = () => DatagramEnd.answering((text) => [text]);
const toNode = (props = "") => `case { udpsProxy { .toBackend = "n" ${props} } }`;

test("in a flood from many sources, sessions whose clients have shown themselves live on", async () => {
  await using node = await echo();
  await using site = await routeDatagrams(datagramsTo("n", node) + datagramRouter(toNode(), ".maxSessions = 20"));
  await using old = await site.connect();
  await old.send("1").text();
  await old.send("2").text();
  await node.next();
  const { port } = (await node.next()).from;
  await using flood = new AsyncDisposableStack();
  for (let i = 0; i < 200; i++) {
    const client = flood.use(await site.connect());
    client.send("flood");
    expect(await client.text()).toBe("flood");
    await node.next();
  }
  await old.send("3").text();
  expect((await node.next()).from.port).toBe(port);
});

test("if all sessions are proven, a new one is refused, and the log says so", async () => {
  await using node = await echo();
  await using site = await routeDatagrams(datagramsTo("n", node) + datagramRouter(toNode(), ".maxSessions = 1"));
  await using old = await site.connect();
  await old.send("1").text();
  await old.send("2").text();
  await using other = await site.connect();
  other.send("x");
  await old.send("3").text();
  expect(node.received).toEqual(["1", "2", "3"]);
  expect(site.log.join("\n")).toContain("maxSessions");
});

test("a client has at most maxSessionsPerClient sessions", async () => {
  await using node = await echo();
  await using site = await routeDatagrams(
    datagramsTo("n", node) + datagramRouter(toNode(), ".maxSessionsPerClient = 1"),
  );
  await using first = await site.connect();
  await first.send("1").text();
  await using second = await site.connect();
  second.send("x");
  await first.send("2").text();
  expect(node.received).toEqual(["1", "2"]);
});

test("a client that has not shown itself gets at most maxUnprovenAnswers bytes", async () => {
  await using node = await DatagramEnd.answering(() => ["x".repeat(100), "y".repeat(100), "z".repeat(100)]);
  await using site = await routeDatagrams(
    datagramsTo("n", node) + datagramRouter(toNode(), ".maxUnprovenAnswers = 200"),
  );
  await using client = await site.connect();
  client.send("1");
  expect([(await client.text())[0], (await client.text())[0]]).toEqual(["x", "y"]);
  client.send("2");
  expect([(await client.text())[0], (await client.text())[0], (await client.text())[0]]).toEqual(["x", "y", "z"]);
  await site.stage.quit(1000);
  expect(site.log.join("\n")).toContain("maxUnprovenAnswers");
});

test("a datagram of a client allows maxAnswers answers", async () => {
  await using node = await DatagramEnd.answering((text) => [`${text}a`, `${text}b`, `${text}c`]);
  await using site = await routeDatagrams(datagramsTo("n", node) + datagramRouter(toNode(), ".maxAnswers = 2"));
  await using client = await site.connect();
  client.send("1");
  expect([await client.text(), await client.text()]).toEqual(["1a", "1b"]);
  client.send("2");
  expect([await client.text(), await client.text()]).toEqual(["2a", "2b"]);
});

test("datagrams that wait for a node are bounded", async () => {
  await using node = await DatagramEnd.answering(() => []);
  await using site = await routeDatagrams(
    datagramsTo("n", node, ".maxConnsPerNode = 1 .queueTimeout = 1m") +
      datagramRouter(toNode(), ".maxQueued = 2 .idleTimeout = 1m"),
  );
  await using first = await site.connect();
  first.send("first");
  await node.next();
  await using second = await site.connect();
  for (const text of ["1", "2", "3", "4"]) second.send(text);
  while (!site.log.some((line) => line.includes("maxQueued"))) await new Promise((resolve) => setImmediate(resolve));
  expect(node.received).toEqual([]);
});

test("a session without a node that can be used is ended, and the log says why", async () => {
  const gone = await echo();
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  await using site = await routeDatagrams(datagramsTo("n", [address]) + datagramRouter(toNode()));
  await using client = await site.connect();
  client.send("x");
  while (!site.log.some((line) => line.includes("nodeAborted"))) await new Promise((resolve) => setImmediate(resolve));
});

test.each(["dns", "expect"])("a node is down if it does not answer the health check %s", async (check) => {
  let isWell = true;
  const reply = (text: string) => `${text.slice(0, 2)}\x80${text.slice(3)}`;
  await using node = await DatagramEnd.answering((text) => {
    if (text.length < 10) return text === "ping" ? (isWell ? ["pong"] : []) : [text];
    return isWell ? [reply(text)] : [];
  });
  const expecting = check === "expect" ? '.healthSend = "ping" .healthExpect = "pong"' : "";
  const health = `.healthCheck = "${check}" ${expecting} .healthInterval = 10ms .healthFall = 1 .healthTimeout = 1s`;
  await using site = await routeDatagrams(datagramsTo("n", node, health) + datagramRouter(toNode()));
  await using client = await site.connect();
  expect(await client.send("x").text()).toBe("x");
  isWell = false;
  while (!site.log.some((line) => line.includes("nodeDown"))) await new Promise((resolve) => setImmediate(resolve));
});

const mistake = new Error("a mistake");

function fail(): never {
  throw mistake;
}

test.each<[string, (session: UdpsSession) => void]>([
  ["throws", (session) => session.begin({ received: fail, closed() {} })],
  ["throws when it begins late", (session) => void setImmediate(() => session.begin({ received: fail, closed() {} }))],
  ["rejects with", (session) => session.begin({ received: () => Promise.reject(mistake), closed() {} })],
])("what a dealet %s is an error in the log with its path, and ends the session", async (_, begin) => {
  using uncaught = new Uncaught();
  const dealet = defineDealet({
    sign: "mistakenDealet",
    props: {},
    offers: [udpsDealet],
    create: (): DealetPart & UdpsDealet => ({
      takeSession(session) {
        begin(session);
        return true;
      },
    }),
  });
  const sink = new MemorySink();
  const text = `stage { ${datagramRouter("case { mistakenDealet {} }")} }`;
  const stage = await bootWith([pack("test", [dealet])]).bootText(text, { log: openErrorLog({ sink }) });
  await using _end = { [Symbol.asyncDispose]: () => stage.quit(1000) };
  await stage.start();
  const { listensOn }: RouterPart = stage.find("udpsRouter.main")?.part ?? {};
  await using client = await DatagramEnd.connect(Number(listensOn?.[0]?.split(":")[1]), "127.0.0.1");
  client.send("1");
  await expect.poll(() => sink.lines.join("\n")).toContain("its session was ended: error");
  const errors = sink.lines.filter((line) => line.includes("a mistake"));
  expect(errors).toEqual([expect.stringMatching(/error.*udpsRouter\.main\/case\/mistakenDealet.*failed at client/s)]);
  expect(uncaught.errors).toEqual([]);
});

test("what `closed` of a dealet throws is in the log, and its session counts no longer", async () => {
  const throwing = defineDealet({
    sign: "throwingDealet",
    props: {},
    offers: [udpsDealet],
    create: (): DealetPart & UdpsDealet => ({
      takeSession(session) {
        session.begin({
          received(datagram) {
            session.send(datagram);
            session.close("complete");
          },
          closed() {
            throw new Error("a mistake of a dealet");
          },
        });
        return true;
      },
    }),
  });
  const router = datagramRouter("case { throwingDealet {} }", ".maxSessionsPerClient = 1");
  await using site = await routeDatagrams(router, { use: [pack("test", [throwing])] });
  for (const text of ["first", "second"]) {
    await using client = await site.connect();
    expect(await client.send(text).text()).toBe(text);
  }
  expect(site.log.join("")).toContain("a mistake of a dealet");
});

test.each<[string, DatagramUser["answered"]]>([
  ["throws", fail],
  ["rejects with", () => Promise.resolve().then(fail)],
])("what `answered` of a dealet %s is told with the node, and does not end the process", async (_, answered) => {
  using uncaught = new Uncaught();
  await using node = await echo();
  await using site = await routeDatagrams(datagramsTo("n", node));
  const backend = site.stage.find("udpsBackend.n")?.part as unknown as UdpsBackend;
  const user: DatagramUser = { assigned() {}, answered, failed() {}, nodeDown() {} };
  const session = backend.session({ key: "", stickTo: "", tried: [] }, user);
  session.open();
  session.send(Buffer.from("x"));
  await expect.poll(() => site.log.join("\n")).toMatch(/error.*failed at node 127.*a mistake/s);
  expect(uncaught.errors).toEqual([]);
});

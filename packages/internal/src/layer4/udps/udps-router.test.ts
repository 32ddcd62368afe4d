// udpsRouter and udpsProxy as their clients see them.

import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { DatagramEnd, datagramRouter, datagramsTo, routeDatagrams } from "../../testing/datagrams.ts";
import type { RouterPart } from "../kinds.ts";

const echo = (name = "") => DatagramEnd.answering((text) => [name + text]);
const toNode = (props = "") => `case { udpsProxy { .toBackend = "n" ${props} } }`;

test("datagrams of a client go to one node, and its answers come back", async () => {
  await using a = await echo("a:");
  await using b = await echo("b:");
  await using site = await routeDatagrams(datagramsTo("n", [a.address, b.address]) + datagramRouter(toNode()));
  await using first = await site.connect();
  await using second = await site.connect();
  const texts: string[] = [];
  for (const [client, text] of [
    [first, "1"],
    [second, "2"],
    [first, "3"],
    [second, "4"],
  ] as const) {
    texts.push(await client.send(text).text());
  }
  expect(texts).toEqual(["a:1", "b:2", "a:3", "b:4"]);
});

test("at all addresses, an answer comes from the address that was asked", async () => {
  await using node = await echo();
  await using site = await routeDatagrams(datagramsTo("n", node) + `udpsRouter "main" { .address = ":0" ${toNode()} }`);
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  for (const { address, scopeid = 0 } of addresses) {
    if (scopeid !== 0) continue;
    // It takes answers from that address only.
    await using client = await site.connect(address);
    expect(await client.send("x").text()).toBe("x");
  }
});

test("cases tell DNS, QUIC and others apart", async () => {
  await using dns = await echo("dns:");
  await using other = await echo("other:");
  await using site = await routeDatagrams(
    datagramsTo("d", dns) +
      datagramsTo("o", other) +
      datagramRouter(
        'case $protocol == "dns" { udpsProxy { .toBackend = "d" } } case $protocol == "" && $transport == "udp" { udpsProxy { .toBackend = "o" } }',
      ),
  );
  await using client = await site.connect();
  const query = Buffer.from("abcd01000001000000000000" + "0161000001" + "0001", "hex");
  expect(await client.send(query).text()).toMatch(/^dns:/);
  await using second = await site.connect();
  expect(await second.send("hello").text()).toBe("other:hello");
});

test("a node that cannot be reached is passed over for another one, with what was sent", async () => {
  const gone = await echo();
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  await using node = await echo();
  await using site = await routeDatagrams(datagramsTo("n", [address, node.address]) + datagramRouter(toNode()));
  await using client = await site.connect();
  expect(await client.send("x").text()).toBe("x");
});

test("a session is over when it has had its expected answers", async () => {
  await using node = await DatagramEnd.answering((text) => [text, "late"]);
  await using site = await routeDatagrams(datagramsTo("n", node) + datagramRouter(toNode(".expectedAnswers = 1")));
  await using client = await site.connect();
  client.send("x").send("y");
  const ports = new Set([(await node.next()).from.port, (await node.next()).from.port]);
  expect(await client.text()).toBe("x");
  client.send("z");
  ports.add((await node.next()).from.port);
  expect(ports.size).toBeGreaterThan(1);
});

test("a session without datagrams ends after idleTimeout, and the next datagram begins another one", async () => {
  await using node = await echo();
  await using site = await routeDatagrams(datagramsTo("n", node) + datagramRouter(toNode(), ".idleTimeout = 1ms"));
  await using client = await site.connect();
  await client.send("x").text();
  const { port } = (await node.next()).from;
  while (!site.log.some((line) => line.includes("idleTimeout"))) await new Promise((resolve) => setImmediate(resolve));
  await client.send("x").text();
  expect((await node.next()).from.port).not.toBe(port);
});

test("a mirror gets a copy of each datagram, and its answers are dropped", async () => {
  await using node = await echo("node:");
  await using mirror = await echo("mirror:");
  await using site = await routeDatagrams(
    datagramsTo("n", node) + datagramsTo("m", mirror) + datagramRouter(toNode('.mirrorTo = "m"')),
  );
  await using client = await site.connect();
  expect(await client.send("1").text()).toBe("node:1");
  expect(await mirror.text()).toBe("1");
  expect(await client.send("2").text()).toBe("node:2");
  expect(await mirror.text()).toBe("2");
});

test.each(["", ".maxIdle = 1s"])("a router needs an address with a port%s", async (props) => {
  const text = `stage { udpsRouter "main" { .address = "/run/x.sock" ${props} } }`;
  await expect(bootWith([]).bootText(text, { log: openErrorLog({ sink: new MemorySink() }) })).rejects.toThrow(
    /write host:port|no property "maxIdle"/,
  );
});

test("a dealet for connections is refused in a router of datagrams, and one for datagrams in a router of connections", async () => {
  const boot = (text: string) =>
    bootWith([]).bootText(`stage { ${text} }`, { log: openErrorLog({ sink: new MemorySink() }) });
  const server = 'webapp "w" { .hostnames = ("*") } httpxServer "w" { .webapps = ("w") .address = "127.0.0.1:0" }';
  await expect(boot(`${server} ${datagramRouter('case { handOver { .toServer = "w" } }')}`)).rejects.toThrow(
    "handOver does not handle datagrams",
  );
  const backend = datagramsTo("n", ["127.0.0.1:9"]);
  await expect(boot(`${backend} tcpsRouter "t" { .address = ":0" ${toNode()} }`)).rejects.toThrow(
    "udpsProxy does not handle connections of TCP",
  );
});

test("a reload that changes another case leaves sessions alone, and one that drops their case ends them", async () => {
  await using node = await echo();
  const config = (cases: string) => `stage { ${datagramsTo("n", node)} ${datagramRouter(cases)} }`;
  const proxy = 'udpsProxy { .toBackend = "n" }';
  const two = (host: string) => `case "a" $srcHost == "${host}" { ${proxy} } case "b" { ${proxy} }`;
  const stage = await bootWith([]).bootText(config(two("192.0.2.1")), {
    log: openErrorLog({ sink: new MemorySink() }),
  });
  await stage.start();
  try {
    const { listensOn }: RouterPart = stage.find("udpsRouter.main")?.part ?? {};
    await using client = await DatagramEnd.connect(Number(listensOn?.[0]?.split(":")[1]), "127.0.0.1");
    await client.send("1").text();
    const { port } = (await node.next()).from;
    await (
      await stage.reload({ text: config(two("192.0.2.2")) })
    ).departed;
    await client.send("2").text();
    expect((await node.next()).from.port).toBe(port);
    const reloaded = await stage.reload({ text: config(`.idleTimeout = 1ms case "c" { ${proxy} }`) });
    await client.send("3").text();
    await node.next();
    await reloaded.departed;
    await client.send("4").text();
    expect((await node.next()).from.port).not.toBe(port);
  } finally {
    await stage.quit(1000);
  }
});

test("an idleTimeout that a reload makes shorter holds for sessions that are idle", async () => {
  await using node = await echo();
  const config = (props: string) => `stage { ${datagramsTo("n", node)} ${datagramRouter(props + toNode())} }`;
  const sink = new MemorySink();
  const stage = await bootWith([]).bootText(config(""), { log: openErrorLog({ level: "debug", sink }) });
  await stage.start();
  try {
    const { listensOn }: RouterPart = stage.find("udpsRouter.main")?.part ?? {};
    await using client = await DatagramEnd.connect(Number(listensOn?.[0]?.split(":")[1]), "127.0.0.1");
    await client.send("1").text();
    await stage.reload({ text: config(".idleTimeout = 1ms ") });
    await expect.poll(() => sink.lines.join("\n")).toContain("its session was ended: idleTimeout");
  } finally {
    await stage.quit(1000);
  }
});

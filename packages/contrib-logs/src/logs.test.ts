import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { bootWith, defineHandlet, MemorySink, Metrics, openErrorLog, pack } from "@hemi/internal";
import { makeCertificate } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import contrib from "./index.ts";
import { receiveDatagrams, receiveFrames, receiveStream, type Receiver } from "./testing/receivers.ts";

const fails = defineHandlet({
  sign: "fails",
  create: () => ({
    handle(req) {
      throw new Error(`no stock of ${req.query("of") ?? "anything"}`);
    },
  }),
});

const configOf = (addon: string, format: string) => `stage {
  ${addon}
  webapp "shop" {
    .hostnames = ("*")
    .accessLog = ["to": "central", "format": ${format}]
    rule $path == "/fails" { fails {} }
    rule { .returnText = "hello" }
  }
  httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
}`;

/** A site whose logs go to an addon. */
async function serve(addon: string, format = '"combined"') {
  const sink = new MemorySink();
  const metrics = new Metrics();
  const stage = await bootWith([contrib]).bootText(configOf(addon, format), {
    log: openErrorLog({ sink }),
    metrics,
    use: [pack("test", [fails])],
  });
  await stage.start();
  return {
    stage,
    lines: sink.lines,
    get: async (url: string) => (await stage.inject({ url })).status,
    counted: () => {
      const values = metrics.report().find(({ group }) => group === "exporter")?.values ?? [];
      return { sent: values[2], dropped: values[3] };
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

const method = '$method + " " + $uri + " " + $status';

test("syslog over UDP gets each line of the access log and of the error log as a message of RFC 5424", async () => {
  await using receiver = await receiveDatagrams();
  {
    await using site = await serve(
      `syslog "central" { .address = "${receiver.address}" .facility = "local3" .appName = "shop" .errorLog = true }`,
      method,
    );
    expect(await site.get("/a?b=c")).toBe(200);
    expect(await site.get("/fails?of=%C3%A4pfel%0Aforged")).toBe(500);
    await expect.poll(() => receiver.messages.length).toBeGreaterThanOrEqual(4);
  }
  const [access] = receiver.messages.filter(({ messageId }) => messageId === "accessLog");
  expect(access).toEqual({
    facility: 19,
    severity: 6,
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    hostname: hostname(),
    appName: "shop",
    processId: `${process.pid}`,
    messageId: "accessLog",
    structuredData: "-",
    text: "GET /a?b=c 200",
  });
  const failure = receiver.messages.find(({ severity }) => severity === 3);
  expect(failure).toMatchObject({ messageId: "errorLog", facility: 19 });
  expect(failure?.text).toMatch(/^webapp\.shop\/rule.*\/fails .* \| Error: no stock of äpfel\\nforged \| at /);
});

test("syslog over TCP gets messages with counted octets, and the rest of them at the end of the stage", async () => {
  await using receiver = await receiveFrames();
  {
    await using site = await serve(
      `syslog "central" { .address = "${receiver.address}" .transport = "tcp" }`,
      '$uri + " ö\n\tü"',
    );
    await Promise.all(Array.from({ length: 600 }, (_, i) => site.get(`/${i}`)));
  }
  await expect.poll(() => receiver.messages).toHaveLength(600);
  expect(new Set(receiver.messages.map(({ text: line }) => line)).size).toBe(600);
  expect(receiver.messages[7]?.text).toBe("/7 ö  ü");
  expect(receiver.messages.every(({ messageId }) => messageId === "accessLog")).toBe(true);
});

test("syslog over TLS gets messages of RFC 5425; a receiver whose certificate is not right gets none", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-syslog-tls-"));
  makeCertificate(folder.path, "right");
  makeCertificate(folder.path, "wrong");
  const file = (name: string) => join(folder.path, name);
  const served = { cert: await readFile(file("right.crt")), key: await readFile(file("right.key")) };
  await using receiver = await receiveFrames(0, served);
  const addon = (ca: string) =>
    `syslog "central" {
      .address = "${receiver.address}" .transport = "tcp" .tlsMode = true .tlsCA = "${file(`${ca}.crt`)}"
    }`;
  await using site = await serve(addon("wrong"), method);
  expect(await site.get("/a")).toBe(200);
  await expect.poll(() => site.lines.join("")).toMatch(/takes no lines: .*self-signed certificate/);
  expect(receiver.messages).toEqual([]);
  await site.stage.reload({ text: configOf(addon("right"), method) });
  await expect.poll(() => receiver.messages.map(({ text: line }) => line)).toEqual(["GET /a 200"]);
  const broken = site.stage.reload({ text: configOf(addon("missing"), method) });
  await expect(broken).rejects.toThrow("missing.crt cannot be read");
});

test("a line of another process goes to syslog, with its cause, and not into the log here", async () => {
  await using receiver = await receiveFrames();
  const sink = new MemorySink();
  const log = openErrorLog({ sink });
  await using stage = await bootWith([contrib]).bootText(
    `stage { syslog "central" { .address = "${receiver.address}" .transport = "tcp" .errorLog = true } }`,
    { log },
  );
  await stage.start();
  log.relay({ time: 0, level: "error", path: "leader", text: "worker 0 died\n    Error: oops\n    at a" });
  await expect
    .poll(() => receiver.messages.map(({ text: line }) => line))
    .toContain("leader worker 0 died | Error: oops | at a");
  expect(receiver.messages.at(-1)?.severity).toBe(3);
  expect(sink.lines.join("")).not.toContain("worker 0 died");
});

test("a UNIX socket gets the same as TCP, and a long line is cut between two characters", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-syslog-"));
  await using receiver = await receiveFrames(join(folder.path, "log"));
  await using site = await serve(
    `syslog "central" { .address = "${receiver.address}" .maxLine = 400 }`,
    `"${"é".repeat(300)}" + $uri`,
  );
  expect(await site.get("/")).toBe(200);
  await expect.poll(() => receiver.messages.map(({ text: line }) => line)).toEqual([`${"é".repeat(198)}...`]);
});

test("lines wait while the receiver is away, within bounds; what is too much is dropped, counted and told", async () => {
  const gone = await receiveFrames();
  await gone[Symbol.asyncDispose]();
  await using site = await serve(
    `syslog "central" { .address = "${gone.address}" .transport = "tcp" .maxQueue = 20 .errorLog = true }`,
    method,
  );
  for (let i = 0; i < 50; i++) expect(await site.get(`/${i}`)).toBe(200);
  await expect.poll(() => site.lines.join("")).toContain("takes no lines: connect ECONNREFUSED");
  const { dropped = 0 } = site.counted();
  expect(dropped).toBeGreaterThanOrEqual(30);
  await using receiver = await receiveFrames(Number(gone.address.split(":")[1]));
  await expect.poll(() => receiver.messages.length).toBe(20);
  await expect.poll(() => site.lines.join("")).toMatch(/takes lines again dropped=3\d/);
  expect(site.counted().sent).toBe(20);
  expect(site.lines.filter((line) => line.includes("takes no lines"))).toHaveLength(1);
});

test("a receiver that reads nothing costs lines, and neither requests nor memory", async () => {
  await using receiver = await receiveStream(0, (socket) => socket.pause());
  await using site = await serve(
    `syslog "central" { .address = "${receiver.address}" .transport = "tcp" .maxQueue = 300 .timeout = 50ms }`,
    `$uri + "${"x".repeat(7000)}"`,
  );
  for (let i = 0; i < 3000; i++) expect(await site.get("/")).toBe(200);
  await expect.poll(() => site.lines.join("")).toContain("it took nothing for 50 ms");
  expect(site.counted().dropped).toBeGreaterThan(0);
});

test("a port of UDP where nobody listens is told once, and once that somebody does", async () => {
  const gone = await receiveDatagrams();
  await gone[Symbol.asyncDispose]();
  await using site = await serve(`syslog "central" { .address = "${gone.address}" .errorLog = true }`, method);
  await expect
    .poll(async () => {
      await site.get("/");
      return site.lines.join("");
    })
    .toContain("takes no lines");
  await using receiver = await receiveDatagrams(Number(gone.address.split(":")[1]));
  await expect.poll(() => receiver.messages.length).toBeGreaterThan(0);
  await expect.poll(() => site.lines.join("")).toContain("takes lines again");
  expect(site.lines.filter((line) => line.includes("takes no lines"))).toHaveLength(1);
});

test("journald gets its head once, then lines with their priorities", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-journal-"));
  const streams: Promise<string>[] = [];
  await using receiver = await receiveStream(join(folder.path, "stdout"), (socket) => streams.push(text(socket)));
  {
    await using site = await serve(
      `journald "central" { .socket = "${receiver.address}" .identifier = "shop" .errorLog = true }`,
      method,
    );
    await site.get("/a");
    await expect.poll(() => site.counted().sent).toBeGreaterThan(0);
    await site.get("/fails");
  }
  const stream = (await Promise.all(streams)).join("");
  expect(streams).toHaveLength(1);
  expect(stream.split("\n").slice(0, 7)).toEqual(["shop", "", "6", "1", "0", "0", "0"]);
  const lines = stream.split("\n").slice(7, -1);
  for (const line of lines) expect(line).toMatch(/^<[3467]>[^\n]+$/);
  expect(lines).toContain("<6>GET /a 200");
  expect(lines.find((line) => line.startsWith("<3>"))).toMatch(/fails .* \| Error: no stock of anything \| at /);
});

test("a connection log goes to syslog like an access log", async () => {
  await using receiver = await receiveFrames();
  await using stage = await bootWith([contrib]).bootText(
    `stage {
      syslog "central" { .address = "${receiver.address}" .transport = "tcp" }
      tcpsRouter "main" { .address = "127.0.0.1:0" .connLog = ["to": "central", "format": $endReason] }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  const { listensOn: [address = ""] = [] }: { listensOn?: readonly string[] } =
    stage.find("tcpsRouter.main")?.part ?? {};
  await once(connect(Number(address.split(":")[1]), "127.0.0.1").resume(), "close");
  await expect.poll(() => receiver.messages).toMatchObject([{ messageId: "connLog", text: "notTaken" }]);
});

test("after a reload with another receiver, the log of a webapp that has not changed goes there", async () => {
  await using first = await receiveFrames();
  await using second = await receiveFrames();
  const to = ({ address }: Receiver) => `syslog "central" { .address = "${address}" .transport = "tcp" }`;
  await using site = await serve(to(first), method);
  expect(await site.get("/before")).toBe(200);
  await site.stage.reload({ text: configOf(to(second), method) });
  expect(await site.get("/after")).toBe(200);
  await expect.poll(() => second.messages.map(({ text: line }) => line)).toEqual(["GET /after 200"]);
  await expect.poll(() => first.messages.map(({ text: line }) => line)).toEqual(["GET /before 200"]);
});

test.each([
  ['syslog "central" { .address = "/dev/log" .transport = "udp" }', "a UNIX socket has no transport"],
  ['syslog "central" { .address = "127.0.0.1:6514" .tlsMode = true }', "TLS needs a connection of TCP"],
  ['syslog "central" { .address = "127.0.0.1:514" .tlsCA = "/ca.pem" }', "it says something of TLS only"],
  ['syslog "central" { .address = "127.0.0.1:514" .appName = "my shop" }', "printable ASCII characters"],
])("refuses the configuration %s", async (addon, message) => {
  await expect(serve(addon)).rejects.toThrow(message);
});

test.each([
  ['["to": "central", "file": "a.log"]', 'it takes either "file" or "to"'],
  ["[]", 'it takes either "file" or "to"'],
  ['["to": "central", "daily": true]', "what goes to an addon cannot be rotated"],
  ['["to": "other"]', "other"],
])("an access log that is written as %s is a mistake of the configuration", async (log, message) => {
  const booted = bootWith([contrib]).bootText(
    `stage { syslog "central" { .address = "127.0.0.1:514" } webapp "a" { .hostnames = ("*") .accessLog = ${log} } }`,
  );
  await expect(booted).rejects.toThrow(message);
});

// Logs in a real rsyslog: over UDP, TCP, TLS, and a UNIX socket.

import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { bootText, MemorySink, openErrorLog } from "@hemi/hemi";
import { makeCertificate } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { freePort, startPeer } from "../src/peer-process.ts";
import { peer, peerFile } from "../src/peers.ts";

const config = (addresses: Readonly<Record<string, string>>) => {
  const sites = Object.entries(addresses).map(
    ([name, address]) => `
      syslog "${name}" { ${address} .facility = "local2" .appName = "shop" .errorLog = true }
      webapp "${name}" {
        .hostnames = ("${name}.example")
        .accessLog = ["to": "${name}", "format": $hostname + $uri + " é"]
        rule { .returnText = "hello" }
      }`,
  );
  const names = Object.keys(addresses).map((name) => `"${name}"`);
  return `stage { ${sites.join("")} httpxServer "main" { .webapps = (${names.join(", ")}) .address = "127.0.0.1:0" } }`;
};

/** As rsyslog has understood it. */
interface Stored {
  readonly msg: string;
  readonly hostname: string;
  readonly "app-name": string;
  readonly procid: string;
  readonly msgid: string;
  readonly syslogfacility: string;
  readonly syslogseverity: string;
}

test("rsyslog understands what comes by UDP, TCP, TLS and a UNIX socket", { timeout: 60_000 }, async (context) => {
  const rsyslogd = peer("rsyslogd", context);
  peerFile("rsyslogTls", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-rsyslog-"));
  makeCertificate(folder.path, "receiver");
  const [udp, tcp, tls] = await Promise.all([freePort(), freePort(), freePort()]);
  const file = (name: string) => join(folder.path, name);
  await writeFile(
    file("rsyslog.conf"),
    `global(workDirectory="${folder.path}" defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="${file("receiver.crt")}"
  defaultNetstreamDriverCertFile="${file("receiver.crt")}" defaultNetstreamDriverKeyFile="${file("receiver.key")}")
module(load="imudp") module(load="imptcp")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" address="127.0.0.1" port="${tls}")
input(type="imudp" address="127.0.0.1" port="${udp}")
input(type="imptcp" address="127.0.0.1" port="${tcp}")
input(type="imptcp" path="${file("socket")}")
template(name="json" type="list") { property(name="jsonmesg") constant(value="\\n") }
action(type="omfile" file="${file("lines")}" template="json")
`,
  );
  await using _ = await startPeer(rsyslogd, ["-n", "-f", file("rsyslog.conf"), "-i", file("pid")], tcp);
  const addresses = {
    udp: `.address = "127.0.0.1:${udp}"`,
    tcp: `.address = "127.0.0.1:${tcp}" .transport = "tcp"`,
    tls: `.address = "127.0.0.1:${tls}" .transport = "tcp" .tlsMode = true .tlsCA = "${file("receiver.crt")}"`,
    unix: `.address = "${file("socket")}"`,
  };
  await using stage = await bootText(config(addresses), { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  for (const name of Object.keys(addresses)) {
    expect((await stage.inject({ url: "/a", headers: { host: `${name}.example` } })).text).toBe("hello");
  }
  const stored = async (): Promise<readonly Stored[]> => {
    const text = await readFile(file("lines"), "utf8").catch(() => "");
    const lines = text.split("\n").slice(0, -1);
    const messages = lines.map((line) => JSON.parse(line) as Stored);
    return messages.filter(({ msgid }) => msgid === "accessLog");
  };
  const texts = async () => (await stored()).map(({ msg }) => msg.replace("\ufeff", "")).toSorted();
  await expect.poll(texts).toEqual(["tcp.example/a é", "tls.example/a é", "udp.example/a é", "unix.example/a é"]);
  for (const line of await stored()) {
    expect(line).toMatchObject({
      hostname: hostname(),
      "app-name": "shop",
      procid: `${process.pid}`,
      syslogfacility: "18",
      syslogseverity: "6",
    });
  }
});

// DNS with real clients and a real server: dig over UDP, TCP, TLS and HTTPS; dnsmasq as the name server.

import { execFile } from "node:child_process";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import dns from "@hemi/contrib-dns";
import { bootText } from "@hemi/hemi";
import { expect, test } from "vitest";
import { freePort, startPeer } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";

const run = promisify(execFile);

test("dig asks over UDP, TCP, TLS and HTTPS, and dnsmasq is the name server", { timeout: 60_000 }, async (context) => {
  const dig = peer("dig", context);
  const dnsmasq = peer("dnsmasq", context);
  const openssl = peer("openssl", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-dns-"));
  const [cert, key] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
  await run(openssl, [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", "/CN=dns.example", "-addext", "subjectAltName=DNS:dns.example", "-keyout", key, "-out", cert],
  ]);
  const port = await freePort();
  const long = Array.from({ length: 20 }, (_, i) => `--txt-record=long.test,${String(i).repeat(100).slice(0, 100)}`);
  await using _server = await startPeer(
    dnsmasq,
    [
      ...["--no-daemon", "--no-hosts", "--no-resolv", "--bind-interfaces", "--listen-address=127.0.0.1"],
      ...[`--port=${port}`, "--user=root", "--address=/a.test/192.0.2.7", "--local-ttl=100", ...long],
    ],
    port,
  );
  const [own, tls, https] = [await freePort(), await freePort(), await freePort()];
  await using stage = await bootText(
    `stage {
      udpsBackend "servers" { .nodes = (["address": "127.0.0.1:${port}"]) .healthCheck = "dns" }
      tcpsBackend "overTcp" { .nodes = (["address": "127.0.0.1:${port}"]) }
      dnsBackend "names" {
        .records = (["name": "www.example", "type": "A", "values": ("192.0.2.1")])
        .zones = ("example") .forwardTo = "servers" .forwardOverTcp = "overTcp"
      }
      udpsRouter "udp" { .address = "127.0.0.1:${own}" case { dnsDealet { .toBackend = "names" } } }
      tcpsRouter "tcp" { .address = "127.0.0.1:${own}" case { dnsDealet { .toBackend = "names" } } }
      tcpsRouter "tls" {
        .address = "127.0.0.1:${tls}" .tlsMode = true .alpn = ("dot") .tlsCert = "${cert}" .tlsKey = "${key}"
        case { dnsDealet { .toBackend = "names" } }
      }
      webapp "doh" {
        .hostnames = ("*") .tlsCert = "${cert}" .tlsKey = "${key}"
        rule $path == "/dns-query" { dnsHandlet { .toBackend = "names" } }
      }
      httpxServer "https" { .webapps = ("doh") .address = "127.0.0.1:${https}" .tlsMode = true }
    }`,
    { use: [dns] },
  );
  await stage.start();
  const ask = async (...args: string[]) => (await run(dig, ["@127.0.0.1", "+tries=1", ...args])).stdout;
  for (const way of [["+notcp"], ["+tcp"], ["+tls"], ["+https"], ["+https-get"]]) {
    const at = way[0] === "+tls" ? tls : (way[0] ?? "").startsWith("+https") ? https : own;
    const to = async (...args: string[]) => await ask("-p", String(at), ...way, ...args);
    expect(await to("+short", "wWw.Example"), way[0]).toBe("192.0.2.1\n");
    expect(await to("+short", "a.test"), way[0]).toBe("192.0.2.7\n");
    expect(await to("nothing.example"), way[0]).toContain("status: NXDOMAIN");
  }
  // It is truncated over UDP, and dig comes again over TCP.
  expect((await ask("-p", String(own), "+short", "long.test", "TXT")).split("\n")).toHaveLength(21);
  expect(await ask("-p", String(own), "A.tEsT")).toMatch(/A\.tEsT\.\s+\d+\s+IN\s+A\s+192\.0\.2\.7/);
});

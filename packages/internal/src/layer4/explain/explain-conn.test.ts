import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { AskedConn } from "./conn-explanation.ts";
import { connWalkText } from "./conn-walk-text.ts";

const config = `stage {
  webapp "w" { .hostnames = ("*") }
  httpxServer "web" { .webapps = ("w") .address = "127.0.0.1:1" }
  tcpsBackend "ssh" { .nodes = (["address": "127.0.0.1:22"]) }
  udpsBackend "dns" { .nodes = (["address": "127.0.0.1:53"]) }
  tcpsRouter "door" {
    .address = ":443-445"
    case "ssh" $protocol == "ssh" && $srcHost != "192.0.2.1" { tcpsProxy { .toBackend = "ssh" } }
    case "a" $serverName == "a.example" && $nextProto == ("h2", "http/1.1") { handOver { .toServer = "web" } }
    case "rest" $srcHost in "192.0.2.0/24" { handOver { .toServer = "web" } }
  }
  tcpsRouter "other" { .address = "127.0.0.1:8443" }
  udpsRouter "names" { .address = ":53" case { udpsProxy { .toBackend = "dns" } } }
}`;

async function walkOf(conn: AskedConn) {
  await using stage = await bootWith([]).bootText(config, {
    log: openErrorLog({ sink: new MemorySink() }),
    name: "a.conf",
  });
  return await stage.explainConn(conn);
}

const local = (port: number) => ({ address: "", port });

test("the first bytes lead to a case, its dealet and a node", async () => {
  const walk = await walkOf({ protocol: "tcp", to: local(443), bytes: Buffer.from("SSH-2.0-") });
  expect(walk.outcome).toMatchObject({
    type: "taken",
    by: { path: "tcpsRouter.door/case.ssh/tcpsProxy" },
    text: "joins it with node 127.0.0.1:22 of tcpsBackend.ssh",
  });
  expect(walk.cases?.map(({ matches }) => matches)).toEqual(["yes", "not reached", "not reached"]);
  const text = connWalkText(walk);
  expect(text).toMatch(/a\.conf:6:3 +tcpsRouter "door" +tcp on :443-445 +yes, listens there/);
  expect(text).toMatch(/\$protocol = "ssh" +== "ssh" +yes/);
});

test("a server name and ALPN lead to a server", async () => {
  const walk = await walkOf({ protocol: "tcp", to: local(444), serverName: "A.example", nextProto: "h2" });
  expect(walk.facts).toMatchObject({ protocol: "tls", serverName: "a.example" });
  expect(walk.outcome).toMatchObject({
    by: { path: "tcpsRouter.door/case.a/handOver" },
    text: "gives it to httpxServer.web",
  });
});

test("what no case takes is closed, and so is what no router listens for", async () => {
  const closed = await walkOf({ protocol: "tcp", to: local(443), from: { address: "10.0.0.1", port: 5000 } });
  expect(closed.outcome).toEqual({ type: "closed", text: "no case takes it: it is closed" });
  const nowhere = await walkOf({ protocol: "tcp", to: local(80) });
  expect(nowhere.outcome).toEqual({ type: "closed", text: "no router listens for tcp there" });
  const unclear = await walkOf({ protocol: "tcp" });
  expect(connWalkText(unclear)).toContain("several routers may receive it");
});

test("datagrams are explained, too", async () => {
  const walk = await walkOf({ protocol: "udp", to: local(53), bytes: Buffer.from("x") });
  expect(walk.outcome).toMatchObject({
    type: "taken",
    text: "sends its datagrams to node 127.0.0.1:53 of udpsBackend.dns",
  });
});

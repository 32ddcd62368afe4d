// DNS over HTTPS without a socket. Real clients are in packages/develop/e2e.

import { bootWith, MemorySink, openErrorLog } from "@hemi/internal";
import { decode } from "dns-packet";
import { expect, test } from "vitest";
import contrib from "../index.ts";
import { queryFor } from "../testing/resolve.ts";

async function site() {
  const stage = await bootWith([contrib]).bootText(
    `stage {
      dnsBackend "names" { .records = (["name": "a.example", "type": "A", "values": ("192.0.2.1"), "ttl": 60s]) }
      webapp "doh" { .hostnames = ("*") rule $path == "/dns-query" { dnsHandlet { .toBackend = "names" } } }
      httpxServer "main" { .webapps = ("doh") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  return stage;
}

test("a query in the address is answered, and what is none is refused", async () => {
  await using stage = await site();
  const url = `/dns-query?dns=${queryFor("a.example").toString("base64url")}`;
  const { status, content } = await stage.inject({ url });
  expect(status).toBe(200);
  expect(decode(Buffer.from(content)).answers).toMatchObject([{ data: "192.0.2.1" }]);
  expect((await stage.inject({ url: "/dns-query?dns=x" })).status).toBe(400);
  expect((await stage.inject({ url: "/dns-query", method: "DELETE" })).status).toBe(405);
});

test("hemi explain tells which resolver answers a query, and what other methods get", async () => {
  await using stage = await site();
  const told = async (method: string) => JSON.stringify(await stage.explain({ url: "/dns-query?dns=x", method }));
  expect(await told("GET")).toContain("answers by dnsBackend.names");
  expect(await told("POST")).toContain("answers by dnsBackend.names");
  const other = await told("DELETE");
  expect(other).toContain("DELETE is not for queries");
  expect(other).toContain("405");
});

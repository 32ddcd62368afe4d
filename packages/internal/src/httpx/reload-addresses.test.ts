// Reloads that change where servers listen.

import { mkdtempDisposable, readdir } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { RawClient, request } from "../testing/raw-client.ts";

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Servers by name, each with a webapp of its name. */
function site(addresses: Readonly<Record<string, string>>): string {
  const servers = Object.entries(addresses).map(
    ([name, address]) => `
      webapp "${name}" { .hostnames = ("*") rule { .returnText = "${name}" } }
      httpxServer "${name}" { .webapps = ("${name}") .address = "${address}" }`,
  );
  return `stage { ${servers.join("")} }`;
}

async function serving(text: string) {
  const stage = await bootWith([]).bootText(text, { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  return {
    stage,
    reload: (text: string) => stage.reload({ text }),
    async ask(address: string): Promise<string> {
      const to = address.startsWith("/")
        ? { path: address }
        : { host: "127.0.0.1", port: Number(address.split(":")[1]) };
      const client = await RawClient.connect(to).catch((error: unknown) => String(error));
      if (typeof client === "string") return client;
      await using open = client;
      return (await open.send(request("GET /")).response()).content.toString();
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

test("two servers may change places", async () => {
  const [one, two] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  await using servers = await serving(site({ a: one, b: two }));
  for (let i = 0; i < 5; i++) {
    await servers.reload(i % 2 ? site({ a: one, b: two }) : site({ a: two, b: one }));
    expect([await servers.ask(one), await servers.ask(two)]).toEqual(i % 2 ? ["a", "b"] : ["b", "a"]);
  }
});

test.each(["a port", "a path"])(
  "a server whose address changes to another %s may change back at once",
  async (sort) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-addresses-"));
    const addresses =
      sort === "a port"
        ? [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
        : [join(folder.path, "one.sock"), join(folder.path, "two.sock")];
    const [one = "", two = ""] = addresses;
    await using servers = await serving(site({ a: one }));
    await Promise.all([two, one, two, one, two, one].map((address) => servers.reload(site({ a: address }))));
    expect(await servers.ask(one)).toBe("a");
    const { departed } = await servers.reload(site({ a: two }));
    await departed;
    expect([await servers.ask(one), await servers.ask(two)]).toEqual([
      expect.stringMatching(/ECONNREFUSED|ENOENT/),
      "a",
    ]);
    await servers.stage.quit();
    expect(await readdir(folder.path)).toEqual([]);
  },
);

test("a reload refused for an address that is taken leaves the listeners as they were", async () => {
  await using other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  const [one, two] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  await using servers = await serving(site({ a: one, b: two }));
  const taken = site({ a: two, b: one, c: `127.0.0.1:${port}` });
  await expect(servers.reload(taken)).rejects.toThrow(
    /:\d+:\d+ HEMI_LISTEN: cannot listen on 127\.0\.0\.1:\d+: another program listens there.*\n.*address.*\n.*\^/,
  );
  expect([await servers.ask(one), await servers.ask(two)]).toEqual(["a", "b"]);
  await servers.reload(site({ b: two }));
  expect([await servers.ask(one), await servers.ask(two)]).toEqual([expect.stringContaining("ECONNREFUSED"), "b"]);
});

test("a server on a free port keeps it through reloads that do not concern it", async () => {
  await using servers = await serving(site({ a: "127.0.0.1:0" }));
  const listensOn = () => (servers.stage.component("httpxServer.a").part as { listensOn: string[] }).listensOn;
  const before = listensOn();
  await servers.reload(site({ a: "127.0.0.1:0", b: "127.0.0.1:0" }));
  expect(listensOn()).toEqual(before);
});

test("a reload from all addresses of a port to one is refused with what to do, and changes nothing", async () => {
  const port = await freePort();
  await using servers = await serving(site({ a: `:${port}` }));
  await expect(servers.reload(site({ a: `127.0.0.1:${port}` }))).rejects.toThrow(
    /httpxServer\.a listens on .*, in this very process; .*restart: a reload cannot exchange them/,
  );
  expect(await servers.ask(`127.0.0.1:${port}`)).toBe("a");
});

// What a plan says about its price: work of what would be dropped, in all workers.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith, run } from "./command.ts";
import { serve } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

const pack = `import { defineHandlet, defineSocklet, pack, prop } from "${import.meta.resolve("@hemi/hemi")}";
  const props = { number: prop.integer({ default: 0 }) };
  const echo = defineSocklet({
    sign: "echo",
    props,
    create: () => ({ handle: (upgrade) => (upgrade.accept({ message() {} }), true) }),
  });
  const waits = defineHandlet({
    sign: "waits",
    props,
    create: () => ({
      async handle(_req, resp) {
        await resp.echo("begin");
        await new Promise(() => {});
      },
    }),
  });
  export default pack("test", [echo, waits]);`;

const site = (number: number): string => `stage {
  .drainTimeout = 4s
  webapp "a" {
    .hostnames = ("*")
    rule $path == "/kept" { echo {} }
    rule $path == "/echo" { echo { .number = ${number} } }
    rule { waits { .number = ${number} } }
  }
  httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }
}
`;

test("a plan counts what would be closed and what is untouched in all workers, and so does the reload", async () => {
  await using folder = await folderWith({ "hemi.conf": site(1), "pack.mjs": pack });
  await using program = await serve(folder.path, "--use", "./pack.mjs");
  const open = async (path: string) => {
    const ws = new WebSocket(`ws://127.0.0.1:${program.port}${path}`);
    await once(ws, "open");
    return ws;
  };
  const kept = await Promise.all(Array.from({ length: 5 }, () => open("/kept")));
  const ending = await Promise.all(Array.from({ length: 4 }, () => open("/echo")));
  const abort = new AbortController();
  const requests = Array.from({ length: 3 }, () => fetch(`http://127.0.0.1:${program.port}/`, abort));
  await Promise.all(requests);
  await writeFile(join(folder.path, "hemi.conf"), site(2));
  const cost = {
    components: [{ path: "webapp.a", conns: 0, requests: 3, webSockets: 4, tunnels: 0 }],
    untouchedConns: 8,
    drainTimeout: 4000,
  };
  expect((await program.call("plan")).cost).toEqual(cost);
  const { stdout } = await run(["reload"], { cwd: folder.path });
  expect(stdout).toContain("webapp.a: 3 requests finish, 4 WebSockets closed within 4 s\n8 connections untouched\n");
  await Promise.all(ending.map((ws) => once(ws, "close")));
  expect(kept.map(({ readyState }) => readyState)).toEqual(kept.map(() => WebSocket.OPEN));
  abort.abort();
  for (const ws of kept) ws.close();
  await program.end();
});

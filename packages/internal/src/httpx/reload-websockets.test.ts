// What reloads do to WebSockets.

import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { prop } from "../component/prop.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { RawClient, request } from "../testing/raw-client.ts";
import { webSocketFrame, nextFrame } from "../testing/websocket.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { defineSocklet } from "../web/kinds.ts";

const chat = defineSocklet({
  sign: "chat",
  props: { number: prop.integer({ default: 0 }) },
  create: () => ({
    handle(upgrade) {
      const ws = upgrade.accept({ message: (message) => ws.send(String(message)) });
      return true;
    },
  }),
});

const site = (number: number, other: number, settings = "") => `stage { .drainTimeout = 50ms
  webapp "a" { .hostnames = ("a.example") ${settings} rule { chat { .number = ${number} } } }
  webapp "b" { .hostnames = ("b.example") .webRoot = "/${other}" rule { .returnText = "${other}" } }
  httpxServer "main" { .webapps = ("a", "b") .address = "127.0.0.1:0" }
}`;

async function chatting(settings = "") {
  const options = { log: openErrorLog({ sink: new MemorySink() }), use: [pack("test", [chat])] };
  const stage = await bootWith([]).bootText(site(1, 1, settings), options);
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const client = await RawClient.connect({ host: "127.0.0.1", port: Number(listensOn.replace(/^.*:/, "")) });
  client.send(
    request("GET /", {
      host: "a.example",
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }),
  );
  await client.through("\r\n\r\n");
  return {
    client,
    reload: (text: string) => stage.reload({ text }),
    async echo(text: string): Promise<string> {
      client.send(webSocketFrame(1, text));
      const [, content] = await nextFrame(client);
      return content;
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

test("a WebSocket lives through reloads that do not concern its socklet", async () => {
  await using chats = await chatting();
  expect(await chats.echo("one")).toBe("one");
  for (let other = 2; other < 12; other++) {
    const { departed } = await chats.reload(site(1, other));
    await departed;
    expect(await chats.echo(`after ${other}`)).toBe(`after ${other}`);
  }
});

test("a WebSocket whose socklet a reload drops is ended at drainTimeout, and works until then", async () => {
  await using chats = await chatting();
  const { departed } = await chats.reload(site(2, 1));
  expect(await chats.echo("still here")).toBe("still here");
  await departed;
  await expect
    .poll(() => chats.client.socket.closed || chats.client.socket.readableEnded, { timeout: 5000 })
    .toBe(true);
});

test("a WebSocket lives through changes of its webapp, and the line of it is in the new access log", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-reload-"));
  const logTo = (file: string) => `.accessLog = ["file": "${folder.path}/${file}"]`;
  await using chats = await chatting(logTo("first.log"));
  const settings = [
    '.hostnames = ("a.example", "b2.example")',
    '.webRoot = "/x"',
    logTo("second.log"),
    '.file404 = "/x/404"',
  ];
  for (const [i, setting] of settings.entries()) {
    const text = site(1, 1, [logTo("first.log"), setting].at(setting.includes("accessLog") ? 1 : 0));
    const { created, dropped } = await chats.reload(
      setting.includes("hostnames")
        ? text.replace('.hostnames = ("a.example")', setting)
        : setting.includes("accessLog")
          ? text
          : text.replace('.hostnames = ("a.example")', `.hostnames = ("a.example") ${setting}`),
    );
    expect([created, dropped]).toEqual([[], []]);
    expect(await chats.echo(`still ${i}`)).toBe(`still ${i}`);
  }
  await chats.reload(site(1, 1, logTo("second.log")));
  chats.client.socket.destroy();
  await expect.poll(() => readFile(join(folder.path, "second.log"), "utf8"), { timeout: 5000 }).toContain("GET /");
  expect(await readFile(join(folder.path, "first.log"), "utf8")).toBe("");
});

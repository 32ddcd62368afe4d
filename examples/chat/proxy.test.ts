import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { bootFile, type ServerPart, type Stage } from "@hemi/hemi";
import { expect, test } from "vitest";
import chat from "./chat.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

async function serve(config: string, env: Readonly<Record<string, string>> = {}): Promise<Stage & AsyncDisposable> {
  const stage = await bootFile(`${here}${config}`, { baseDir: here, use: [chat], env: { PORT: "0", ...env } });
  await stage.start();
  return stage;
}

function portOf(stage: Stage): string {
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return listensOn.replace(/^.*:/, "");
}

test("all who enter by the proxy meet in one room, and the page comes with it", async () => {
  await using first = await serve("chat.conf");
  await using second = await serve("chat.conf");
  await using proxy = await serve("proxy.conf", { CHAT_1: portOf(first), CHAT_2: portOf(second) });
  const address = `127.0.0.1:${portOf(proxy)}`;
  expect(await (await fetch(`http://${address}/`)).text()).toContain("<title>Chat</title>");
  const guests = await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const ws = new WebSocket(`ws://${address}/room`);
      const heard: unknown[] = [];
      ws.addEventListener("message", ({ data }) => heard.push(JSON.parse(String(data))));
      await once(ws, "open");
      return { ws, heard };
    }),
  );
  guests[0]?.ws.send("hello");
  for (const { heard } of guests) await expect.poll(() => heard.at(-1)).toMatchObject({ text: "hello" });
  for (const { ws } of guests) ws.close();
});

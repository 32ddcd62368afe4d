// The example of a chat room, in several workers.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { folderWith, start } from "./command.ts";

vi.setConfig({ testTimeout: 90_000 });

const chat = fileURLToPath(new URL("../../../examples/chat/", import.meta.url));

test("what one says in a chat room, those hear who are in other workers", async () => {
  await using folder = await folderWith({});
  const args = ["--workers", "2", "--config", "chat.conf", "--use", "./chat.ts", "--vars", folder.path];
  await using command = start(["serve", ...args], { cwd: chat, env: { PORT: "0" } });
  const [, port] = await command.line(/listens on 127\.0\.0\.1:(\d+)/);
  await command.line(/leads 2 workers/);
  const guests = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const ws = new WebSocket(`ws://127.0.0.1:${port ?? ""}/room`);
      const heard: unknown[] = [];
      ws.addEventListener("message", ({ data }) => heard.push(JSON.parse(String(data))));
      await once(ws, "open");
      return { ws, heard };
    }),
  );
  for (const { heard } of guests) await expect.poll(() => heard, { timeout: 10_000 }).toContainEqual({ present: 16 });
  guests[0]?.ws.send("hello");
  for (const { heard } of guests) {
    await expect.poll(() => heard.at(-1), { timeout: 10_000 }).toMatchObject({ text: "hello" });
  }
  for (const { ws } of guests) ws.close();
  command.child.kill("SIGTERM");
  expect((await command.finished()).code).toBe(0);
});

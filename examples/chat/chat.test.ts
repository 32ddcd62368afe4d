import { fileURLToPath } from "node:url";
import { bootFile, type ServerPart, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test } from "vitest";
import chat from "./chat.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
let stage: Stage;
let address: string;

beforeAll(async () => {
  stage = await bootFile(`${here}chat.conf`, { baseDir: here, use: [chat], env: { PORT: "0" } });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  address = listensOn.replace("[::]", "127.0.0.1");
});

afterAll(() => stage.quit());

/** Someone in the room, with all that was heard there so far. */
async function enter(): Promise<{ ws: WebSocket; heard: unknown[] }> {
  const ws = new WebSocket(`ws://${address}/room`);
  const heard: unknown[] = [];
  ws.addEventListener("message", ({ data }) => heard.push(JSON.parse(String(data))));
  await new Promise((resolve, reject) => {
    ws.addEventListener("open", resolve);
    ws.addEventListener("error", reject);
  });
  return { ws, heard };
}

test("what one says, all hear", async () => {
  const ada = await enter();
  const bob = await enter();
  ada.ws.send("hello");
  await expect.poll(() => bob.heard).toEqual([{ present: 2 }, { from: "guest 1", text: "hello" }]);
  await expect.poll(() => ada.heard.at(-1)).toEqual({ from: "guest 1", text: "hello" });
  bob.ws.close();
  await expect.poll(() => ada.heard.at(-1)).toEqual({ present: 1 });
  ada.ws.close();
});

test("who says too much at once, or no text, is sent away", async () => {
  for (const [message, code] of [
    ["x".repeat(5000), 1009],
    [new Uint8Array(1), 1003],
  ] as const) {
    const { ws } = await enter();
    const closed = new Promise<CloseEvent>((resolve) => ws.addEventListener("close", resolve));
    ws.send(message);
    expect((await closed).code).toBe(code);
  }
});

test("the page is served, and the room is nothing to read", async () => {
  expect((await stage.inject({ url: "/" })).text).toContain("<title>Chat</title>");
  expect((await stage.inject({ url: "/room" })).status).toBe(404);
});

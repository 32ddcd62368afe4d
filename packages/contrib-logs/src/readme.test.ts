import { readFile } from "node:fs/promises";
import { bootWith, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";
import { receiveDatagrams } from "./testing/receivers.ts";

test("the configuration in the README does what the README says", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, config = ""] = /```\n(stage \{.*?)```/s.exec(readme) ?? [];
  await using receiver = await receiveDatagrams();
  await using stage = await bootWith([contrib]).bootText(
    config.replace("127.0.0.1:3080", "127.0.0.1:0").replace("127.0.0.1:514", receiver.address),
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  expect((await stage.inject({ url: "/hello" })).text).toBe("welcome");
  await expect
    .poll(() => receiver.messages.find(({ messageId }) => messageId === "accessLog")?.text)
    .toContain("/hello");
  expect(receiver.messages.every(({ facility }) => facility === 16)).toBe(true);
});

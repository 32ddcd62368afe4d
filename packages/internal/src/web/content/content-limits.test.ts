// How much content a handlet gets where the configuration says nothing of it, something, or 0.

import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { defineHandlet } from "../kinds.ts";

const { bootText } = bootWith([]);

/** Counts what it gets, piece by piece. */
function counter(sign: string, defaultMaxContentSize?: number) {
  return defineHandlet({
    sign,
    create: () => ({
      ...(defaultMaxContentSize !== undefined && { defaultMaxContentSize }),
      async handle(req, resp) {
        let size = 0;
        for await (const piece of req.content) size += piece.length;
        resp.send(String(size));
        return true;
      },
    }),
  });
}

test.each([
  ["reads", "", 413],
  ["reads", ".maxContentSize = 3M", 200],
  ["reads", ".maxContentSize = 0", 200],
  ["passes", "", 200],
  ["passes", ".maxContentSize = 1M", 413],
  ["holds", "", 413],
])("2 MB for a handlet that %s, with %j: %i", async (sign, props, status) => {
  const text = `stage {
    webapp "app" { .hostnames = ("*") rule { ${props} ${sign} {} } }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
  }`;
  const use = [pack("test", [counter("reads"), counter("passes", Infinity), counter("holds", 100)])];
  await using stage = await bootText(text, { log: openErrorLog({ sink: new MemorySink() }), use });
  await stage.start();
  expect((await stage.inject({ url: "/", method: "POST", content: Buffer.alloc(2 << 20) })).status).toBe(status);
});

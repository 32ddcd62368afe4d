// A reload of very many rules.

import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";

const site = (text: string, more = ""): string => `stage {
  webapp "a" { .hostnames = ("*") rule { .returnText = "${text}" } }
  ${more}
  httpxServer "main" { .webapps = ("a"${more === "" ? "" : ', "many"'}) .address = "127.0.0.1:0" }
}`;

test("a reload of 10,000 rules is followed, and requests are answered meanwhile", { timeout: 90_000 }, async () => {
  const log = openErrorLog({ sink: new MemorySink() });
  await using stage = await bootWith([]).bootText(site("few"), { log });
  await stage.start();
  const ask = async (host: string, path: string) => (await stage.inject({ url: `http://${host}${path}` })).text;
  const rules = Array.from({ length: 10_000 }, (_, i) => `rule $path == "/${i}" { .returnText = "number ${i}" }`);
  const many = `webapp "many" { .hostnames = ("many.example") ${rules.join("\n")} }`;
  let isOver = false;
  const reload = stage.reload({ text: site("many", many) }, { patience: 80_000 });
  void reload.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  let count = 0;
  while (!isOver) {
    expect(["few", "many"]).toContain(await ask("a.example", "/"));
    count++;
    await new Promise(setImmediate);
  }
  expect((await reload).created).toHaveLength(10_002);
  expect(count).toBeGreaterThan(10);
  expect(await ask("many.example", "/9999")).toBe("number 9999");
  const { dropped, departed } = await stage.reload({ text: site("few") }, { patience: 80_000 });
  expect(dropped).toHaveLength(10_002);
  await departed;
});

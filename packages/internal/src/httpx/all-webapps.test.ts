import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import type { Problem } from "../config/problem.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import type { Stage } from "../stage.ts";

const webapp = (name: string) =>
  `webapp "${name}" { .hostnames = ("${name}.example") rule { .returnText = "${name}" } }`;

function boot(text: string, warned?: (doubts: readonly Problem[]) => void): Promise<Stage> {
  const log = openErrorLog({ sink: new MemorySink() });
  return bootWith([]).bootText(`stage { ${text} }`, { log, ...(warned && { warned }) });
}

test("a server without .webapps serves all of the stage, those of a later reload, too", async () => {
  const server = 'httpxServer "main" { .address = "127.0.0.1:0" }';
  await using stage = await boot(`${webapp("a")} ${webapp("b")} ${server}`);
  await stage.start();
  const ask = async (name: string) => (await stage.inject({ url: `http://${name}.example/` })).text;
  expect([await ask("a"), await ask("b")]).toEqual(["a", "b"]);
  await stage.reload({ text: `stage { ${webapp("b")} ${webapp("c")} ${server} }` });
  expect([await ask("b"), await ask("c")]).toEqual(["b", "c"]);
});

test("so do two servers, beside one that names its own", async () => {
  const doubts: Problem[] = [];
  await using stage = await boot(
    `${webapp("a")} ${webapp("b")}
    httpxServer "x" { .address = "127.0.0.1:0" }
    httpxServer "y" { .address = "127.0.0.1:0" .webapps = ("a") }`,
    (found) => doubts.push(...found),
  );
  expect(stage.state).toBe("created");
  expect(doubts).toEqual([]);
});

test.each(["", ".webapps = ()"])("a server without anything to serve is a mistake: %j", async (props) => {
  await expect(boot(`httpxServer "main" { .address = "127.0.0.1:0" ${props} }`)).rejects.toThrow(
    /needs a webapp to serve/,
  );
});

test("a webapp that no server serves is told by a warning", async () => {
  const doubts: Problem[] = [];
  await using stage = await boot(
    `${webapp("a")} ${webapp("lost")} httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }`,
    (found) => doubts.push(...found),
  );
  expect(stage.state).toBe("created");
  expect(doubts).toMatchObject([
    {
      code: "HEMI_CONFIG_DOUBT",
      message: 'webapp "lost": no server serves it',
      hint: "name it in .webapps of a server",
    },
  ]);
});

import { bootWith, MemorySink, openErrorLog, type Stage } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";

/** A running site of this one handlet. */
async function serve(hello: string): Promise<Stage> {
  const stage = await bootWith([contrib]).bootText(
    `stage {
      webapp "site" { .hostnames = ("*") rule { ${hello} } }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  return stage;
}

test("greets by the name in the query", async () => {
  await using stage = await serve('hello { .greeting = "Welcome" }');
  expect(await stage.inject({ url: "/?name=Ada" })).toMatchObject({ status: 200, text: "Welcome, Ada!" });
  expect((await stage.inject({ url: "/" })).text).toBe("Welcome, whoever you are!");
});

test("refuses other methods with 405", async () => {
  await using stage = await serve("hello {}");
  expect((await stage.inject({ method: "POST", url: "/" })).status).toBe(405);
});

test("a greeting of nothing is a mistake of the configuration", async () => {
  await expect(serve('hello { .greeting = "" }')).rejects.toThrow("takes a string of 1 to 1000 characters");
});

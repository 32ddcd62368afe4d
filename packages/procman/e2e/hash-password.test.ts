import { bootText, MemorySink, openErrorLog } from "@hemi/hemi";
import { expect, test } from "vitest";
import { run } from "./command.ts";

test("hemi hash-password prints a line with which basicAuth lets the user in", async () => {
  const { code, stdout, stderr } = await run(["hash-password", "ann"], { input: "it's a secret\r\n" });
  expect([code, stderr]).toEqual([0, ""]);
  const config = `stage {
    webapp "a" { .hostnames = ("*") rule { basicAuth { .users = [${stdout}] } } rule { .returnText = "in" } }
    httpxServer "s" { .webapps = ("a") .address = "127.0.0.1:0" }
  }`;
  await using stage = await bootText(config, { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  const ask = async (password: string) => {
    const authorization = `Basic ${Buffer.from(`ann:${password}`).toString("base64")}`;
    return (await stage.inject({ url: "/", headers: { authorization } })).status;
  };
  expect([await ask("it's a secret"), await ask("it's a secret\r\n"), await ask("a guess")]).toEqual([200, 401, 401]);
});

test("hemi hash-password prints the hash alone where no name is given", async () => {
  expect((await run(["hash-password"], { input: "secret" })).stdout).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$\S+\n$/);
});

test.each([
  [["hash-password"], "", "the password is empty"],
  [["hash-password", "ann", "secret"], "", "read from standard input"],
  [["hash-password", "a:b"], "secret", "no colon"],
])("hemi %j is refused", async (args, input, reason) => {
  const { code, stdout, stderr } = await run(args, { input });
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(reason);
});

// `hemi rpc` against a running server.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundlet, unary } from "@hemi/common/rpc";
import { bootText, defineService, implement, MemorySink, openErrorLog, pack, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { folderWith, run } from "./command.ts";

const input = z.object({ sku: z.string() });
const stock = bundlet("shop.v1.Stock", { find: unary({ input, output: input }) });
const stockService = defineService({
  sign: "stockService",
  create: () => ({ bundlets: [implement(stock, { find: (input) => input })] }),
});

let stage: Stage;
let address: string;

beforeAll(async () => {
  stage = await bootText(
    `stage {
      stockService "s" {}
      rpcServer "rpc" { .services = ("s") .address = "127.0.0.1:0" .reflection = true }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }), use: [pack("test", [stockService])] },
  );
  await stage.start();
  const part: { readonly listensOn?: readonly string[] } = stage.find("rpcServer.rpc")?.part ?? {};
  address = part.listensOn?.[0] ?? "";
});

afterAll(() => stage.quit(500));

describe.each(["http", "hrpc"])("hemi rpc over %s:", (scheme) => {
  const call = (...args: string[]) =>
    run(["rpc", "call", ...args.slice(0, -2), `${scheme}://${address}`, ...args.slice(-2)]);

  test("lists the services of a server, and the procedures of one", async () => {
    const services = await run(["rpc", "list", `${scheme}://${address}`]);
    expect(services).toMatchObject({ code: 0, stderr: "" });
    expect(services.stdout.split("\n")).toContain("grpc.health.v1.Health");
    const { stdout } = await run(["rpc", "list", `${scheme}://${address}`, "grpc.health.v1.Health"]);
    expect(stdout).toContain(
      "rpc Watch(grpc.health.v1.HealthCheckRequest) returns (stream grpc.health.v1.HealthCheckResponse)\n",
    );
  });

  test("calls procedures, and prints each message as JSON", async () => {
    const checked = await call("grpc.health.v1.Health/Check", '{"service":"shop.v1.Stock"}');
    expect(checked).toMatchObject({ code: 0, stdout: '{"status":"SERVING"}\n' });
    const path = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const answers = await run([
      "rpc",
      "call",
      `${scheme}://${address}`,
      path,
      '{"listServices":""}',
      '{"listServices":""}',
    ]);
    expect(answers.stdout.match(/listServicesResponse/g)).toHaveLength(2);
  });

  test("tells code and message of an error, with an exit code of its own", async () => {
    const failed = await call("grpc.health.v1.Health/Check", '{"service":"no.Such"}');
    expect(failed).toMatchObject({ code: 4, stdout: "", stderr: "not_found: there is no service no.Such\n" });
    const late = await call("--for", "300ms", "grpc.health.v1.Health/Watch", "{}");
    expect(late).toMatchObject({ code: 4, stdout: '{"status":"SERVING"}\n' });
    expect(late.stderr).toMatch(/^deadline_exceeded/);
  });
});

test.each([
  [["rpc"], /needs an action/],
  [["rpc", "cal"], /no action cal/],
  [["rpc", "call", "http://127.0.0.1:1"], /takes a URL and a procedure/],
  [["rpc", "list", "ftp://a"], /a server is http:/],
  [["rpc", "proto", "a.ts"], /--out/],
])("wrong use is told: hemi %j", async (args, message) => {
  expect(await run(args)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) as string });
});

test("a message that is none, and a procedure that is not there, are told before the call", async () => {
  const call = (...args: string[]) => run(["rpc", "call", `hrpc://${address}`, ...args]);
  expect((await call("grpc.health.v1.Health/Check", "{")).stderr).toMatch(/no message of the procedure/);
  expect((await call("grpc.health.v1.Health/Nothing")).stderr).toMatch(/has no procedure Nothing: it has Check/);
});

test("hemi rpc proto writes a file and its lock, and --check fails when they would change", async () => {
  const declared = (field: string): string =>
    `import { bundlet, unary } from "${import.meta.resolve("@hemi/common/rpc")}";
     import { z } from "${import.meta.resolve("zod")}";
     const input = z.object({ ${field}: z.string() });
     export const stock = bundlet("shop.v1.Stock", { find: unary({ input, output: input }) });`;
  await using folder = await folderWith({ "stock.ts": declared("sku") });
  const proto = (...more: string[]) =>
    run(["rpc", "proto", "stock.ts", "--out", "stock.proto", ...more], { cwd: folder.path });
  expect(await proto()).toMatchObject({ code: 0, stdout: "stock.proto\nstock.proto.lock.json\n" });
  expect(await readFile(join(folder.path, "stock.proto"), "utf8")).toContain("string sku = 1;");
  expect(await proto("--check")).toMatchObject({ code: 0, stdout: "" });
  await writeFile(join(folder.path, "stock.ts"), declared("name"));
  expect(await proto("--check")).toMatchObject({ code: 1, stdout: "stock.proto\nstock.proto.lock.json\n" });
  await proto();
  expect(await readFile(join(folder.path, "stock.proto"), "utf8")).toContain("string name = 2;");
});

// One service, by every door that it has.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { bootFile, hrpcTransport, localTransport, MemorySink, openErrorLog, type Stage } from "@hemi/hemi";
import { client, connectTransport, webSocketTransport } from "@hemi/rpc-client";
import { envelope } from "@hemi/rpc-client/wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../../packages/develop/src/chromium.ts";
import { peer } from "../../packages/develop/src/peers.ts";
import app, { stock } from "./app.ts";
import { ArticleSchema, LevelSchema } from "./shop_pb.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const log = openErrorLog({ sink: new MemorySink() });
let stage: Stage;
let url: string;
let grpcAddress: string;

function addressOf(path: string): string {
  const part: { readonly listensOn?: readonly string[] } = stage.find(path)?.part ?? {};
  return part.listensOn?.[0] ?? "";
}

beforeAll(async () => {
  stage = await bootFile(`${here}rpc.conf`, { baseDir: here, use: [app], env: { PORT: "0", GRPC_PORT: "0" }, log });
  await stage.start();
  url = `http://${addressOf("httpxServer.web")}`;
  grpcAddress = addressOf("rpcServer.grpc");
});

afterAll(() => stage.quit());

test("Connect, by our client", async () => {
  const shop = client(stock, { to: url });
  expect((await shop.load([{ sku: "pear", by: 4 }])).changes).toBe(1);
  expect((await shop.find({ sku: "pear" })).count).toBe(4);
  await expect(shop.find({ sku: "nothing" })).rejects.toMatchObject({ code: "not_found" });
});

test("gRPC, by grpc-js", async () => {
  const grpc = new Client(grpcAddress, credentials.createInsecure());
  const level = await new Promise((resolve, reject) => {
    grpc.makeUnaryRequest(
      "/shop.v1.Stock/Find",
      (sku: string) => Buffer.from(toBinary(ArticleSchema, create(ArticleSchema, { sku }))),
      (bytes) => fromBinary(LevelSchema, bytes),
      "apple",
      (error, level) => (error === null ? resolve(level) : reject(error)),
    );
  });
  expect(level).toMatchObject({ sku: "apple", count: 3 });
  grpc.close();
});

test("gRPC, by Python", async (context) => {
  const python = peer("python3", context);
  const { stdout } = await promisify(execFile)(python, [`${here}client.py`, grpcAddress, "apple"]);
  expect(stdout.split("\n")).toEqual([
    "find 3",
    "watch 3",
    "load 2",
    "watch 10",
    "NOT_FOUND there is no article nothing",
    "",
  ]);
  await client(stock, { to: url }).load([{ sku: "apple", by: -7 }]);
});

test("gRPC-Web, by fetch", async () => {
  const response = await fetch(`${url}/shop.v1.Stock/Find`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto" },
    body: envelope(0, toBinary(ArticleSchema, create(ArticleSchema, { sku: "apple" }))),
  });
  const content = Buffer.from(await response.arrayBuffer());
  expect(fromBinary(LevelSchema, content.subarray(5, 5 + content.readUInt32BE(1))).count).toBe(3);
  expect(content.toString("latin1")).toContain("grpc-status: 0");
});

test("JSON, which OpenAPI describes, beside the page", async () => {
  const response = await fetch(`${url}/shop.v1.Stock/Find`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"sku":"apple"}',
  });
  expect(await response.json()).toEqual({ sku: "apple", count: 3 });
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(paths)).toEqual(["/shop.v1.Stock/Find", "/shop.v1.Stock/Watch"]);
  expect(await (await fetch(`${url}/`)).text()).toContain("stock.js");
});

test("event streams, which go on after a change", async () => {
  const shop = client(stock, { to: connectTransport(url, { eventStreams: true }) });
  const counts: number[] = [];
  for await (const { count } of shop.watch({ sku: "plum" })) {
    counts.push(count);
    if (counts.length === 2) break;
    await shop.load([{ sku: "plum", by: 6 }]);
  }
  expect(counts).toEqual([0, 6]);
});

test("hrpc, from a program", async () => {
  await using transport = hrpcTransport(`hrpc://${grpcAddress}`);
  const shop = client(stock, { to: transport });
  expect((await shop.load([{ sku: "kiwi", by: 2 }])).changes).toBe(1);
  expect((await shop.find({ sku: "kiwi" })).count).toBe(2);
});

test("hrpc over a WebSocket", async () => {
  const transport = webSocketTransport(`${url.replace("http", "ws")}/hrpc`);
  const shop = client(stock, { to: transport });
  for await (const { count } of shop.watch({ sku: "apple" })) {
    expect(count).toBe(3);
    break;
  }
  transport.close();
});

test("a page in Chromium, which follows changes, and calls by gRPC-Web", async (context) => {
  await using browser = await launchChromium(peer("chromium", context));
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction('document.querySelector("#count").textContent === "3"');
  const shop = client(stock, { to: url });
  await shop.load([{ sku: "apple", by: 5 }]);
  await page.waitForFunction('document.querySelector("#count").textContent === "8"');
  await shop.load([{ sku: "apple", by: -5 }]);
  const request = [...envelope(0, toBinary(ArticleSchema, create(ArticleSchema, { sku: "apple" })))];
  const answer = await page.evaluate(async (request) => {
    const response = await fetch("/shop.v1.Stock/Find", {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto" },
      body: new Uint8Array(request),
    });
    return [...new Uint8Array(await response.arrayBuffer())];
  }, request);
  const content = Buffer.from(answer);
  expect(fromBinary(LevelSchema, content.subarray(5, 5 + content.readUInt32BE(1))).count).toBe(3);
});

test("calls inside the process", async () => {
  const { part } = stage.find("shopService.shop") ?? {};
  const service = part as Parameters<typeof localTransport>[0] extends () => infer Service ? Service : never;
  const shop = client(stock, { to: localTransport(() => service, { log }) });
  expect((await shop.find({ sku: "apple" })).count).toBe(3);
});

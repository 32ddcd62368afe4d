// The example as its README says; the real servers behind it are tested in packages/develop/e2e.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import dns from "@hemi/contrib-dns";
import pgsqlProxy from "@hemi/contrib-pgsql-proxy";
import redisProxy from "@hemi/contrib-redis-proxy";
import { bootFile, MemorySink, openErrorLog, type RouterPart, type Stage } from "@hemi/hemi";
import { expect, test } from "vitest";

const file = fileURLToPath(new URL("data-gateway.conf", import.meta.url));

async function gateway(): Promise<Stage> {
  const log = openErrorLog({ sink: new MemorySink() });
  const env = { PORT: "0", SHOP_PASSWORD: "geheim" };
  const stage = await bootFile(file, { use: [dns, pgsqlProxy, redisProxy], env, log });
  await stage.start();
  return stage;
}

function portOf(stage: Stage, path: string): number {
  const { listensOn: [address = ""] = [] }: RouterPart = stage.find(path)?.part ?? {};
  return Number(address.split(":").at(-1));
}

test("clients of Redis and PostgreSQL are told apart on one port, and have to log in", async () => {
  await using stage = await gateway();
  const say = async (bytes: Buffer): Promise<string> => {
    const socket = connect(portOf(stage, "tcpsRouter.data"), "127.0.0.1");
    socket.end(bytes);
    return await text(socket);
  };
  expect(await say(Buffer.from("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n"))).toBe(
    "-NOAUTH Authentication required.\r\n+OK\r\n",
  );
  const params = Buffer.from("\0\0\0\0\0\x03\0\0user\0shop\0database\0shop\0\0");
  params.writeUInt32BE(params.length, 0);
  expect(await say(params)).toContain("SCRAM-SHA-256");
});

test("names of the company are answered", async () => {
  await using stage = await gateway();
  const socket = createSocket("udp4");
  const query = Buffer.from("\0\x01\x01\0\0\x01\0\0\0\0\0\0\x05cache\x04corp\x07example\0\0\x01\0\x01", "latin1");
  socket.connect(portOf(stage, "udpsRouter.names"), "127.0.0.1", () => socket.send(query));
  const [answer] = (await once(socket, "message")) as [Buffer];
  socket.close();
  expect(answer.readUInt16BE(6)).toBe(2);
  expect([...answer.subarray(-4)]).toEqual([127, 0, 0, 1]);
});

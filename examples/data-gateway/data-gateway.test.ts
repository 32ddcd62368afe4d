// The example as its README says; the real servers behind it are tested in packages/develop/e2e.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import dns from "@hemi/contrib-dns";
import mongoProxy from "@hemi/contrib-mongo-proxy";
import mysqlProxy from "@hemi/contrib-mysql-proxy";
import pgsqlProxy from "@hemi/contrib-pgsql-proxy";
import redisProxy from "@hemi/contrib-redis-proxy";
import { bootFile, MemorySink, openErrorLog, type RouterPart, type Stage } from "@hemi/hemi";
import { expect, test } from "vitest";

const file = fileURLToPath(new URL("data-gateway.conf", import.meta.url));

async function gateway(): Promise<Stage> {
  const log = openErrorLog({ sink: new MemorySink() });
  // Nothing listens on port 1: the servers are tested elsewhere.
  const env = { PORT: "0", MYSQL_DOOR: "0", MONGO_DOOR: "0", MONGO_PORT: "1", SHOP_PASSWORD: "geheim" };
  const use = [dns, mongoProxy, mysqlProxy, pgsqlProxy, redisProxy];
  const stage = await bootFile(file, { use, env, log });
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

test("MySQL greets its clients, and the archive of MongoDB is there to be read only", async () => {
  await using stage = await gateway();
  const mysql = connect(portOf(stage, "tcpsRouter.mysql"), "127.0.0.1");
  const [greeting] = (await once(mysql, "data")) as [Buffer];
  mysql.destroy();
  expect(greeting.toString("latin1")).toContain("caching_sha2_password");
  const mongo = connect(portOf(stage, "tcpsRouter.mongo"), "127.0.0.1");
  // OP_MSG with {drop: "a", $db: "archive"}.
  const document = Buffer.from("\0\0\0\0\x02drop\0\x02\0\0\0a\0\x02$db\0\x08\0\0\0archive\0\0", "latin1");
  document.writeInt32LE(document.length, 0);
  const message = Buffer.concat([Buffer.alloc(21), document]);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(2013, 12);
  mongo.write(message);
  const [refusal] = (await once(mongo, "data")) as [Buffer];
  mongo.destroy();
  expect(refusal.toString("latin1")).toContain("not authorized on archive to execute command drop");
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

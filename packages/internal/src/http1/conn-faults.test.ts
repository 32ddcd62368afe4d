import { once } from "node:events";
import * as net from "node:net";
import { expect, test } from "vitest";
import { RawClient, request } from "../testing/raw-client.ts";
import { Http1Conn } from "./server-conn.ts";
import { peerOf } from "../net/peer.ts";
import type { Http1CodecServer } from "./codec-server.ts";
import { WholeResponses } from "./whole-responses.ts";

const hour = 3_600_000;

test("a connection whose server throws below is closed, and does not wait for ever", async () => {
  const faults: unknown[] = [];
  const faulty: Http1CodecServer = {
    settings: {
      maxHeadSize: 1024,
      maxTargetSize: 1024,
      maxFields: 10,
      maxDiscardedContent: 0,
      idleTimeout: hour,
      drainIdleTimeout: hour,
      headTimeout: hour,
      contentTimeout: hour,
      minContentRate: 0,
      contentRateGrace: hour,
      handleTimeout: hour,
      writeTimeout: hour,
      lingerTimeout: hour,
      maxLingerTime: hour,
      maxBufferedInput: 1024,
      maxRequestsPerConn: 10,
    },
    date: "",
    dateLine: "",
    wholeResponses: new WholeResponses(),
    makeDeadline: () => ({ isSet: false, set: () => undefined, clear: () => undefined }),
    monotonic: () => 0,
    stood: 0,
    serve() {
      throw new Error("on purpose");
    },
    note: () => undefined,
    requestRefused: () => undefined,
    failed: (_peer, error) => faults.push(error),
    speaksOther: () => false,
    handOver: () => undefined,
    closed: () => undefined,
  };
  const server = net.createServer(
    { allowHalfOpen: true },
    (socket) => new Http1Conn(socket, peerOf(socket), undefined, faulty),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  await using client = await RawClient.connect({ port, host: "127.0.0.1" });
  client.send(request("GET /"));
  expect(["end", "reset"]).toContain(await client.ending());
  expect(faults).toMatchObject([{ message: "on purpose" }]);
  server.close();
});

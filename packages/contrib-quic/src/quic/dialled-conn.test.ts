// Connections to servers, at the ends of their life.

import { expect, test, vi } from "vitest";
import { ClientConfigs } from "./client-configs.ts";
import { DialledConn } from "./dialled-conn.ts";
import { nativeQuic } from "./native.ts";
import { nodeTransport } from "../http3/node-transport.ts";
import { nodeSettings } from "../testing/test-node.ts";

test("a connection that is closed as soon as it is dialled is gone, and nothing is thrown", async () => {
  const gone = vi.fn();
  const thrown = vi.fn();
  process.prependListener("uncaughtException", thrown);
  try {
    const options = {
      native: nativeQuic(),
      to: { address: "127.0.0.1", port: 9 },
      name: "a.example",
      isVerified: false,
      config: new ClientConfigs(nativeQuic).of({ rejectUnauthorized: false }, nodeTransport(nodeSettings)),
      overhead: { max: 1000, recovery: 1000 },
    };
    const listener = { established: vi.fn(), datagramArrived() {}, failed() {}, gone };
    new DialledConn(options, listener).close(0, "not wanted");
    await new Promise((resolve) => setImmediate(resolve));
    expect([gone.mock.calls, thrown.mock.calls]).toEqual([[["not wanted"]], []]);
  } finally {
    process.off("uncaughtException", thrown);
  }
});

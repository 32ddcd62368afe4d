// The messages of a gRPC server that come faster than they are read.

import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { GrpcResponse } from "./grpc-response.ts";

test("a server that sends many empty messages waits for their reader, and goes on when they are read", async () => {
  const response = new GrpcResponse(1000);
  let resumed = 0;
  response.resume = () => resumed++;
  const count = 10_000;
  expect(response.content(Buffer.alloc(5 * count))).toBe(false);
  for (let i = 0; i < count; i++) expect(await response.next()).toHaveLength(0);
  expect(resumed).toBe(1);
});

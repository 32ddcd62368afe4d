// Calls of gRPC servers that go wrong before they begin.

import { bundlet, makeClient, unary } from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { z } from "zod";
import type { WebBackend } from "../../http/web-backend.ts";
import { grpcTransport } from "./grpc-transport.ts";

test("a message that cannot be encoded leaves no exchange behind", async () => {
  const number = z.object({ n: z.number() });
  const counting = bundlet("a.B", { count: unary({ input: number, output: number }) });
  let begun = 0;
  const backend: Pick<WebBackend, "exchange"> = {
    exchange: () => {
      begun++;
      throw new Error("not called here");
    },
  };
  const client = makeClient(
    counting,
    grpcTransport(() => backend as WebBackend),
  );
  await expect(client.count({ n: 1n as unknown as number })).rejects.toThrow(TypeError);
  expect(begun).toBe(0);
});

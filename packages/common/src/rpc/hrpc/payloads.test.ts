import { expect, test } from "vitest";
import { Metadata } from "../metadata.ts";
import { RpcError, type ErrorDetail } from "../rpc-error.ts";
import { endFrame } from "./call-end.ts";
import { callFrame } from "./payloads.ts";

test("a frame after one that could not be written has nothing of it", () => {
  const call = (): Uint8Array =>
    callFrame(1, { path: "/a/b", timeout: Infinity, codec: "json", metadata: new Metadata() });
  const before = call();
  const details = [{ type: "a.B" } as ErrorDetail];
  expect(() =>
    endFrame(1, { error: new RpcError("internal", "", { details }), trailers: new Metadata() }, true),
  ).toThrow(TypeError);
  expect(call()).toEqual(before);
});

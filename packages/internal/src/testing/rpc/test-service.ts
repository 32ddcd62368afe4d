// The test service of interop.proto, implemented.

import { codeOfNumber, RpcError } from "@hemi/common/rpc";
import { protoBundlet } from "@hemi/common/rpc-proto";
import type { Call } from "../../rpc/call.ts";
import { implement, type ServedBundlet } from "../../rpc/served-bundlet.ts";
import { TestService, type EchoStatus, type StreamingOutputCallRequest } from "./interop_pb.ts";

export const testBundlet = protoBundlet(TestService);

/** What tests want to see of the server. */
export interface Seen {
  /** In order: what the procedures noticed. */
  readonly events: string[];
}

export function testService(seen: Seen = { events: [] }): ServedBundlet {
  return implement(testBundlet, {
    emptyCall: () => ({}),
    async unaryCall({ responseSize, payload, responseStatus, behavior }, call) {
      echoMetadata(call);
      failIfAsked(responseStatus);
      await behave(behavior, call, seen);
      return { payload: { body: new Uint8Array(responseSize) }, username: String(payload?.body.length ?? 0) };
    },
    cacheableUnaryCall: ({ responseSize }) => ({ payload: { body: new Uint8Array(responseSize) } }),
    streamingOutputCall: (request, call) => outputs(request, call, seen),
    async streamingInputCall(requests) {
      let aggregatedPayloadSize = 0;
      for await (const { payload } of requests) aggregatedPayloadSize += payload?.body.length ?? 0;
      return { aggregatedPayloadSize };
    },
    async *fullDuplexCall(requests, call) {
      echoMetadata(call);
      try {
        for await (const request of requests) yield* outputs(request, call, seen);
      } finally {
        seen.events.push("duplex closed");
      }
    },
  });
}

async function* outputs(
  { responseParameters, responseStatus, behavior }: StreamingOutputCallRequest,
  call: Call,
  seen: Seen,
): AsyncGenerator<{ payload: { body: Uint8Array } }, void, void> {
  try {
    failIfAsked(responseStatus);
    for (const { size } of responseParameters) yield { payload: { body: new Uint8Array(size) } };
    if (behavior === "forever") for (;;) yield { payload: { body: new Uint8Array(1000) } };
    await behave(behavior, call, seen);
  } finally {
    seen.events.push("output closed");
  }
}

async function behave(behavior: string, call: Call, seen: Seen): Promise<void> {
  if (behavior === "throw") throw new Error("the secret of the server");
  if (behavior === "hang") {
    await new Promise((_resolve, reject) => {
      call.signal.addEventListener("abort", () => {
        seen.events.push(`aborted: ${call.signal.reason instanceof RpcError ? call.signal.reason.code : "?"}`);
        reject(call.signal.reason as Error);
      });
      seen.events.push("hangs");
    });
  }
  // Ignores its signal: nothing of the test ends it.
  if (behavior === "deaf") await new Promise(() => seen.events.push("hangs"));
}

/** As the test case custom_metadata wants it. */
function echoMetadata(call: Call): void {
  const initial = call.metadata.get("x-grpc-test-echo-initial");
  if (initial !== undefined) call.headers.set("x-grpc-test-echo-initial", initial);
  for (const bytes of call.metadata.getBinary("x-grpc-test-echo-trailing-bin")) {
    call.trailers.append("x-grpc-test-echo-trailing-bin", bytes);
  }
}

function failIfAsked(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== 0) throw new RpcError(codeOfNumber(status.code), status.message);
}

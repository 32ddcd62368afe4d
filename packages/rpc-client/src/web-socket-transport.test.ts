import { bundlet, frame, frameTypes, makeClient, preface, unary } from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { webSocketTransport } from "./web-socket-transport.ts";

/** Takes anything. */
const text = {
  "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value: value as { text: string } }) },
} as const;
const echo = bundlet("test.Echo", { say: unary({ input: text, output: text }) });

/** A WebSocket without a network: nothing of what is sent ever leaves. */
class StuckWebSocket {
  static latest: StuckWebSocket | undefined;
  binaryType = "";
  readyState = 0;
  bufferedAmount = 0;
  onopen: () => void = () => undefined;
  onmessage: (event: { data: unknown }) => void = () => undefined;
  onclose: () => void = () => undefined;

  constructor() {
    StuckWebSocket.latest = this;
  }

  send(bytes: Uint8Array): void {
    this.bufferedAmount += bytes.length;
  }

  close(): void {
    this.readyState = 2;
  }

  /** The server has accepted it, and speaks hrpc. */
  open(): void {
    this.readyState = 1;
    this.onopen();
    const credit = Uint8Array.of(2, 0x40, 0, 0, 0);
    const begin = Buffer.concat([preface, frame(frameTypes.settings, 0, 0, credit)]);
    this.onmessage({ data: new Uint8Array(begin).buffer });
  }
}

test("a call whose message is not sent when the server closes the WebSocket fails, and the program goes on", async () => {
  const transport = webSocketTransport("ws://a.example/hrpc", {
    WebSocket: StuckWebSocket as unknown as typeof WebSocket,
  });
  const { say } = makeClient(echo, transport, { retries: 0 });
  const answer = say({ text: "x".repeat(1_000_000) });
  await expect.poll(() => StuckWebSocket.latest).toBeDefined();
  const socket = StuckWebSocket.latest;
  socket?.open();
  await expect.poll(() => socket?.bufferedAmount).toBeGreaterThan(256 * 1024);
  // The close frame of the server has come; the event comes when its own side is closed.
  if (socket !== undefined) socket.readyState = 2;
  setTimeout(() => socket?.onclose(), 50);
  await expect(answer).rejects.toMatchObject({ code: "unavailable" });
});

// The limits of WebSockets, for the props of socklets: `props: { ...webSocketProps, … }`.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";

/** The props of components that accept WebSockets. */
export const webSocketProps = {
  /** Of a message, unpacked, in bytes; with a larger one the client is sent away (1009). */
  maxMessageSize: prop.size({ default: "1M", min: 1, max: "1G", inherited: true, reload: "live" }),
  /** That a client may cut a message into; with more it is sent away (1008). */
  maxFragments: prop.integer({ default: 1000, min: 1, inherited: true, reload: "live" }),
  /** In bytes, of messages that were sent and that the client has not taken; with more the WebSocket is broken off (1006). */
  maxUnsentSize: prop.size({ default: "16M", min: "1K", inherited: true, reload: "live" }),
  /** A client that has sent nothing for so long, and taken nothing of what waits for it, is asked for a sign of life. */
  pingInterval: prop.duration({ default: "30s", min: "1ms", inherited: true, reload: "live" }),
  /** Until the sign; then the WebSocket is broken off (1006). */
  pongTimeout: prop.duration({ default: "10s", min: "1ms", inherited: true, reload: "live" }),
  /** After we have said goodbye, until the client has and has closed; then the connection is broken off. */
  closeTimeout: prop.duration({ default: "5s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * May messages be compressed (permessage-deflate, RFC 7692), where the client offers it? It costs some 100 KB and much time for each
   * WebSocket, and tells who listens on the line how alike messages are.
   */
  compression: prop.bool({ default: false, inherited: true, reload: "live" }),
  /**
   * The origins whose pages may open a WebSocket, such as `https://shop.example`; `*` for any. Unset: the page's own host, and programs, which have
   * no origin. Others get 403: else any page on the web could speak in its visitor's name, cookies and all.
   */
  origins: prop.strings({ inherited: true, reload: "live" }),
};

/** The values of `webSocketProps`. */
export type WebSocketSettings = PropsOf<typeof webSocketProps>;

/** For those who set none. */
export const defaultSettings: WebSocketSettings = {
  maxMessageSize: 1024 * 1024,
  maxFragments: 1000,
  maxUnsentSize: 16 * 1024 * 1024,
  pingInterval: 30_000,
  pongTimeout: 10_000,
  closeTimeout: 5_000,
  compression: false,
  origins: undefined,
};

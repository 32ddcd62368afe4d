// The limits of WebSockets, to include in the props of socklets: `props: { ...webSocketProps, … }`.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";

/** The props of components that accept WebSockets. */
export const webSocketProps = {
  /** Maximum size of a message after decompression, in bytes. A larger one closes the WebSocket with 1009. */
  maxMessageSize: prop.size({ default: "1M", min: 1, max: "1G", inherited: true, reload: "live" }),
  /** Maximum number of fragments of a message. More close the WebSocket with 1008. */
  maxFragments: prop.integer({ default: 1000, min: 1, inherited: true, reload: "live" }),
  /**
   * Maximum size of sent messages that the client has not read, in bytes. Beyond it, the WebSocket is aborted (1006).
   */
  maxUnsentSize: prop.size({ default: "16M", min: "1K", inherited: true, reload: "live" }),
  /** A client that has neither sent nor read anything for this time is sent a ping. */
  pingInterval: prop.duration({ default: "30s", min: "1ms", inherited: true, reload: "live" }),
  /** Time limit for the pong. After that, the WebSocket is aborted (1006). */
  pongTimeout: prop.duration({ default: "10s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * Time limit for the client's close frame and the end of its connection after our close frame. After that, the
   * connection is aborted.
   */
  closeTimeout: prop.duration({ default: "5s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * Whether messages may be compressed (permessage-deflate, RFC 7692) if the client offers it. This costs about 100 KB
   * and much CPU time for each WebSocket, and reveals to an eavesdropper how similar messages are. It is done on half
   * of the threads that files are read on (`UV_THREADPOOL_SIZE`).
   */
  compression: prop.bool({ default: false, inherited: true, reload: "live" }),
  /**
   * The origins whose pages may open a WebSocket, such as `https://shop.example`; `*` for any. Unset: the page's own
   * host, and programs, which send no origin. Others get 403; otherwise any web page could act in its visitor's name,
   * with the visitor's cookies.
   */
  origins: prop.strings({ inherited: true, reload: "live" }),
};

/** The values of `webSocketProps`. */
export type WebSocketSettings = PropsOf<typeof webSocketProps>;

/** For components without their own settings. */
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

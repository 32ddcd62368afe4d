// What servers of HTTP/3 are told by QUIC: how much they may send, and how long the connection lasts.

import type { Http3NodeSettings } from "../http3-node-props.ts";
import type { ClientTransport } from "../quic/client-configs.ts";

export function nodeTransport(settings: Http3NodeSettings): ClientTransport {
  const { http3StreamWindow, aliveTimeout, readTimeout, pingInterval, pingTimeout } = settings;
  return {
    nextProtos: ["h3"],
    // While requests are under way, PINGs keep the connection: the transport has to be the more patient one.
    idleTimeout: Math.max(aliveTimeout, readTimeout, pingInterval + pingTimeout) + graceOfIdle,
    streamWindow: http3StreamWindow,
    uniWindow,
    connWindow: connWindowOf(settings),
    // Servers open no bidirectional streams (RFC 9114 6.1), three unidirectional ones, and some that we do not know.
    maxBidiStreams: 0,
    maxUniStreams: 16,
    maxDatagrams: 0,
  };
}

/**
 * How much may come on all streams of a connection that nobody has taken, in bytes. The windows of the streams bound
 * it: that of the connection never stops one stream for another.
 */
export function connWindowOf({
  http3MaxStreams,
  http3StreamWindow,
}: Pick<Http3NodeSettings, "http3MaxStreams" | "http3StreamWindow">): number {
  return Math.min(http3MaxStreams * http3StreamWindow + uniWindow, maxConnWindow);
}

/** In ms. */
const graceOfIdle = 5000;
/** Of the control streams, in bytes: they are read at once. */
const uniWindow = 64 * 1024;
/** In bytes: what a varint of four bytes holds, and more than any machine has under way. */
const maxConnWindow = 2 ** 30 - 1;

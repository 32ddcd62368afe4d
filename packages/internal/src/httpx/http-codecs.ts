// The HTTP versions of a server, in the order of preference. A new version needs a line here.

import type { Codec } from "../front/codecs.ts";
import type { Http1CodecServer } from "../http1/codec-server.ts";
import { Http1Conn } from "../http1/server-conn.ts";
import { beginsWithPreface } from "../http2/frames.ts";
import { Http2Conn } from "../http2/server-conn.ts";
import type { Http2CodecServer } from "../http2/codec-server.ts";

/** The services that connections of any version need from their server, and the settings of each version. */
export interface HttpCodecServer extends Http1CodecServer, Http2CodecServer {
  readonly settings: Http1CodecServer["settings"] & Http2CodecServer["settings"] & { readonly http2: boolean };
}

export const httpCodecs: readonly Codec<HttpCodecServer>[] = [
  {
    transport: "tcp",
    alpn: ["h2"],
    isSpoken: ({ settings }) => settings.http2,
    // Prior knowledge (RFC 9113 3.3).
    accepts: beginsWithPreface,
    open: (socket, peer, tls, server) => new Http2Conn(socket, peer, tls, server),
  },
  {
    transport: "tcp",
    alpn: ["http/1.1"],
    open: (socket, peer, tls, server) => new Http1Conn(socket, peer, tls, server),
  },
];

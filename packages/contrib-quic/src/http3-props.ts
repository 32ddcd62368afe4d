// The props of http3Server.

import { frontProps, prop, servedWebappsProps, webServerProps, type PropsOf } from "@hemi/internal";

const { tlsStrictServerName, tlsTicketKeyLifetime, tlsReloadInterval } = frontProps;
const { handshakeTimeout, drainIdleTimeout, lingerTimeout } = frontProps;

export const http3Props = {
  ...servedWebappsProps,
  /**
   * The address to receive datagrams at: `:port` (all addresses that the machine has at the start), `host:port`,
   * `[v6]:port` or `:firstPort-lastPort`. Port 0 takes a free port.
   */
  address: prop.addressRange({ required: true }),
  /**
   * Maximum number of concurrent connections. One more is not answered. The error log reports their number, in one line
   * every 10 seconds. Each worker of the program has an equal part of it, rounded up.
   */
  maxConns: prop.integer({ default: 20_000, min: 1, inherited: true, reload: "live" }),
  /**
   * Whether to refuse clients without a server name (SNI) or with an unknown one. Otherwise they get the default
   * certificate.
   */
  tlsStrictServerName,
  /**
   * Maximum age of the key that encrypts session tickets. After that it is replaced, and older tickets lead to a full
   * handshake, without early data. All servers of a process share the key, those of TCP too: the shortest lifetime
   * applies.
   */
  tlsTicketKeyLifetime,
  /**
   * Interval of checks whether the files of certificates, keys or authorities have changed. Later handshakes use the
   * new content.
   */
  tlsReloadInterval,
  /** Time limit from the first datagram of a connection to the end of its handshake. After that it is closed. */
  handshakeTimeout,
  /**
   * How long a draining server waits for requests that are on their way, after it has told its clients that it leaves
   * (GOAWAY).
   */
  drainIdleTimeout,
  /**
   * How long a connection that has served its last request waits until its client has all of the response. After that
   * it is closed.
   */
  lingerTimeout,
  /**
   * When clients have to prove their address by a Retry packet, which takes a round trip, before anything is kept for
   * them: `always`, `never`, or `underLoad`, if half of `maxHandshakes` is reached.
   */
  retry: prop.choice(["underLoad", "always", "never"], { default: "underLoad", reload: "live" }),
  /** Maximum number of handshakes at once. Further clients are not answered. */
  maxHandshakes: prop.integer({ default: 1000, min: 2, max: 1_000_000, reload: "live" }),
  /**
   * Whether requests are served that come before the handshake is complete (0-RTT). Anyone who has seen them can send
   * them again. Only GET, HEAD and OPTIONS are served then; other methods get 425.
   */
  earlyData: prop.bool({ default: false, reload: "live" }),
  /**
   * How long clients may remember that the webapps are served here (`alt-svc`). Servers over TLS of the same webapps
   * say so in their responses for as long as this server listens. 0: they say nothing.
   */
  altSvcMaxAge: prop.duration({ default: "1d", reload: "live" }),
  /** Port that `alt-svc` names, if clients reach the server at another one than it listens on. 0: the same one. */
  altSvcPort: prop.integer({ default: 0, max: 65_535, reload: "live" }),
  /**
   * Requests at once on a connection, those counted whose client has given them up while a handlet still works on them;
   * one more is refused with H3_REQUEST_REJECTED.
   */
  http3MaxStreams: prop.integer({ default: 128, min: 1, max: 10_000, inherited: true, reload: "live" }),
  /** Content that a client may send on a stream before a handlet reads it. */
  http3StreamWindow: prop.size({ default: "256K", min: "16K", max: "16M", inherited: true, reload: "live" }),
  /**
   * Content that a client may send on all streams of a connection together before handlets read it: so much of it is
   * kept in memory at most. A client that resets streams whose content was not read uses it up, and is told to make
   * another connection when half of it may be gone.
   */
  http3ConnWindow: prop.size({ default: "1M", min: "64K", max: "64M", inherited: true, reload: "live" }),
  /**
   * Streams of a connection that its client resets or stops, has reset by what it does wrong, or has refused by heads
   * that pass a limit, beyond those that are answered: such a number in `http3FloodRecovery`; more end the connection
   * with H3_EXCESSIVE_LOAD.
   */
  http3MaxResets: prop.integer({ default: 200, min: 1, inherited: true, reload: "live" }),
  /**
   * Frames and streams of a connection that bring neither requests nor content, such as unknown ones, empty DATA and
   * PRIORITY_UPDATE, beyond those that requests account for; a large one counts as many. Such a number in
   * `http3FloodRecovery`; more end the connection with H3_EXCESSIVE_LOAD.
   */
  http3MaxIdleFrames: prop.integer({ default: 2000, min: 10, inherited: true, reload: "live" }),
  /**
   * Bytes of datagrams that bring no content of streams and acknowledge nothing, such as floods of frames of QUIC
   * itself, in `http3FloodRecovery`; more end the connection with H3_EXCESSIVE_LOAD. At least twice `http3ConnWindow`
   * is allowed.
   */
  http3MaxOverhead: prop.size({ default: "4M", min: "256K", inherited: true, reload: "live" }),
  /**
   * The time in which `http3MaxResets`, `http3MaxIdleFrames` and `http3MaxOverhead` are available again after they were
   * used up, at an even rate (a token bucket).
   */
  http3FloodRecovery: prop.duration({ default: "10s", min: "1ms", inherited: true, reload: "live" }),
  /** Size of the table of header fields that a client may fill (QPACK). 0: none. */
  qpackTableSize: prop.size({ default: "4K", max: "64K", inherited: true, reload: "live" }),
  /**
   * Streams of a connection whose header fields may wait for that table; more end the connection with
   * QPACK_DECOMPRESSION_FAILED.
   */
  qpackBlockedStreams: prop.integer({ default: 16, max: 1000, inherited: true, reload: "live" }),
  /**
   * WebTransport sessions of a connection at once; one more gets 429. 0: the server takes no WebTransport. Their
   * bidirectional streams count in `http3MaxStreams`.
   */
  webTransportMaxSessions: prop.integer({ default: 16, max: 1000, inherited: true, reload: "live" }),
  /** Unidirectional streams that a client may have open at once in all of its sessions on a connection. */
  webTransportMaxStreams: prop.integer({ default: 100, min: 1, max: 10_000, inherited: true, reload: "live" }),
  /** Datagrams of a connection that wait, in each direction. More are dropped. */
  webTransportMaxDatagrams: prop.integer({ default: 256, min: 1, max: 100_000, inherited: true, reload: "live" }),
  ...webServerProps,
};

/** The values of these props. */
export type Http3ServerSettings = PropsOf<typeof http3Props>;

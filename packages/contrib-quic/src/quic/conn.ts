// A QUIC connection as HTTP/3 needs it. HTTP/3 knows nothing of packets, and nothing of the library that makes them.
//
//   datagrams ──> QuicConn ── user.advance() ──> readable(), read ... write, reset, stop, close ──> datagrams
//
// What is received stays in the connection until it is read, and counts in the windows of the peer until then: whoever
// reads slowly slows the peer. What is written is taken as far as the peer and the network take it.

/** Some bytes of a stream. */
export interface QuicPiece {
  /** May be kept. Empty: only the end has come. */
  readonly bytes: Buffer;
  /** Nothing follows them. */
  readonly isEnd: boolean;
}

/** The peer has reset the stream: nothing more of it can be read. */
export interface QuicReset {
  /** The code of the application that the peer gave. */
  readonly resetBy: number;
}

/** One connection. No method throws for what a peer did, and none does anything once the connection is closed. */
export interface QuicConn {
  /** It is closed, or about to be: nothing is read or written any more. */
  readonly isClosed: boolean;
  /** The handshake is not complete: what has come may be a replay (RFC 9001 9.2). */
  readonly isInEarlyData: boolean;
  /**
   * The next bidirectional streams that the peer has begun, if they have come in order and have something to read: what
   * most turns bring. Asking for these takes a third of the time of `readable`, which gives all.
   */
  begun(): readonly number[];
  /** Streams that have something to read: bytes, their end, or their reset. New streams of the peer are among them. */
  readable(): readonly number[];
  /** Whether nothing is left to read of a readable stream but its end or its reset. */
  isAtEnd(streamId: number): boolean;
  /**
   * What has come, up to `most` bytes of it; `undefined`: nothing. After an end or a reset the stream must not be read
   * again.
   */
  read(streamId: number, most?: number): QuicPiece | QuicReset | undefined;
  /**
   * How many of the bytes were taken; all of them with `isEnd`: the stream has ended. -1: the peer takes no more. There
   * must be some: an end without bytes is for `end`.
   */
  write(streamId: number, bytes: Uint8Array, isEnd: boolean): number;
  /**
   * Ends a stream whose bytes have all been taken. "blocked": it is to be called again when more can be written.
   * "stopped": the peer takes no more. An end that has a packet of its own is not sent again if that gets lost when the
   * peer has acknowledged all bytes: who can keep some for the end does so, and calls `write`.
   */
  end(streamId: number): "ended" | "blocked" | "stopped";
  /** Whether the peer takes no more of a stream that we have not ended (STOP_SENDING). */
  isStopped(streamId: number): boolean;
  /** Whether the peer has all of a stream that has ended both ways. */
  isDelivered(streamId: number): boolean;
  /** Opens a unidirectional stream; `undefined`: the peer allows no more of them. */
  openUni(): number | undefined;
  /** How many more bidirectional streams the peer allows now. */
  readonly bidiRoom: number;
  /** Opens a bidirectional stream; `undefined`: the peer allows no more of them. */
  openBidi(): number | undefined;
  /** Breaks our side of a stream off (RESET_STREAM). */
  reset(streamId: number, code: number): void;
  /** Asks the peer to send no more on a stream, and drops what it has sent (STOP_SENDING). */
  stop(streamId: number, code: number): void;
  /** How urgent what is written on a stream is, from 0, the most urgent, to 7 (RFC 9218). */
  prioritize(streamId: number, urgency: number, isIncremental: boolean): void;
  /** Asks the peer for a sign of life, which is any datagram of it (PING). */
  ping(): void;
  /** The next datagram that has come (RFC 9221), which may be kept; `undefined`: there is none. */
  receiveDatagram(): Buffer | undefined;
  /** Sends a datagram, which may be lost. False: it was dropped, because it is too large, or too many wait. */
  sendDatagram(bytes: Uint8Array): boolean;
  /** The largest datagram that can be sent now, in bytes; 0: the peer takes none. */
  readonly maxDatagramSize: number;
  /** Closes the connection with a code of the application. */
  close(code: number, reason: string): void;
  /** What was written is sent soon: at the end of this turn of the event loop. */
  flush(): void;
}

/** Uses a connection. */
export interface QuicConnUser {
  /** Something has come, or more can be written. */
  advance(): void;
  /** The connection is over. Called once. */
  closed(): void;
}

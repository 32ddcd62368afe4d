// What a link is made of: a socket, or a connection without one.

/** Learns what happens at a wire. Must not throw. */
export interface WireUser {
  /** One that was dialled is connected. */
  wireConnected(): void;
  /** `isShared`: the bytes are valid until it returns; otherwise they may be kept. */
  wireReceived(bytes: Buffer, isShared: boolean): void;
  /** The peer has shut its side. */
  wireEnded(): void;
  /** Everything written has been passed on, after a write that returned false. */
  wireDrained(): void;
  /** It is broken. */
  wireFailed(error: Error): void;
  /** It is closed. Nothing is called after this. */
  wireClosed(): void;
}

/** The end of a connection. */
export interface Wire {
  /** Whether it is closed for both directions. */
  readonly isDestroyed: boolean;
  /** Our side is shut, and everything written has been passed on. */
  readonly isFinished: boolean;
  /** It ends with a message of TLS. */
  readonly isSecure: boolean;
  /** How many bytes have been written that the system has not taken. */
  readonly unsent: number;
  /** A write has returned false, and `wireDrained` has not followed. */
  readonly needsDrain: boolean;
  /** The bytes must not change. Returns false if `wireDrained` follows. `written`: they are needed no longer. */
  write(bytes: Uint8Array, written?: () => void): boolean;
  /** Writes text of bytes 0 to 255. */
  writeText(text: string): boolean;
  pause(): void;
  resume(): void;
  /** Shuts our side, after everything written. */
  end(): void;
  destroy(): void;
  /** Destroys it so that the peer cannot take that for a regular end, where there is such a thing. */
  reset(): void;
}

// What carries messages to a receiver.

export interface Carrier {
  /**
   * Resolves when the system has taken all messages. Rejects if it takes nothing for `timeout` milliseconds, if the
   * receiver is not there, or when the signal is aborted; then the same messages may be sent again. One call at a time.
   */
  send(messages: readonly Buffer[], timeout: number, signal: AbortSignal): Promise<void>;
  /** The next messages go over a new connection. Without it, there is nothing that could change. */
  renew?(): void;
  close(): Promise<void>;
}

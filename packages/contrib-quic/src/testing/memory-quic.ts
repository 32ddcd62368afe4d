// For tests: a QUIC connection without a network. The test is the peer: the client, or the server.

import type { QuicConn, QuicConnUser, QuicPiece, QuicReset } from "../quic/conn.ts";

interface Incoming {
  pieces: Buffer[];
  isEnd: boolean;
  resetBy: number | undefined;
  isDone: boolean;
}

/** What our side has sent on a stream. */
export class Sent {
  bytes: Buffer = Buffer.alloc(0);
  isEnd = false;
  resetBy: number | undefined;
  /** Our side reads no more of the stream. */
  stoppedBy: number | undefined;
}

export class MemoryQuic implements QuicConn {
  isInEarlyData = false;
  user: QuicConnUser | undefined;
  /** How our side closed the connection. */
  closedWith: number | undefined;
  /** How much the peer takes, in bytes, of all streams. */
  window = Infinity;
  readonly priorities = new Map<number, string>();
  maxDatagramSize = 1200;
  /** What the client has sent, and the server has not read. */
  readonly datagrams: Buffer[] = [];
  /** What the server has sent. */
  readonly sentDatagrams: Buffer[] = [];
  readonly #incoming = new Map<number, Incoming>();
  readonly #sent = new Map<number, Sent>();
  readonly #stopped = new Set<number>();
  /** How many more bidirectional streams the peer allows. */
  bidiRoom = 100;
  #nextUni: number;
  #nextBidi: number;

  constructor(side: "server" | "client" = "server") {
    this.#nextUni = side === "server" ? 3 : 2;
    this.#nextBidi = side === "server" ? 1 : 0;
  }

  // ---- the peer ----

  /** Sends bytes on a stream, and lets our side read them. */
  send(id: number, bytes: Uint8Array, isEnd = false): void {
    const incoming = this.#incomingOf(id);
    if (bytes.length > 0) incoming.pieces.push(Buffer.from(bytes));
    incoming.isEnd ||= isEnd;
    this.user?.advance();
  }

  /** RESET_STREAM. */
  resetByPeer(id: number, code: number): void {
    this.#incomingOf(id).resetBy = code;
    this.user?.advance();
  }

  /** STOP_SENDING. */
  stopByPeer(id: number): void {
    this.#stopped.add(id);
    this.user?.advance();
  }

  /** The peer takes so much more. */
  widen(bytes: number): void {
    this.window += bytes;
    this.user?.advance();
  }

  /** What our side has not read of a stream, in bytes. */
  unread(id: number): number {
    return this.#incomingOf(id).pieces.reduce((sum, { length }) => sum + length, 0);
  }

  sent(id: number): Sent {
    const sent = this.#sent.get(id) ?? new Sent();
    this.#sent.set(id, sent);
    return sent;
  }

  // ---- our side ----

  get isClosed(): boolean {
    return this.closedWith !== undefined;
  }

  begun(): readonly number[] {
    return [];
  }

  readable(): readonly number[] {
    return [...this.#incoming]
      .filter(
        ([, { pieces, isEnd, resetBy, isDone }]) => !isDone && (pieces.length > 0 || isEnd || resetBy !== undefined),
      )
      .map(([id]) => id);
  }

  isAtEnd(id: number): boolean {
    const { pieces, isEnd, resetBy } = this.#incomingOf(id);
    return resetBy !== undefined || (isEnd && pieces.length === 0);
  }

  read(id: number, most = Infinity): QuicPiece | QuicReset | undefined {
    const incoming = this.#incomingOf(id);
    if (incoming.isDone) return undefined;
    if (incoming.resetBy !== undefined) {
      incoming.isDone = true;
      return { resetBy: incoming.resetBy };
    }
    const whole = incoming.pieces.shift();
    const bytes = whole?.subarray(0, most);
    if (whole !== undefined && whole.length > most) incoming.pieces.unshift(whole.subarray(most));
    const isEnd = incoming.isEnd && incoming.pieces.length === 0;
    if (bytes === undefined && !isEnd) return undefined;
    incoming.isDone = isEnd;
    return { bytes: bytes ?? Buffer.alloc(0), isEnd };
  }

  write(id: number, bytes: Uint8Array, isEnd: boolean): number {
    if (this.#stopped.has(id) || this.isClosed) return -1;
    const taken = Math.min(this.window, bytes.length);
    const sent = this.sent(id);
    this.window -= taken;
    sent.bytes = Buffer.concat([sent.bytes, bytes.subarray(0, taken)]);
    sent.isEnd = isEnd && taken === bytes.length;
    return taken;
  }

  end(id: number): "ended" | "blocked" | "stopped" {
    if (this.#stopped.has(id) || this.isClosed) return "stopped";
    if (this.window === 0) return "blocked";
    this.sent(id).isEnd = true;
    return "ended";
  }

  isStopped(id: number): boolean {
    return this.#stopped.has(id);
  }

  isDelivered(): boolean {
    return true;
  }

  openUni(): number | undefined {
    const id = this.#nextUni;
    this.#nextUni += 4;
    return id;
  }

  openBidi(): number | undefined {
    if (this.bidiRoom <= 0) return undefined;
    const id = this.#nextBidi;
    this.#nextBidi += 4;
    this.bidiRoom--;
    return id;
  }

  reset(id: number, code: number): void {
    this.sent(id).resetBy = code;
  }

  stop(id: number, code: number): void {
    this.sent(id).stoppedBy = code;
    this.#incomingOf(id).isDone = true;
  }

  prioritize(id: number, urgency: number, isIncremental: boolean): void {
    this.priorities.set(id, `u=${urgency}${isIncremental ? ", i" : ""}`);
  }

  ping(): void {
    // Nobody is asked.
  }

  receiveDatagram(): Buffer | undefined {
    return this.datagrams.shift();
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.maxDatagramSize) return false;
    this.sentDatagrams.push(Buffer.from(bytes));
    return true;
  }

  close(code: number): void {
    this.closedWith ??= code;
  }

  flush(): void {
    // Everything is there at once.
  }

  #incomingOf(id: number): Incoming {
    const incoming = this.#incoming.get(id) ?? { pieces: [], isEnd: false, resetBy: undefined, isDone: false };
    this.#incoming.set(id, incoming);
    return incoming;
  }
}

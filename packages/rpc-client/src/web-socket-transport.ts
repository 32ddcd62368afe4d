// hrpc over a WebSocket (docs/hrpc.md): calls that stream in both directions, from browsers too.

import {
  callOver,
  goAwayCodes,
  initialSettings,
  noCompression,
  NotBegunError,
  protocolName,
  reasonOf,
  Session,
  type Flushable,
  type SessionCarrier,
  type Transport,
} from "@hemi/common/rpc";

/** How a WebSocket is made and used. */
export interface WebSocketOptions {
  /** Default: that of the platform. */
  readonly WebSocket?: typeof WebSocket;
  /** Of a message from the server, in bytes. More: `resource_exhausted`. Default: 4 MiB. */
  readonly maxMessageSize?: number;
}

/** A way to a server over one WebSocket, which is opened when it is needed. */
export interface WebSocketTransport extends Transport {
  /** Ends its calls and the WebSocket. */
  close(): void;
}

/** Calls a server at the URL of its WebSockets, such as `wss://shop.example/hrpc`: see `webSocket` of rpcHandlet. */
export function webSocketTransport(url: string, options: WebSocketOptions = {}): WebSocketTransport {
  const { maxMessageSize = 4 * 1024 * 1024 } = options;
  let current: Connection | undefined;
  return {
    async *call(call) {
      if (current === undefined || current.session.isLeaving) {
        current = new Connection(new (options.WebSocket ?? WebSocket)(url, [protocolName]));
      }
      const { session } = current;
      await current.established(call.signal);
      yield* callOver(session, call, maxMessageSize);
    },
    close() {
      current?.session.close(goAwayCodes.none, "");
    },
  };
}

class Connection implements SessionCarrier {
  readonly session: Session;
  readonly #socket: WebSocket;
  readonly #established = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  /** What is sent when the WebSocket is open. */
  #waiting: Uint8Array<ArrayBuffer>[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.session = new Session({
      role: "client",
      carrier: this,
      settings: { ...initialSettings, maxStreams: 0 },
      compression: noCompression,
      changed: () => {
        if (this.session.isEstablished) this.#established.resolve();
      },
      // A fault of ours: it is reported like any error that nobody catches.
      failed: (error) =>
        queueMicrotask(() => {
          throw error;
        }),
    });
    this.#established.promise.catch(() => undefined);
    socket.onopen = () => {
      for (const bytes of this.#waiting) socket.send(bytes);
      this.#waiting = [];
    };
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      if (data instanceof ArrayBuffer) this.session.receive(new Uint8Array(data));
      else this.session.close(goAwayCodes.protocol, "hrpc has no text messages");
    };
    socket.onclose = () => {
      this.#established.reject(new NotBegunError("the server cannot be reached, or speaks no hrpc at this path"));
      this.session.broken("the WebSocket was closed");
      this.#closed.resolve();
    };
  }

  /** Rejects with NotBegunError, or with the reason of the signal. */
  async established(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw reasonOf(signal);
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(reasonOf(signal));
    signal.addEventListener("abort", abort);
    try {
      await Promise.race([this.#established.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  get isBlocked(): boolean {
    return this.#socket.bufferedAmount > maxBuffered;
  }

  flushSoon(output: Flushable): void {
    output.isDue = true;
    queueMicrotask(() => {
      output.isDue = false;
      output.flush();
    });
  }

  write(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === 0) this.#waiting.push(bytes);
    else if (this.#socket.readyState === 1) this.#socket.send(bytes);
  }

  /** WebSockets tell nobody when they have sent something. */
  async drained(): Promise<void> {
    while (this.isBlocked && this.#socket.readyState === 1) await new Promise((resolve) => setTimeout(resolve, 10));
    // What is left when it closes is never sent (`bufferedAmount` stays): streams are told when it is closed.
    if (this.isBlocked) await this.#closed.promise;
  }

  close(): void {
    this.#socket.close();
  }
}

/** In bytes. */
const maxBuffered = 256 * 1024;

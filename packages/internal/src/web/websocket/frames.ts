// The frame classes of the package `ws`. Its published types do not include them.

// A contrib that is checked by itself must find these types, too.
// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- see above
/// <reference path="./ws.d.ts" />
import type { Duplex } from "node:stream";
import { HemiError } from "../../errors/hemi-error.ts";

/** The package imports `node:http`, which nothing else here needs: it is loaded on demand. */
export async function loadFrames(): Promise<void> {
  const imported: unknown = await import("ws");
  frames = imported as Frames;
}

/** Throws HEMI_STAGE_STATE before `loadFrames` has completed. */
export function loadedFrames(): Frames {
  if (frames === undefined)
    throw new HemiError("HEMI_STAGE_STATE", "WebSockets are not loaded yet: use them from prepare on");
  return frames;
}

let frames: Frames | undefined;

export type { PerMessageDeflate, Receiver, Sender };

export interface Frames {
  readonly Receiver: typeof Receiver;
  readonly Sender: typeof Sender;
  readonly PerMessageDeflate: typeof PerMessageDeflate;
  readonly extension: Extension;
}

export interface DeflateParams {
  readonly [name: string]: unknown;
}

/** `done` is called once, even if it is cleaned up meanwhile. */
export type DeflateWork = (
  data: Uint8Array,
  isLast: boolean,
  done: (error: unknown, result?: Uint8Array) => void,
) => void;

declare class PerMessageDeflate {
  static readonly extensionName: "permessage-deflate";
  constructor(options: {
    readonly isServer: boolean;
    readonly maxPayload: number;
    readonly threshold?: number;
    /** Calls of zlib at once, of the whole process: that of the first one counts. */
    readonly concurrencyLimit?: number;
  });
  readonly params: DeflateParams | null;
  /** Throws for offers that cannot be accepted. */
  accept(offers: readonly DeflateParams[]): DeflateParams;
  /** `isLast`: of a message. */
  compress: DeflateWork;
  decompress: DeflateWork;
  cleanup(): void;
}

export interface Extensions {
  readonly "permessage-deflate"?: PerMessageDeflate;
}

export interface Extension {
  /** Throws a SyntaxError. */
  parse(field: string): { readonly [name: string]: readonly DeflateParams[] | undefined };
  format(extensions: { readonly [name: string]: readonly DeflateParams[] }): string;
}

/** Parses the bytes of a peer. It emits `error` with a `code` that begins with `WS_ERR_`. */
declare class Receiver {
  constructor(options: {
    readonly isServer: boolean;
    readonly extensions: Extensions;
    readonly maxPayload: number;
    readonly maxFragments: number;
    readonly maxBufferedChunks: number;
  });
  /** False: wait for `drain`. */
  write(bytes: Buffer): boolean;
  readonly writableNeedDrain: boolean;
  readonly writableFinished: boolean;
  readonly errored: Error | null;
  removeAllListeners(): this;
  /** Ends the input; `finish` is emitted when everything is parsed. */
  end(): this;
  on(event: "message", listener: (message: Buffer, isBinary: boolean) => void): this;
  on(event: "ping" | "pong", listener: (content: Buffer) => void): this;
  /** The peer's close frame. 1005: without a code. */
  on(event: "conclude", listener: (code: number, reason: Buffer) => void): this;
  on(event: "error", listener: (error: Error & { readonly code?: string }) => void): this;
  on(event: "drain" | "finish", listener: () => void): this;
}

/** Builds and writes frames. */
declare class Sender {
  constructor(stream: Duplex, extensions: Extensions);
  onerror: (error: Error) => void;
  send(
    message: string | Uint8Array,
    options: { readonly binary: boolean; readonly compress: boolean; readonly fin: boolean; readonly mask: boolean },
    sent?: (error?: Error | null) => void,
  ): void;
  close(code: number | undefined, reason: string, mask: boolean, sent?: (error?: Error | null) => void): void;
  ping(content: string, mask: boolean): void;
  pong(content: Uint8Array, mask: boolean): void;
}

// The content of an entry of the error log, before it becomes text or JSON.

/** From the least to the most severe. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
/** The severity of a line. */
export type LogLevel = (typeof logLevels)[number];

/** Optional details of a message. All fields except `error` and `requestId` are written as `name=value`. */
export interface LogDetails {
  /** Any thrown value; an `Error` is written with its code, stack and causes. */
  readonly error?: unknown;
  /** Identifies all lines of one request. */
  readonly requestId?: string | number | undefined;
  readonly [field: string]: unknown;
}

/** One entry of the error log, as `follow` of `openErrorLog` receives it. Texts are not escaped yet. */
export interface LogRecord {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The severity. */
  readonly level: LogLevel;
  /** The component's path, such as `webapp.shop/rule.3/static`; empty for the stage itself. */
  readonly path: string;
  /** The message without its details. */
  readonly message: string;
  /** `undefined` if there are none, or if reading them has thrown. */
  readonly details: LogDetails | undefined;
  /**
   * Another process of the program has written it to its own log, and `message` has its details: see `relay` of
   * `OwnedErrorLog`.
   */
  readonly isRelayed?: true;
}

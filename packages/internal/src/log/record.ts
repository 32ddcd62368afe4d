// What one entry of an error log holds, before it becomes text or JSON.

/** From the least to the most severe. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
/** How much a line matters, the least first. */
export type LogLevel = (typeof logLevels)[number];

/** What may accompany a message. Anything beyond `error` and `requestId` is written as `name=value`. */
export interface LogDetails {
  /** Whatever was thrown; an `Error` is written with its code, stack and causes. */
  readonly error?: unknown;
  /** Finds all the lines of one request. */
  readonly requestId?: string | number | undefined;
  readonly [field: string]: unknown;
}

export interface LogRecord {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly level: LogLevel;
  /** The component's path, such as `webapp.shop/rule.3/static`; empty for the stage itself. */
  readonly path: string;
  readonly message: string;
  readonly details: LogDetails | undefined;
}

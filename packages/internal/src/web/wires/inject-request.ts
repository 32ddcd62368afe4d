// A request that is handed to a server without a socket, and what came back.

/** A request that `stage.inject` runs without a socket. */
export interface InjectRequest {
  /** Default: GET. */
  readonly method?: string;
  /** The target as on the wire, such as `/a?b=c`, or a whole URL whose authority then is the default of the host field. */
  readonly url: string;
  /** A list stands for several fields of one name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Text is sent as UTF-8. */
  readonly content?: string | Uint8Array;
}

/** The answer to a request of `stage.inject`. */
export interface InjectResponse {
  /** The status code, such as 200. */
  readonly status: number;
  /** Names in lower case; fields of one name in the order they were sent. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** The content as it would go over the wire, its codings included. */
  readonly content: Uint8Array;
  /** The content read as UTF-8. */
  readonly text: string;
}

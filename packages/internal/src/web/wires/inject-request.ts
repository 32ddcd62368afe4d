// A request that is handed to a server without a socket, and what came back.

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

export interface InjectResponse {
  readonly status: number;
  /** Names in lower case; fields of one name in the order they were sent. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly content: Uint8Array;
  /** The content read as UTF-8. */
  readonly text: string;
}

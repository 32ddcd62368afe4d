// A request without a socket, and its response.

/** A request that `stage.inject` runs without a socket. */
export interface InjectRequest {
  /** Default: GET. */
  readonly method?: string;
  /** The target as sent, such as `/a?b=c`, or a whole URL, whose authority is the default of the host field. */
  readonly url: string;
  /** A list means several fields of one name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Text is sent as UTF-8. */
  readonly content?: string | Uint8Array;
}

/** The response to a request of `stage.inject`. */
export interface InjectResponse {
  /** The status code, such as 200. */
  readonly status: number;
  /** Lower-case names; fields of one name in the order in which they were sent. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** The content as sent, including its codings. */
  readonly content: Uint8Array;
  /** The content decoded as UTF-8. */
  readonly text: string;
}

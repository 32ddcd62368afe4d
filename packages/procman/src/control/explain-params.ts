// The request that a running program explains.

export interface ExplainParams {
  /** Default: GET. */
  readonly method?: string;
  readonly url: string;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The address of the client. Default: 127.0.0.1. */
  readonly from?: string;
  /** The server that gets it. Default: the URL says. */
  readonly server?: string;
}

// The listening sockets of a program, as one leader tells another of them.

export interface SocketList {
  readonly listening: readonly ListeningSockets[];
  /** Sockets of systemd on which no server listens. */
  readonly spare: readonly { readonly address: string; readonly name: string }[];
}

/** The sockets of one address. */
export interface ListeningSockets {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** Of a UNIX socket that the program has bound. */
  readonly file?: string;
  /** As many for each slot, or one for all. */
  readonly count: number;
}

/** One socket of a `SocketList`. */
export type SocketName = { readonly key: string; readonly index: number } | { readonly spare: string };

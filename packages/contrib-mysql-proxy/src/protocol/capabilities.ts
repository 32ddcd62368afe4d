// What client and server agree on before the login ("Capabilities Flags").

export const capabilities = {
  foundRows: 1 << 1,
  longFlag: 1 << 2,
  connectWithDatabase: 1 << 3,
  odbc: 1 << 6,
  localFiles: 1 << 7,
  ignoreSpace: 1 << 8,
  protocol41: 1 << 9,
  interactive: 1 << 10,
  tls: 1 << 11,
  transactions: 1 << 13,
  secureConnection: 1 << 15,
  multiStatements: 1 << 16,
  multiResults: 1 << 17,
  preparedMultiResults: 1 << 18,
  pluginAuth: 1 << 19,
  connectAttributes: 1 << 20,
  longAuth: 1 << 21,
  expiredPasswords: 1 << 22,
  sessionTrack: 1 << 23,
  /** Results have no EOF packet behind their columns, and end with an OK packet. */
  deprecateEof: 1 << 24,
} as const;

/** Set by all servers of MySQL; those of MariaDB leave it out to announce more flags, which are not passed on. */
const longPassword = 1;

/**
 * What the proxy offers to clients, whichever server they will get: MySQL from 5.7 on and MariaDB from 10.2 on have all
 * of it. Left out is what would change the bytes of a session: compression, attributes of queries.
 */
export const offered = Object.values(capabilities).reduce<number>((all, flag) => all | flag, longPassword);

/** A client without these cannot be passed on. */
export const demanded = capabilities.protocol41 | capabilities.secureConnection | capabilities.pluginAuth;

/** A server has to speak like this if its client does. */
export const formative =
  capabilities.protocol41 |
  capabilities.transactions |
  capabilities.multiResults |
  capabilities.preparedMultiResults |
  capabilities.sessionTrack |
  capabilities.deprecateEof;

/** Flags of the server's status in OK and EOF packets ("Status Flags"). */
export const statusFlags = { inTransaction: 1, autocommit: 2, moreResults: 8, cursor: 64 } as const;

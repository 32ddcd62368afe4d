// Which databases may be used, by which commands, and at which backend they are.

import type { Reference, TcpsBackend } from "@hemi/internal";
import { documentsIn, type Field, fieldsIn, fieldsOf, named, textOf } from "./protocol/fields.ts";
import type { Request } from "./protocol/requests.ts";
import type { Transactions } from "./transactions.ts";

/** A database, as the configuration has it. */
export interface ConfiguredDatabase {
  readonly name: string;
  /** `undefined`: that of the proxy. */
  readonly toBackend: Reference<TcpsBackend> | undefined;
  readonly readOnly: boolean;
  /** Names of commands. Empty: all. */
  readonly commands: readonly string[];
}

export interface AccessSettings {
  readonly toBackend: Reference<TcpsBackend>;
  readonly databases: readonly ConfiguredDatabase[];
  readonly otherDatabases: boolean;
  readonly refuse: readonly string[];
}

export class Access {
  readonly #settings: AccessSettings;
  readonly #databases: ReadonlyMap<string, ConfiguredDatabase>;
  readonly #refused: ReadonlySet<string>;

  constructor(settings: AccessSettings) {
    this.#settings = settings;
    this.#databases = new Map(settings.databases.map((database) => [database.name, database]));
    this.#refused = new Set(settings.refuse.map((name) => name.toLowerCase()));
  }

  /** The backend, or why a request is refused. `transactions`: those of the client. */
  targetOf(request: Request, transactions: Transactions): TcpsBackend | string {
    const { command } = request;
    if (this.#refused.has(command.toLowerCase())) return `the proxy does not pass on ${command}`;
    if (command === "commitTransaction" || command === "abortTransaction") {
      return transactions.find(sessionOf(request) ?? "") ?? this.#backendOf(request.database);
    }
    if (isAboutConnection(command)) return this.#backendOf(request.database);
    // Servers take them for what is written only.
    if (readCommands.has(command) && request.sequences.size > 0) return `${command} has no documents beside it`;
    const databases = databasesOf(request);
    for (const database of databases) {
      const refusal = this.#whyNot(request, database);
      if (refusal !== undefined) return refusal;
    }
    const [backend = this.#backendOf(request.database), ...others] = databases.map((name) => this.#backendOf(name));
    if (others.some((other) => other !== backend)) return `${command} is about databases at different backends`;
    const session = sessionOf(request);
    if (session !== undefined && named(request.fields, "txnNumber") !== undefined) {
      transactions.remember(session, backend === this.#settings.toBackend.current ? undefined : backend);
    }
    return backend;
  }

  #backendOf(database: string): TcpsBackend {
    return (this.#databases.get(database)?.toBackend ?? this.#settings.toBackend).current;
  }

  #whyNot(request: Request, database: string): string | undefined {
    const { command } = request;
    const known = this.#databases.get(database);
    const isAllowed = known !== undefined || this.#settings.otherDatabases;
    const isListed = known === undefined || known.commands.length === 0 || known.commands.includes(command);
    const isRead = readCommands.has(command) && outputOf(request) === undefined;
    const mayRun = isAllowed && isListed && (known?.readOnly !== true || isRead);
    return mayRun ? undefined : `not authorized on ${database} to execute command ${command}`;
  }
}

/** All databases that a request names. */
function databasesOf(request: Request): readonly string[] {
  const { command, database, fields } = request;
  if (command === "renameCollection") {
    return [fields[0], named(fields, "to")].map((field) => databaseIn(textOf(field)));
  }
  if (command === "bulkWrite") {
    const outside = documentsIn(request.sequences.get("nsInfo") ?? Buffer.alloc(0)).map(fieldsOf);
    const inside = fieldsIn(named(fields, "nsInfo")).map(fieldsIn);
    return [...outside, ...inside].map((each) => databaseIn(textOf(named(each, "ns"))));
  }
  const output = outputOf(request);
  return output === undefined || output === "" ? [database] : [database, output];
}

/** The database that a command which reads writes its result to; "": its own. `undefined`: it does not write. */
function outputOf({ command, fields }: Request): string | undefined {
  if (command.toLowerCase() === "mapreduce") return databaseField(named(fields, "out"));
  if (command !== "aggregate") return undefined;
  for (const stage of fieldsIn(named(fields, "pipeline"))) {
    const [field] = fieldsIn(stage);
    if (field?.name === "$out") return databaseField(field);
    if (field?.name === "$merge") return databaseField(named(fieldsIn(field), "into"));
  }
  return undefined;
}

function databaseField(field: Field | undefined): string {
  return textOf(named(fieldsIn(field), "db")) ?? "";
}

/** `shop.orders`: the database `shop`. */
function databaseIn(namespace = ""): string {
  return namespace.split(".", 1)[0] ?? "";
}

/** The id of the logical session: a UUID. */
function sessionOf({ fields }: Request): string | undefined {
  const id = named(fieldsIn(named(fields, "lsid")), "id");
  return id === undefined || id.length > maxSessionId
    ? undefined
    : id.bytes.toString("hex", id.start, id.start + id.length);
}

/** Whether a command is about the connection or the session, whichever database it names. */
function isAboutConnection(command: string): boolean {
  return ofConnections.has(command);
}

/** Whether a server runs a command only for clients that have logged in, if it wants logins. */
export function needsLogin(command: string): boolean {
  return !isAboutConnection(command) && !ofStrangers.has(command);
}

/** Those of mongod and mongos that need no login (`requiresAuth`), and that are about no connection. */
const ofStrangers: ReadonlySet<string> = new Set([
  ...["listCommands", "features", "availableQueryOptions", "isdbgrid", "isdbGrid", "_isSelf", "getnonce"],
  ...["forceerror", "getLastError", "getlasterror", "getPrevError", "getpreverror", "resetError", "reseterror"],
]);

const ofConnections: ReadonlySet<string> = new Set([
  ...["hello", "isMaster", "ismaster", "ping", "buildInfo", "buildinfo", "connectionStatus", "whatsmyuri"],
  ...["saslStart", "saslContinue", "authenticate", "logout", "startSession", "endSessions", "refreshSessions"],
]);

/** Commands that only read; `aggregate` may have an output. */
const readCommands: ReadonlySet<string> = new Set([
  ...["find", "aggregate", "count", "distinct", "getMore", "killCursors", "explain", "listCollections"],
  ...["listIndexes", "collStats", "dbStats", "dataSize", "validate"],
]);

/** In bytes. */
const maxSessionId = 64;

// What the peer of sessions uses of packages that have no types.

declare module "better-sqlite3" {
  export default class Database {
    constructor(path: string);
    pragma(text: string): unknown;
  }
}

declare module "better-sqlite3-session-store" {
  import type Database from "better-sqlite3";
  import type { Store } from "express-session";
  import type session from "express-session";

  export default function makeStore(sessions: typeof session): new (options: { readonly client: Database }) => Store;
}

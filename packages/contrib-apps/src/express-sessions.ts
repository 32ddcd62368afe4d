// Sessions of `express-session` in the stater of the webapp: its own store is a map that grows for ever.

import type { IncomingMessage, ServerResponse } from "node:http";
import { HTTPError, type Request as HemiRequest, type StaterPart } from "@hemi/internal";

type Next = (error?: unknown) => void;

/** A middleware of Express and Connect. */
export type SessionMiddleware = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/** What is needed of the package `express-session`: its default export. */
export interface ExpressSession {
  (options: object): SessionMiddleware;
  readonly Store: new () => ExpressStore;
}

/** Its class `Store`, as far as it is used here. */
export interface ExpressStore {
  createSession(req: object, stored: object): object;
}

/**
 * Makes the middleware of `express-session` with a store in the stater that `.withStater` of the webapp names:
 *
 *     import session from "express-session";
 *     app.use(expressSessions(session, { secret, resave: false, saveUninitialized: false }));
 *
 * `options` are those of `express-session`, without `store`. Each name in `req.session` is stored by itself: of two
 * requests of one client that change different names, no change is lost. A session that another request has ended is
 * not stored again: its request gets 409. The stater must store sessions: `cookieStater` does not.
 */
export function expressSessions(session: ExpressSession, options: object): SessionMiddleware {
  /** A reload may give the webapp another stater. */
  const byStater = new WeakMap<StaterPart, SessionMiddleware>();
  return (req, res, next) => {
    if (!isInside(req)) return next(new Error("sessions are there for apps inside of Hemi, in a nodeHandlet"));
    try {
      const { stater } = req.hemi.session;
      const middleware = byStater.get(stater) ?? session({ ...options, store: makeStore(session.Store, stater) });
      byStater.set(stater, middleware);
      middleware(req, res, next);
    } catch (error) {
      next(error);
    }
  };
}

function isInside(req: object): req is { readonly hemi: HemiRequest } {
  return "hemi" in req;
}

type Done = (error?: unknown) => void;
type Found = (error: unknown, stored?: object) => void;

/** The value of each name as JSON. */
type Entries = ReadonlyMap<string, string>;

function makeStore(Store: ExpressSession["Store"], stater: StaterPart): ExpressStore {
  /** What a session had when it was loaded. */
  const loaded = new WeakMap<object, Entries>();

  class StaterStore extends Store {
    override createSession(req: object, stored: object): object {
      const session = super.createSession(req, stored);
      loaded.set(session, entriesOf(stored));
      return session;
    }

    get(id: string, found: Found): void {
      read(id).then((stored) => found(null, stored), found);
    }

    set(id: string, session: object, done: Done = ignore): void {
      write(id, session).then(() => done(), done);
    }

    destroy(id: string, done: Done = ignore): void {
      stater.destroy(id).then(() => done(), unavailable(done));
    }

    /** Looking for it is enough: the stater notes when it was used. */
    touch(id: string, _session: object, done: Done = ignore): void {
      read(id).then(() => done(), done);
    }
  }

  async function read(id: string): Promise<object | undefined> {
    const stored = await stater.find(id).catch(throwUnavailable);
    if (stored === undefined) return undefined;
    return Object.fromEntries([...stored].map(([name, { json }]) => [name, JSON.parse(json) as unknown]));
  }

  async function write(id: string, session: object): Promise<void> {
    const before = loaded.get(session) ?? new Map<string, string>();
    const entries = entriesOf(session);
    const changes = [
      ...[...entries].filter(([name, json]) => before.get(name) !== json).map(([name, json]) => ({ name, json })),
      ...[...before.keys()].filter((name) => !entries.has(name)).map((name) => ({ name, json: undefined })),
    ];
    const written = await stater.write(id, changes).catch(throwUnavailable);
    if (written !== "gone") return void loaded.set(session, entries);
    // A request that was under way at a logout must not bring the session back.
    if (loaded.has(session)) throw new HTTPError(409, "the session was ended by another request");
    const all = [...entries].map(([name, json]) => ({ name, json }));
    const made = await stater.write(undefined, all, { newToken: id }).catch(throwUnavailable);
    if (made === "gone" || !("token" in made) || made.token !== id) {
      throw new Error("the stater cannot store a session under a token that it has not made: use one that stores them");
    }
    loaded.set(session, entries);
  }

  return new StaterStore();
}

function entriesOf(session: object): Entries {
  const entries = new Map<string, string>();
  for (const [name, value] of Object.entries(session)) {
    const json: unknown = JSON.stringify(value);
    // What can be no JSON is not stored, as in other stores.
    if (typeof json === "string") entries.set(name, json);
  }
  return entries;
}

function unavailable(done: Done): (error: unknown) => void {
  return (cause) => done(new HTTPError(503, "the store of sessions is down", { cause }));
}

function throwUnavailable(cause: unknown): never {
  throw new HTTPError(503, "the store of sessions is down", { cause });
}

function ignore(): void {}

// Finds the webapp of a request, and sends a response for every outcome.
//
//  wire ─> authority, path ─> webapp by hostname ─> rules, handlets ──> true:  a response is or will be sent
//            │ 400               │ 421                              ├─> false: the webapp's 404
//            v                   v                                  └─> thrown: its status, or 500 with a log line
//         responds            responds

import { Buffer } from "node:buffer";
import type { Fcache } from "../../fixtures/fcache.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import { parseAuthority, type Authority } from "../../http/authority.ts";
import { ExchanError } from "../../http/exchan-error.ts";
import type { ExchanWire } from "../../http/exchan.ts";
import type { ForwardedTrust } from "../../http/forwarded-source.ts";
import { AltServices } from "./alt-services.ts";
import { Fault, faultAt, isPeerGone } from "./fault.ts";
import { HostnameTable } from "./hostnames.ts";
import type { LateListener, OpenExchans } from "./open-exchans.ts";
import { HTTPError } from "../http-error.ts";
import type { WebappPart } from "../kinds.ts";
import { normalizePath, type NormalPath } from "../request/path.ts";
import { Request } from "../request/request.ts";
import { Response, type ResponseSurroundings, type RunDetached } from "../response/response.ts";
import { sendStatusPage } from "../response/status-page.ts";

/** Responds to a request that no rule took, if its webapp has no page for that. */
export type SendMissPage = (resp: Response, wire: ExchanWire) => void | Promise<void>;

/** The options of a dispatcher. */
export interface DispatcherOptions {
  /** Their hostnames are distinct. */
  readonly webapps: readonly WebappPart[];
  readonly log: ErrorLog;
  readonly fcache: Fcache;
  /** Records exchans that do not finish synchronously. */
  readonly open: OpenExchans;
  /** Told of each request that is refused before a webapp has it. Default: nobody is. */
  readonly counts?: { requestRefused(): void };
  /** Default: a line of text. */
  readonly sendMissPage?: SendMissPage | undefined;
  /** The proxies that are trusted to name the client. Default: none. */
  readonly trust?: ForwardedTrust | undefined;
}

/** The destination of a request. */
interface Destination {
  readonly authority: Authority | undefined;
  readonly webapp: WebappPart;
  /** Where else it is served. */
  readonly alternatives: AltServices;
}

export class Dispatcher implements ResponseSurroundings, LateListener {
  readonly fcache: Fcache;
  readonly trust: ForwardedTrust | undefined;
  readonly #log: ErrorLog;
  readonly #open: OpenExchans;
  readonly #webapps: HostnameTable<WebappPart>;
  /** Errors of requests that are already logged: an error may arrive in two ways, as two faults. */
  readonly #noted = new WeakMap<Request, unknown>();
  readonly #defaultWebapp: WebappPart | undefined;
  readonly #sendMissPage: SendMissPage;
  readonly #counts: DispatcherOptions["counts"];
  /** A cache of authorities, as received. Names without a webapp are not stored. */
  readonly #destinations = new Map<string, Destination>();

  /** Throws HEMI_CONFIG_BAD_VALUE if two webapps have the same hostname. */
  constructor(options: DispatcherOptions) {
    const { webapps, log, fcache, open, counts, sendMissPage = sendPlainMissPage, trust } = options;
    this.#counts = counts;
    this.#log = log;
    this.#open = open;
    this.#sendMissPage = sendMissPage;
    this.fcache = fcache;
    this.trust = trust;
    this.#webapps = new HostnameTable(
      webapps.flatMap((webapp) => webapp.hostnames.map((name) => [name, webapp] as const)),
    );
    this.#defaultWebapp = webapps.find((webapp) => webapp.hostnames.includes("*"));
  }

  /** Handles a request. Never throws. */
  serve(wire: ExchanWire): void {
    const { head } = wire;
    const destination = this.#destinations.get(head.authority) ?? this.#findDestination(head.authority);
    if (destination === "malformed") {
      wire.distrust();
      return this.#refuse(wire, 400, "its host is malformed");
    }
    let path: NormalPath | undefined;
    if (head.pathNeedsCare) {
      const target = head.target;
      const mark = target.indexOf("?");
      const normalized = normalizePath(mark < 0 ? target : target.substring(0, mark));
      if (typeof normalized === "string") return this.#refuse(wire, 400, `its path was refused: ${normalized}`);
      path = normalized;
    }
    if (head.method === "CONNECT" && destination?.webapp.letsTunnelsIn !== true)
      return this.#refuse(wire, 501, "there are no tunnels here");
    if (destination === undefined) return this.#refuse(wire, 421, "no webapp here has its hostname");

    const { webapp } = destination;
    const terms = webapp.tls?.terms.id ?? "";
    // The handshake requested no client certificate, or accepted other authorities (RFC 9110 7.4).
    if (terms !== "" && wire.tls !== undefined && wire.tls.terms !== terms) {
      return this.#refuse(wire, 421, "its handshake was one for a name that asks for other client certificates");
    }
    const req = new Request(wire, destination.authority, path, this);
    const resp = new Response(wire, this, req);
    const { field } = destination.alternatives;
    // An alternative has to be as secure (RFC 7838 2.1), and who is there already needs no word of it.
    if (field !== "" && wire.tls !== undefined && head.version !== "3") resp.setHeader("alt-svc", field);
    if (head.method === "OPTIONS" && head.target === "*") return this.#answerServerOptions(resp);
    try {
      const taken = webapp.handle(req, resp);
      if (taken === false) this.#notTaken(webapp, req, resp, wire);
      else if (taken !== true) this.#awaitTaken(taken, webapp, req, resp, wire);
    } catch (error) {
      this.failed(error, req, resp);
    }
    // A page for what failed, or for what no rule took, may take a while, too.
    if (!resp.isOver) this.#open.add(webapp, req, resp, wire, this);
  }

  /** By itself: a closure costs each call of the function that it stands in, whether it is made or not. */
  #awaitTaken(taken: Promise<boolean>, webapp: WebappPart, req: Request, resp: Response, wire: ExchanWire): void {
    taken.then(
      (taken) => {
        if (!taken) this.#notTaken(webapp, req, resp, wire);
      },
      (error: unknown) => this.failed(error, req, resp),
    );
  }

  serveDetached(req: Request, wire: ExchanWire, run: RunDetached): boolean | Promise<boolean> {
    const resp = new Response(wire, this, req);
    req.rebindSession(resp);
    const failed = (error: unknown): true => {
      this.failed(error, req, resp);
      return true;
    };
    let taken: boolean | Promise<boolean>;
    try {
      taken = run(req, resp);
    } catch (error) {
      return failed(error);
    }
    const webapp = this.#destinations.get(wire.head.authority)?.webapp ?? this.#webapps.find(req.hostname);
    if (!resp.isOver && webapp !== undefined) this.#open.add(webapp, req, resp, wire, this);
    return typeof taken === "boolean" ? taken : taken.catch(failed);
  }

  /** Refuses a request of a client that has too many running (RFC 6585 4). The caller logs this. */
  refuseForNow(wire: ExchanWire): void {
    this.#counts?.requestRefused();
    sendStatusPage(new Response(wire, this, undefined), 429, { "retry-after": "1" });
  }

  #findDestination(received: string): Destination | "malformed" | undefined {
    // A cached text must not be a slice: it would keep the whole head in memory.
    const text = Buffer.from(received, "latin1").toString("latin1");
    const authority = parseAuthority(text);
    if (authority === undefined && text !== "") return "malformed";
    const webapp = authority === undefined ? this.#defaultWebapp : this.#webapps.find(authority.hostname);
    if (webapp === undefined) return undefined;
    const destination: Destination = { authority, webapp, alternatives: AltServices.of(webapp) };
    // A default webapp accepts any name, so peers can fill the cache: it is cleared when it is full.
    if (this.#destinations.size >= maxDestinations) this.#destinations.clear();
    this.#destinations.set(text, destination);
    return destination;
  }

  /** `OPTIONS *` is about the server as a whole (RFC 9110 9.3.7). */
  #answerServerOptions(resp: Response): void {
    resp.status = 204;
    resp.setHeader("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    resp.send();
  }

  #notTaken(webapp: WebappPart, req: Request, resp: Response, wire: ExchanWire): void {
    // There is no resource, so a 405 would have nothing for `allow`.
    try {
      const sent = webapp.notFound(req, resp, (resp) => this.#sendMissPage(resp, wire));
      if (sent !== undefined) sent.catch((error: unknown) => this.failed(error, req, resp));
    } catch (error) {
      this.failed(error, req, resp);
    }
  }

  failed(error: unknown, req: Request, resp: Response): void {
    const thrown = error instanceof Fault ? error.cause : error;
    const status = statusOf(thrown);
    // A client that has gone needs no response, and this is not an error.
    if (isPeerGone(thrown)) return resp.abort();
    if (status >= 500) this.noteFault(error, req);
    else if (thrown instanceof Error) {
      // An exceeded limit: the administrator should see it (413 is the only status that no connection logs).
      const level = status === 413 ? "info" : "debug";
      if (this.#log.enabled(level)) {
        this.#log[level](`${req.method} ${req.uri}: ${thrown.message}`, { requestId: req.id });
      }
    }
    try {
      if (!resp.isHeadSent) sendStatusPage(resp, status, thrown instanceof HTTPError ? thrown.fields : undefined);
      else if (!resp.isDone) resp.abort();
    } catch (error) {
      // A reviser failed on the head of this page. It gets no second one.
      this.noteFault(error, req);
      if (resp.isHeadSent) resp.abort();
      else sendStatusPage(resp, 500);
    }
  }

  noteFault(error: unknown, req: Request | undefined): void {
    const fault = faultAt(this.#log.path, error);
    if (fault.isNoted || (req !== undefined && this.#noted.has(req) && this.#noted.get(req) === fault.cause)) return;
    fault.isNoted = true;
    if (req !== undefined) this.#noted.set(req, fault.cause);
    this.#log
      .withPath(fault.path)
      .error(`failed at ${req === undefined ? "a refused request" : `${req.method} ${req.uri}`}`, {
        error: fault.cause,
        requestId: req?.id,
      });
  }

  /** The connection, which has answered with 503 or broken off, knows neither the component nor the request. */
  noteLate(req: Request, resp: Response): void {
    const lack = resp.isHeadSent ? "did not complete its answer" : "gave no answer";
    this.#log
      .withPath(req.handlet?.path ?? this.#log.path)
      .warn(`${lack} within handleTimeout to ${req.method} ${req.uri}`, { requestId: req.id });
  }

  #refuse(wire: ExchanWire, status: number, reason: string): void {
    this.#counts?.requestRefused();
    const { address } = wire.peer.source ?? wire.peer;
    this.#log.info(`refused a request of ${address} with ${status}: ${reason}`);
    sendStatusPage(new Response(wire, this, undefined), status);
  }
}

function sendPlainMissPage(resp: Response): void {
  sendStatusPage(resp, 404);
}

/** The status for an uncaught error. */
function statusOf(thrown: unknown): number {
  if (thrown instanceof HTTPError) return thrown.status;
  if (thrown instanceof ExchanError) return statusOfCode[thrown.code] ?? 500;
  return 500;
}

const statusOfCode: { readonly [code: string]: number | undefined } = {
  HEMI_CONTENT_BROKEN: 400,
  HEMI_TIMEOUT: 408,
  HEMI_CONTENT_TOO_LARGE: 413,
};

/** Not a prop: the cache only saves parsing. */
const maxDestinations = 1000;

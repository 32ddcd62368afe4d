// Finds the procedure that a request calls, and runs the call. What rpcHandlet and rpcServer have in common.

import type { DescService } from "@bufbuild/protobuf";
import { afterRunning, Deadlines } from "@hemi/common";
import { RpcError, type CalledStream } from "@hemi/common/rpc";
import type { Context } from "../stage/context.ts";
import { PropError } from "../component/prop-error.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { Request } from "../web/request/request.ts";
import { withoutPrefix } from "../web/request/path-prefix.ts";
import type { Response } from "../web/response/response.ts";
import { answerOtherMethod } from "../web/response/other-methods.ts";
import { HealthState } from "./builtin/health.ts";
import { reflectionBundlets } from "./builtin/reflection.ts";
import { CallCounts } from "./call-counts.ts";
import { CallRun, type CallHost } from "./call-run.ts";
import { acceptedTypes, bringsJson, openDoor, openRouteDoor, readRpcRequest } from "./doors/choose-door.ts";
import type { HttpDoor } from "./doors/http-door.ts";
import { CallWire } from "./hrpc/call-wire.ts";
import type { HrpcOrigin } from "./hrpc/hrpc-origin.ts";
import type { HrpcHost } from "./hrpc/hrpc-host.ts";
import { serveStream } from "./hrpc/serve-stream.ts";
import type { WebSocketSessions } from "./hrpc/web-socket-sessions.ts";
import type { ServicePart } from "./kinds.ts";
import { buildRoutes, isService } from "./http-rules/build-routes.ts";
import { HttpRoutes } from "./http-rules/http-routes.ts";
import { describeByOpenAPI } from "./openapi.ts";
import type { RpcSettings } from "./rpc-props.ts";
import type { ServedBundlet, ServedProcedure } from "./served-bundlet.ts";

export class RpcDispatcher implements CallHost, HrpcHost {
  readonly settings: RpcSettings;
  readonly log: ErrorLog;
  readonly deadlines: Deadlines;
  readonly counts: CallCounts;
  /** Set by a server whose calls pass the rules of a webapp first. */
  isGuarded = false;
  #procedures: ReadonlyMap<string, ServedProcedure> = new Map();
  /** The paths that annotations give to procedures. */
  #routes = new HttpRoutes();
  /** The running calls that may last for long. */
  readonly #streams = new Set<CallRun>();
  #webSockets: WebSocketSessions | undefined;
  readonly #health = new HealthState();
  readonly #reflection = reflectionBundlets(() => this.#descriptors());
  /** All that is served. */
  #bundlets: readonly ServedBundlet[] = [];
  #openAPI = (): string => "";
  #drained: (() => void) | undefined;
  /** Ends what services tell of their changes. */
  #leaveServices: (() => void)[] = [];

  constructor({ props, log, metrics, path }: Pick<Context<RpcSettings>, "props" | "log" | "metrics" | "path">) {
    this.settings = props;
    this.log = log;
    this.counts = new CallCounts({ metrics, path });
    this.deadlines = new Deadlines({ resolution: 20, failed: (error) => this.noteFault(error, undefined) });
  }

  /** Throws PropError if two services have a bundlet of the same name, and for annotations that are wrong. */
  examine(): void {
    const refuse = (problem: string): never => {
      throw new PropError("services", "HEMI_CONFIG_BAD_VALUE", problem);
    };
    const [problem] = buildRoutes(this.#gather([this.#health.served, ...this.#reflection], refuse)).problems;
    if (problem !== undefined) refuse(problem);
  }

  /** Loads what the settings need. */
  async prepare(): Promise<void> {
    if (this.settings.webSocket === undefined) return;
    const { WebSocketSessions } = await import("./hrpc/web-socket-sessions.ts");
    this.#webSockets = await WebSocketSessions.load(this, this.log);
  }

  /** The services may have changed, or the settings. */
  compose(): void {
    const { services, health, reflection, stripPrefix = "" } = this.settings;
    this.#listenTo(services.map(({ current }) => current));
    const builtIn = [...(health ? [this.#health.served] : []), ...(reflection ? this.#reflection : [])];
    const own = this.#gather(builtIn, (problem) => this.log.error(problem));
    const bundlets = [...own, ...builtIn];
    this.#bundlets = bundlets;
    const { routes, bindings, problems } = buildRoutes(own);
    this.#routes = routes;
    for (const problem of problems) this.log.error(problem);
    // Made once, for the first who asks: of many procedures it takes long.
    let openAPI: string | undefined;
    this.#openAPI = () => (openAPI ??= JSON.stringify(describeByOpenAPI(own, bindings, stripPrefix)));
    this.#health.serve(bundlets.map(({ bundlet }) => bundlet.name));
    this.#procedures = new Map(
      bundlets.flatMap(({ procedures }) => procedures.map((served) => [served.path, served] as const)),
    );
  }

  /**
   * The bundlets of the services. What services have may change at any time: one whose name is taken already, by an
   * earlier service or by `builtIn`, is left out, and `clash` hears of it.
   */
  #gather(builtIn: readonly ServedBundlet[], clash: (problem: string) => void): readonly ServedBundlet[] {
    const owners = new Map(builtIn.map(({ bundlet }) => [bundlet.name, "of the engine"]));
    const gathered: ServedBundlet[] = [];
    for (const { current, name } of this.settings.services) {
      for (const served of current.bundlets) {
        const { bundlet } = served;
        const owner = owners.get(bundlet.name);
        if (owner !== undefined) {
          clash(`the services "${owner}" and "${name}" both have a bundlet ${bundlet.name}`);
          continue;
        }
        owners.set(bundlet.name, name);
        gathered.push(served);
      }
    }
    return gathered;
  }

  #listenTo(services: readonly ServicePart[]): void {
    for (const leave of this.#leaveServices) leave();
    this.#leaveServices = services.flatMap((service) => service.onChange?.(() => this.compose()) ?? []);
  }

  /** `false`: it is no call of a procedure. */
  handle(req: Request, resp: Response): boolean {
    const { stripPrefix } = this.settings;
    const path = stripPrefix === undefined ? req.encodedPath : withoutPrefix(stripPrefix, req.encodedPath);
    if (path === undefined) return false;
    if (path === this.settings.webSocket && this.#webSockets?.handle(req, resp) === true) return true;
    const served = this.#procedures.get(path);
    const asked = readRpcRequest(req);
    if (path === this.settings.openAPI && req.method === "GET") {
      resp.setHeader("content-type", "application/json");
      resp.send(this.#openAPI());
      return true;
    }
    const isByRoute = served === undefined && asked?.isUnmistakable !== true && !this.#routes.isEmpty;
    if (isByRoute) return this.#handleByRoute(path, req, resp);
    if (asked === undefined) {
      if (served === undefined) return false;
      refuse(req, resp, served);
      return true;
    }
    if (served === undefined && !asked.isUnmistakable) return false;
    if (asked.type?.protocol === "grpc" && (req.version === "1.0" || req.version === "1.1")) {
      resp.status = 505;
      resp.send("gRPC needs HTTP/2\n");
      return true;
    }
    const door = openDoor(asked, req, resp, this.settings);
    if (served === undefined) {
      this.counts.notFound();
      door.finish(new RpcError("unimplemented", `there is no procedure ${path}`), undefined);
    } else this.#serve(door, served, req);
    return true;
  }

  /** `false`: the path is not that of an annotation. */
  #handleByRoute(path: string, req: Request, resp: Response): boolean {
    const route = this.#routes.find(req.method === "HEAD" ? "GET" : req.method, path);
    if (route === undefined) {
      const methods = this.#routes.methodsAt(path);
      if (methods.length === 0) return false;
      answerOtherMethod(req, resp, methods);
    } else if (route.binding.takesContent && !route.binding.takesRaw && !bringsJson(req)) {
      answerOtherType(resp, "application/json");
    } else {
      this.#serve(openRouteDoor(route, req, resp, this.settings), route.binding.served, req);
    }
    return true;
  }

  #serve(door: HttpDoor, served: ServedProcedure, req: Request): void {
    let timeout: number;
    try {
      timeout = door.readTimeout();
      door.serve(served);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.counts.refused(served.path, error.code);
      return door.finish(error, undefined);
    }
    const run = new CallRun(this, served, door, door, timeout);
    req.onGone(() => run.clientLeft());
    run.begin();
  }

  /** The same for what has come through a webapp, which may be a call that came by hrpc. */
  handleGuarded(req: Request, resp: Response): boolean {
    const { standsFor } = req;
    if (!(standsFor instanceof CallWire)) return this.handle(req, resp);
    this.serveStream(standsFor.stream, standsFor.begin(req, resp));
    return true;
  }

  /** Serves a call that came by hrpc. */
  serveStream(stream: CalledStream, origin: HrpcOrigin): void {
    const served = this.#procedures.get(stream.head.path);
    if (served === undefined) this.counts.notFound();
    serveStream(this, served, stream, origin);
  }

  /** Of a message for the procedure at a path, in bytes. */
  maxMessageSizeOf(path: string): number {
    return this.#procedures.get(path)?.limits.maxMessageSize ?? this.settings.maxMessageSize;
  }

  streamOpened(run: CallRun): void {
    this.#streams.add(run);
  }

  streamClosed(run: CallRun): void {
    this.#streams.delete(run);
    if (this.#streams.size === 0) this.#drained?.();
  }

  noteFault(error: unknown, req: Request | undefined): void {
    if (req === undefined) this.log.error("a call failed", { error });
    else req.noteFault(error);
  }

  /** Streams that would go on for longer than half of the time are ended, so that their clients find another server. */
  drain(deadline: number): void | Promise<void> {
    this.#health.drain();
    if (this.#streams.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained = resolve;
    const forget = afterRunning((deadline - Date.now()) / 2, () => this.#endStreams());
    return promise.finally(forget);
  }

  shutdown(): void {
    this.#listenTo([]);
    this.#endStreams();
    this.deadlines.close();
  }

  *#descriptors(): Generator<DescService> {
    for (const { bundlet } of this.#bundlets) if (isService(bundlet.descriptor)) yield bundlet.descriptor;
  }

  #endStreams(): void {
    for (const run of [...this.#streams])
      run.cancel(new RpcError("unavailable", "the server shuts down: try another one"));
  }
}

/** The path is that of a procedure, but this is no way to call it. */
function refuse(req: Request, resp: Response, { procedure }: ServedProcedure): void {
  if (req.method !== "POST") {
    const mayGet = procedure.idempotency === "no_side_effects";
    return answerOtherMethod(req, resp, mayGet ? ["GET", "POST"] : ["POST"]);
  }
  answerOtherType(resp, acceptedTypes);
}

function answerOtherType(resp: Response, acceptedTypes: string): void {
  resp.status = 415;
  resp.setHeader("accept-post", acceptedTypes);
  resp.send("415 Unsupported Media Type\n");
}

// httpProxy: answers requests with what a backend says.

import { webBackend, type WebBackend } from "../../http/web-backend.ts";
import type { Context } from "../../stage/context.ts";
import type { Explanation } from "../explain/explanation.ts";
import { backendKind } from "../../backend/kind.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Reference } from "../../component/reference.ts";
import { gather } from "../content/gather.ts";
import { defineHandlet, type HandletPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { ResponseEdits } from "./response-edits.ts";
import { exchangeProps, passedTimeoutProps } from "./exchange-props.ts";
import { FieldEdits } from "./field-edits.ts";
import { RequestMirror } from "./mirror.ts";
import { checkOwnBackend, ownBackend, ownBackendProps } from "./own-backend.ts";
import { checkRequestProps, PassedRequests, requestProps } from "./passed-requests.ts";
import { handshakeFields, PassedUpgrades, upgradeProps } from "./passed-upgrades.ts";
import { ProxiedExchan, type ProxyTraits } from "./proxied-exchan.ts";
import { retryRulesOf } from "./retries.ts";

const props = {
  /** The backend that answers. */
  toBackend: prop.reference(backendKind, { offering: webBackend, required: true, inherited: true }),
  ...ownBackendProps,
  ...requestProps,
  /**
   * The method of requests to the backend, whatever the method of the client: `GET` for a backend that needs the path
   * only. With `GET`, the content of the request and the fields that describe it are not passed on. Upgrades keep their
   * method.
   */
  method: prop.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
  /** Whether a `location` that names the backend is changed to the host that the client requested. */
  rewriteLocation: prop.bool({ default: true }),
  /**
   * Whether `Path` and `Domain` of cookies are changed back, where `stripPrefix`, `addPrefix` or `hostname` have
   * changed what the backend sees.
   */
  rewriteCookies: prop.bool({ default: true }),
  ...exchangeProps,
  ...passedTimeoutProps,
  ...upgradeProps,
  /**
   * Another backend, which gets a copy of each request, for example a new version of an application. No client waits
   * for it, and its responses are discarded. It carries requests out like any backend: keep it away from what must not
   * be done twice.
   */
  mirrorTo: prop.reference(backendKind, { offering: webBackend }),
  /** Maximum number of concurrent copies. Further requests are not copied. */
  maxMirrored: prop.integer({ default: 100, min: 1, max: 1_000_000, reload: "live" }),
  /**
   * Maximum size of request content that waits for the other backend, for each copy, in bytes. More: the copy is
   * aborted.
   */
  maxMirrorBacklog: prop.size({ default: "1M", min: "1K", reload: "live" }),
};

export type HttpProxyProps = PropsOf<typeof props>;

/**
 * Passes requests on to a backend. Content streams in both directions, each at the pace of its reader. WebSockets are
 * passed on, too, if the backend accepts them (see `upgrades`). Its own responses: 400 for a malformed WebSocket
 * handshake, 502 if the node cannot be reached or breaks off, 503 if no node can take more, 504 if it is too slow, 508
 * for a loop. The reason is in the error log.
 */
export const httpProxy = defineHandlet({
  sign: "httpProxy",
  aliases: ["http1Proxy"],
  props,
  shorthand: ownBackend,
  elsewhere: { proxyMode: "a forward proxy is a handlet of its own: forwardProxy" },
  check(context) {
    checkOwnBackend(context);
    checkRequestProps(context);
  },
  takesAll: () => true,
  create: (context): HandletPart => new HttpProxy(context),
});

class HttpProxy implements HandletPart {
  readonly defaultMaxContentSize = Infinity;
  readonly #context: Context<HttpProxyProps>;
  readonly #requests: PassedRequests;
  readonly #traits: ProxyTraits;
  readonly #upgrades: PassedUpgrades;
  readonly #mirror: RequestMirror | undefined;
  readonly #passesContent: boolean;

  constructor(context: Context<HttpProxyProps>) {
    this.#context = context;
    const { props, log } = context;
    this.#passesContent = props.method !== "GET";
    const ofContent = this.#passesContent ? [] : fieldsOfContent;
    this.#requests = new PassedRequests(context, [...handshakeFields.request, ...ofContent]);
    const { paths } = this.#requests;
    if (props.mirrorTo !== undefined) this.#mirror = makeMirror(context, props.mirrorTo);
    this.#traits = {
      log,
      answers: new ResponseEdits({
        edits: new FieldEdits({
          set: props.setResponseHeaders,
          add: props.addResponseHeaders,
          del: props.delResponseHeaders,
        }),
        paths,
        rewritesLocation: props.rewriteLocation,
        rewritesCookies: props.rewriteCookies && (!paths.isEmpty || props.hostname !== undefined),
        dropped: handshakeFields.response,
      }),
      retries: retryRulesOf(props, props.retryAnyMethod),
      takesAccelRedirect: props.accelRedirect,
      bufferedAnswer: props.bufferServerContent ? props.maxBufferedAnswer : 0,
    };
    this.#upgrades = new PassedUpgrades(context, this.#requests, this.#traits);
  }

  update(changed: ReadonlySet<string>): void {
    this.#upgrades.update(changed);
  }

  shutdown(): void {
    this.#upgrades.close();
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    resp.limitHandling(this.#context.props.handleTimeout);
    const web = this.#context.props.toBackend.current;
    const upgrade = this.#upgrades.find(web, req);
    if (upgrade !== undefined) return this.#upgrades.pass(upgrade, req, resp);
    this.#requests.refuseUnfit(req);
    if (!req.hasContent || !this.#passesContent) return this.#pass(web, req, resp, 0, undefined);
    if (this.#context.props.bufferClientContent) return this.#gatherAndPass(web, req, resp);
    return this.#pass(web, req, resp, req.content.passedSize, undefined);
  }

  explain(req: Request): Explanation {
    const upgrade = this.#upgrades.find(this.#context.props.toBackend.current, req);
    return upgrade === undefined
      ? this.#requests.explain(req, "", this.#context.props.method)
      : this.#upgrades.explain(upgrade, req);
  }

  async #gatherAndPass(web: WebBackend, req: Request, resp: Response): Promise<boolean> {
    const { maxBufferedContent } = this.#context.props;
    const { passedSize } = req.content;
    if (passedSize !== undefined && passedSize > maxBufferedContent)
      return this.#pass(web, req, resp, passedSize, undefined);
    const content = await gather(req.content, maxBufferedContent);
    return this.#pass(web, req, resp, content instanceof Uint8Array ? content.length : undefined, content);
  }

  #pass(
    web: WebBackend,
    req: Request,
    resp: Response,
    contentSize: number | undefined,
    content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
  ): boolean | Promise<boolean> {
    const request = this.#requests.make(req, contentSize, this.#context.props.method);
    const wish = this.#requests.wishOf(web, req);
    const mirrored = this.#mirror?.copy(request, wish);
    return new ProxiedExchan(this.#traits, web, request, wish, req, resp, content).begin(mirrored);
  }
}

/** They describe content that is not passed on. */
const fieldsOfContent: readonly string[] = ["content-encoding", "content-language", "content-type", "digest"];

function makeMirror({ props, log }: Context<HttpProxyProps>, mirrorTo: Reference<WebBackend>): RequestMirror {
  return new RequestMirror({
    backend: () => mirrorTo.current,
    maxCopies: () => props.maxMirrored,
    maxBacklog: () => props.maxMirrorBacklog,
    log,
  });
}

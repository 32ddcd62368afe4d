// What all who pass requests on to web servers say of them: where they go, for which host and path, and which fields
// they have.

import type { SelectionHint } from "../../backend/selection-hint.ts";
import type { BackendRequest, WebBackend } from "../../http/web-backend.ts";
import type { Context } from "../../stage/context.ts";
import type { Explanation } from "../explain/explanation.ts";
import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Reference } from "../../component/reference.ts";
import { compileTemplate } from "../../component/template.ts";
import { parseAuthority } from "../../http/authority.ts";
import { connectionFields, FieldNames } from "../../http/field-names.ts";
import { noFields } from "../../http/fields.ts";
import { HTTPError } from "../http-error.ts";
import { hasEncodedBackslash } from "../request/path.ts";
import { pathPrefix } from "../request/path-prefix.ts";
import type { Request } from "../request/request.ts";
import { webVariables } from "../conditions/variables.ts";
import { AddedFields } from "./added-fields.ts";
import type { attemptProps, passedTimeoutProps } from "./exchange-props.ts";
import { allFields, checkDeletedFields, checkFieldEdits, FieldEdits, type FieldReasons } from "./field-edits.ts";
import { checkResponseProps } from "./response-edits.ts";
import { claimFields, ForwardedFields } from "./forwarded.ts";
import { PathEdits } from "./path-edits.ts";

/** For all who pass fields of clients on to programs that may read `-` and `_` as one, or `.`. */
export const underscoreProps = {
  /**
   * Whether fields are passed on whose names contain `_`, or anything but letters, digits and hyphens. Programs that
   * read fields as variables (CGI, WSGI, PHP) would take the client's `X_User` or `X.User` for the `x-user` that this
   * server or forwardAuth sets.
   */
  underscoresInHeaders: prop.bool({ default: false, inherited: true }),
};

/** For all who pass paths on. */
const backslashProps = {
  /**
   * Whether paths that contain `%5C` are passed on. Programs on Windows read a backslash as a slash, and would see
   * another path than the conditions of rules. Otherwise: 400.
   */
  backslashesInPaths: prop.bool({ default: false, inherited: true }),
};

export const requestProps = {
  /** The hostname that the backend is asked for. Default: that of the client's request. */
  hostname: prop.string({ minLength: 1 }),
  /**
   * The port that the backend is asked for, with its colon, such as `:8080`; "" for none. Default: that of the client's
   * request.
   */
  colonPort: prop.string({ pattern: { expression: /^(?::[0-9]{1,5})?$/, takes: 'a port such as ":8080", or ""' } }),
  /**
   * A prefix that is removed from paths, such as `/api`. `location` fields and cookies get it back. Paths without it
   * are passed on unchanged.
   */
  stripPrefix: prop.string({ pattern: pathPrefix }),
  /**
   * A prefix that is put before paths, after `stripPrefix` was removed. It is removed from `location` fields and
   * cookies.
   */
  addPrefix: prop.string({ pattern: pathPrefix }),
  /**
   * The fields that tell the backend about the client: `x` (`x-forwarded-for`, `-host`, `-proto`), `standard`
   * (`forwarded`, RFC 7239), `both`, `none`. The client's own fields of these names are dropped, except those of
   * `trustForwarded`.
   */
  forwarded: prop.choice(["both", "x", "standard", "none"], { default: "both" }),
  /**
   * Peers, such as a load balancer before this server, whose `forwarded` and `x-forwarded-*` fields are kept and
   * extended. With `both`, only the form that the peer uses is sent. `x-forwarded-proto` then has one value, that of
   * the client. If only the server trusts a peer (its own `trustForwarded`), its fields are dropped, and the backend is
   * told the client that they name, which is `$srcHost`, and its `$scheme`.
   */
  trustForwarded: prop.addresses({ default: [], inherited: true }),
  /**
   * Fields of the request that replace those of the same name. If a value from the client contains a line end or
   * another invalid character: 400.
   */
  setRequestHeaders: prop.dict(prop.template(), { default: {} }),
  /** Fields that are added to those of the request. */
  addRequestHeaders: prop.dict(prop.template(), { default: {} }),
  /**
   * Names of request fields that are not passed on, including those that the proxy itself sets, such as `via` and
   * `x-forwarded-for`. `("*")`: no field of the client is passed on; those of the proxy are.
   */
  delRequestHeaders: prop.strings({ default: [] }),
  ...underscoreProps,
  ...backslashProps,
};

export interface RequestProps extends PropsOf<typeof requestProps & typeof attemptProps & typeof passedTimeoutProps> {
  readonly toBackend: Reference<WebBackend>;
}

/** Reports what is wrong with the fields and the host that a configuration sets. */
export function checkRequestProps(context: CheckContext<RequestProps>): void {
  const { props } = context;
  checkFieldEdits(context, ["setRequestHeaders", "addRequestHeaders"], ownFieldReasons);
  checkDeletedFields(context, "delRequestHeaders", ownFieldReasons);
  checkResponseProps(context);
  if (
    props.hostname !== undefined &&
    (props.hostname.endsWith(":") || parseAuthority(props.hostname)?.colonPort !== "")
  ) {
    context.report({ prop: "hostname", message: `${JSON.stringify(props.hostname)} is not a hostname` });
  }
}

/** Makes requests to a backend of those that come. */
export class PassedRequests {
  readonly paths: PathEdits;
  readonly #context: Context<RequestProps>;
  readonly #dropped: FieldNames;
  /** For content that a reviser is going to change: see `mustBePlain` of requests. */
  readonly #droppedForPlain: FieldNames;
  readonly #forwarded: ForwardedFields;
  readonly #added: AddedFields;
  readonly #hashOn: ((req: Request) => string) | undefined;
  readonly #passesFields: boolean;

  /** `dropped`: fields that are not passed on, beside those that no proxy passes on. */
  constructor(context: Context<RequestProps>, dropped: readonly string[] = []) {
    this.#context = context;
    const { props } = context;
    this.#passesFields = !props.delRequestHeaders.includes(allFields);
    this.paths = new PathEdits(props.stripPrefix ?? "", props.addPrefix ?? "");
    const edits = new FieldEdits({
      set: props.setRequestHeaders,
      add: props.addRequestHeaders,
      del: props.delRequestHeaders,
    });
    const names = [...connectionFields, ...ownFields, ...claimFields, ...edits.dropped, ...dropped];
    const options = { hasUnplain: !props.underscoresInHeaders };
    this.#dropped = new FieldNames(names, options);
    this.#droppedForPlain = new FieldNames([...names, "range", "if-range", "accept-encoding"], options);
    this.#forwarded = new ForwardedFields({
      form: props.forwarded,
      trusted: props.trustForwarded,
      without: edits.dropped,
    });
    this.#added = new AddedFields(this.#forwarded, edits);
    this.#hashOn = props.hashOn === undefined ? undefined : compileTemplate(props.hashOn, webVariables);
  }

  /** Throws HTTPError: 508 for a request that has been here before, 400 for a path that is not passed on. */
  refuseUnfit(req: Request): void {
    const refusal = this.#refusalOf(req);
    if (refusal !== undefined) throw refusal;
  }

  #refusalOf(req: Request): HTTPError | undefined {
    if (this.#forwarded.isLoop(req)) return new HTTPError(508, "the request has been here before: see its field via");
    if (this.#context.props.backslashesInPaths || !hasEncodedBackslash(req.encodedPath)) return undefined;
    return new HTTPError(400, "its path holds an encoded backslash: see backslashesInPaths");
  }

  make(req: Request, contentSize: number | undefined, method = req.method): BackendRequest {
    return {
      method,
      scheme: req.scheme,
      authority: this.#authorityFor(req),
      target: this.#targetFor(req),
      received: this.#passesFields ? req.headers : noFields,
      dropped: req.mustBePlain(undefined) ? this.#droppedForPlain : this.#dropped,
      added: this.#added.for(req),
      contentSize,
      timeouts: this.#context.props,
    };
  }

  wishOf({ stickyCookie }: WebBackend, req: Request): SelectionHint {
    return {
      key: this.#hashOn === undefined ? req.srcHost : this.#hashOn(req),
      stickTo: stickyCookie === undefined ? "" : (req.cookie(stickyCookie) ?? ""),
      tried: untried,
      from: req.sender,
    };
  }

  /** For `hemi explain`: which node would be asked, for what. `wish`: what else it is asked for. */
  explain(req: Request, wish = "", method = req.method): Explanation {
    const { toBackend } = this.#context.props;
    const refusal = this.#refusalOf(req);
    if (refusal !== undefined) return { takes: "yes", status: refusal.status, text: refusal.message };
    const authority = this.#authorityFor(req);
    const asked = `${method} ${this.#targetFor(req)} of ${authority === "" ? "the node's own host" : authority}`;
    const backend = toBackend.current;
    const { nodes } = backend.explain(this.wishOf(backend, req));
    const details = [...nodes].map(([id, why]) => `node ${id}: ${why}`);
    return { takes: "yes", text: `asks ${toBackend.path} for ${asked}${wish}`, details };
  }

  #targetFor(req: Request): string {
    return this.paths.isEmpty ? req.uri : this.paths.forward(req.uri);
  }

  #authorityFor(req: Request): string {
    const { hostname, colonPort } = this.#context.props;
    if (hostname === undefined && colonPort === undefined) return req.authority;
    const host = hostname ?? req.hostname;
    // HTTP/1.0 needs none.
    return host === "" ? "" : host + (colonPort ?? (hostname === undefined ? req.colonPort : ""));
  }
}

const untried: readonly string[] = [];

/** Fields of a request that a proxy makes itself, consumes, or keeps from doing harm. */
const ownFields: readonly string[] = [
  "host",
  "via",
  // What is waited for by `100-continue` comes from this server: the client is told to go on when its content is
  // wanted.
  "expect",
  // Meant for a proxy, which this is.
  "proxy-authorization",
  // CGI scripts would take it for the setting of a proxy of theirs (CVE-2016-5385).
  "proxy",
];

/** Why the configuration cannot set or delete some fields of a request. */
const ownFieldReasons: FieldReasons = new Map([
  ["host", "the field host is set by .hostname and .colonPort"],
  ["expect", "the field expect is between the client and this server: the node is never asked to wait"],
  ["sec-websocket-key", "the field sec-websocket-key is between this server and the node"],
]);
